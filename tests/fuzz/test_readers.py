"""A few hundred changed inputs a reader, and every input that was ever a fault; ``python -m tests.fuzz READER --seconds 3600`` searches on."""

import time
import warnings
import zlib
from pathlib import Path

import pytest

from lungcad.errors import LungcadError
from tests.fuzz.mutate import mutants
from tests.fuzz.readers import READERS

CORPUS = Path(__file__).parent / "corpus"
"""A folder a reader: inputs that it once did not survive."""
SLOWEST = 25.0
"""Seconds of processor time that one input may take: reading ends after 20, but for one call into C."""


def ask(reader, data: bytes) -> bool:
    """Whether it was read. Anything but an answer or a sentence is a fault, and so is an input that takes too long."""
    begun = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            reader.read(data)
        return True
    except LungcadError as error:
        assert str(error) and "\n" not in str(error)
        return False
    finally:
        assert time.process_time() - begun < SLOWEST


@pytest.mark.parametrize("name", READERS)
def test_changed_inputs_are_read_or_refused_in_one_sentence(name):
    reader = READERS[name]
    inputs = mutants([*reader.seeds(), *_former_faults(name)], reader.n, zlib.crc32(name.encode()))
    refused = sum(not ask(reader, data) for data in inputs)
    assert refused or name == "link"  # a link's bad value is said on the page


@pytest.mark.parametrize("name", READERS)
def test_whole_inputs_are_read(name):
    """So that the changed ones begin from something that reaches deep."""
    reader = READERS[name]
    n_read = sum(ask(reader, data) for data in reader.seeds())
    assert n_read or name == "weights"  # those are of no network here


@pytest.mark.parametrize("path", sorted(CORPUS.rglob("*.bin")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_former_fault_is_one_no_more(path):
    ask(READERS[path.parent.name], path.read_bytes())


def _former_faults(name: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted((CORPUS / name).glob("*.bin"))]
