"""Search for inputs that a reader neither reads nor refuses in one sentence, guided by the lines that they reach (atheris).

``python -m tests.fuzz image --seconds 3600 [--keep FOLDER]``: what it finds goes to FOLDER/faults, the inputs that reached new lines to FOLDER/corpus.
It needs ``pip install atheris==3.0.0`` (Apache-2.0; wheels for Linux). What it found stands in ``tests/fuzz/corpus``, and the suite reads that.
"""

import argparse
import hashlib
import sys
import tempfile
import time
from pathlib import Path

import atheris

with atheris.instrument_imports(
    include=[
        "lungcad.imaging",
        "lungcad.unpack",
        "lungcad.evaluate.stores",
        "lungcad.evaluate.selection",
        "lungcad.train.recipe",
        "lungcad.train.work_folder",
        "lungcad.batch",
        "lungcad.datasets.stored_audits",
        "lungcad.datasets.audit_facts",
        "lungcad.gate.stored",
        "lungcad.explain.neighbours",
        "lungcad.models.card",
        "lungcad.models.weights",
        "lungcad.lab.settings",
        "lungcad.app.url",
        "lungcad.schema",
        "lungcad.stored_json",
        "pydicom",
        "nibabel",
        "safetensors",
    ]
):
    from lungcad.errors import LungcadError
    from tests.fuzz.readers import READERS, facts_of

SLOW = 5.0
"""Seconds from which one input counts as a fault."""


def main() -> None:
    """One reader, one process."""
    options = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    options.add_argument("reader", choices=READERS)
    options.add_argument("--seconds", type=int, default=60)
    options.add_argument("--keep", type=Path, default=None)
    chosen = options.parse_args()
    keep = chosen.keep or Path(tempfile.mkdtemp(prefix=f"lungcad-fuzz-{chosen.reader}-"))
    corpus, faults = keep / "corpus", keep / "faults"
    corpus.mkdir(parents=True, exist_ok=True)
    faults.mkdir(exist_ok=True)
    reader, seen = READERS[chosen.reader], set()
    for seed in reader.seeds():
        (corpus / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)

    def tell(what: str, data: bytes) -> None:
        if what not in seen:
            seen.add(what)
            path = faults / hashlib.sha256(data).hexdigest()[:16]
            path.write_bytes(data)
            print(f"FAULT {chosen.reader}: {what} ({path}, {len(data)} bytes)", file=sys.stderr, flush=True)

    def one(data: bytes) -> None:
        begun = time.process_time()
        try:
            reader.read(data)
        except LungcadError as error:
            if "\n" in str(error):
                tell(f"more than one line: {facts_of(error)}", data)
        except Exception as error:
            tell(facts_of(error), data)
        if time.process_time() - begun > SLOW:
            tell(f"took {time.process_time() - begun:.0f} s", data)

    arguments = ["fuzz", f"-max_total_time={chosen.seconds}", "-rss_limit_mb=3000", "-timeout=60", "-max_len=65536", "-verbosity=1",
                 "-print_final_stats=1", f"-artifact_prefix={faults}/", str(corpus)]  # fmt: skip
    atheris.Setup(arguments, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
