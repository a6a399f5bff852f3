"""Every array of an index and of a gate, changed: said in one sentence, or read as numbers that can be; never a traceback, never drawn as it is."""

import numpy as np
import pytest

from lungcad.errors import ModelError
from lungcad.explain.neighbours import Index
from lungcad.gate.stored import FittedGate
from lungcad.imaging.phantom import make_phantom
from lungcad.models import ModelCard
from lungcad.models.card import list_cards
from lungcad.paths import GATE, INDEX, WEIGHTS
from lungcad.stored_arrays import read_arrays

NAME = "chest-resnet18"
CARD = ModelCard.read(WEIGHTS / f"{NAME}.json")
EMBEDDING = np.random.default_rng(0).normal(size=512).astype(np.float32)


def use_index(folder):
    index = Index.read(CARD, folder)
    nearest = index.nearest(EMBEDDING)
    differences = index.map_differences(index, index.test_cases[:3].tolist())
    return f"{nearest.neighbours}{index.test_cases}{index.labels}", [nearest.far, *differences]


def use_gate(folder):
    findings, measured = FittedGate.read(CARD, folder).compare(make_phantom(3, size=64).image(), EMBEDDING, np.zeros(4, np.float32))
    return " ".join(finding.sentence for finding in findings), list(measured.values())


STORES = {"index": (INDEX, use_index), "gate": (GATE, use_gate)}


def changes(array):
    """Name -> what stands in the array's place; None for nothing."""
    yield "gone", None
    yield "empty", array.ravel()[:0]
    yield "true", np.ones(array.shape, bool)
    yield "objects", np.array(["x", "![x](http://y)\n\u202e"])
    yield "four axes", np.zeros((2, 2, 2, 2), array.dtype)
    yield "bytes", np.zeros(array.shape, "S3")
    if array.dtype.kind == "f":
        yield "NaN", np.full_like(array, np.nan)
        yield "infinite", np.full_like(array, np.inf)
        yield "complex", array.astype(complex)
    if array.ndim:
        yield "half of it", array[: len(array) // 2]
        yield "twice as wide", np.repeat(array, 2, axis=-1)
        if array.dtype.kind == "U":
            yield "one name again and again", np.full_like(array, array[0])


@pytest.mark.parametrize("store", STORES)
def test_one_changed_array_is_a_sentence_or_of_no_consequence(store, tmp_path):
    folder, use = STORES[store]
    values = read_arrays(folder / f"{NAME}.npz")
    refused = set()
    for name, array in values.items():
        for change, other in changes(array):
            changed = {key: value for key, value in values.items() if key != name} | ({} if other is None else {name: other})
            (tmp_path / f"{NAME}.npz").unlink(missing_ok=True)
            np.savez(tmp_path / f"{NAME}.npz", **changed)
            try:
                text, numbers = use(tmp_path)
                assert "http" not in text and "\n" not in text.replace("\n ", "") and not np.isinf(numbers).any()
                assert change not in ("NaN", "infinite", "complex", "true", "bytes", "gone", "objects"), (name, change)
            except ModelError as error:
                refused.add((name, change))
                assert str(error).endswith(".") and "\n" not in str(error)
    assert len(refused) > 6 * len(values)


@pytest.mark.parametrize("store", STORES)
def test_another_networks_width_is_said(store, tmp_path):
    folder, use = STORES[store]
    values = read_arrays(folder / f"{NAME}.npz")
    np.savez(tmp_path / f"{NAME}.npz", **values | {"mean": values["mean"][:100], "components": values["components"][:, :100]})
    with pytest.raises(ModelError, match="another network"):
        use(tmp_path)


@pytest.mark.parametrize("store", STORES)
def test_more_than_is_ever_stored_is_not_unpacked(store, tmp_path):
    folder, use = STORES[store]
    values = read_arrays(folder / f"{NAME}.npz")
    np.savez_compressed(tmp_path / f"{NAME}.npz", **values, more=np.zeros((220, 1 << 20), np.int8))  # 220 MB of nothing in 0.2 MB
    with pytest.raises(ModelError, match="damaged"):
        use(tmp_path)


def test_every_shipped_index_and_gate_is_read():
    read = 0
    for card in list_cards(WEIGHTS):
        for store, folder in ((Index, INDEX), (FittedGate, GATE)):
            if (folder / f"{card.name}.npz").is_file():
                store.read(card, folder)
                read += 1
    assert read > 30
