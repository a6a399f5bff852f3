"""Closeness to readers and AUC by readers, against scipy and by hand; what is written can be read, and its table is generated."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from lungcad.datasets import Case
from lungcad.datasets.concepts import CONCEPTS
from lungcad.errors import DatasetError, ModelError
from lungcad.evaluate.concepts import auc_by_readers, closeness, concept_facts, rate
from lungcad.evaluate.stores.concepts import read_concepts, write_concepts
from lungcad.evaluate.stores.runs import Run
from lungcad.publish.concept_tables import as_close, closeness_table, concepts_readme


def case_of(number: int, ratings: dict[str, tuple[float, ...]], n_readers: int = 3) -> Case:
    return Case(f"{number}.png", Path("x"), "benign", None, group=f"P{number // 2}", facts={"n_readers": n_readers}, ratings=ratings)


@pytest.fixture
def rated():
    """40 nodules; three readers each, but the last, which one reader saw."""
    rng = np.random.default_rng(0)
    truth = rng.integers(1, 6, 40)
    readers = np.clip(truth[:, None] + rng.integers(-1, 2, (40, 3)), 1, 5).astype(float)
    cases = [case_of(number, {"margin": tuple(row)}) for number, row in enumerate(readers[:-1])]
    return [*cases, case_of(39, {"margin": (5.0,)}, 1)], truth + rng.normal(0, 0.1, 40), readers[:-1]


def test_closeness_is_spearmans_over_every_left_out_reader(rated):
    cases, values, readers = rated
    found = closeness(CONCEPTS["margin"], cases, values)
    others = np.concatenate([np.delete(row, index).mean(keepdims=True) for row in readers for index in range(3)])
    network = np.repeat(values[:-1], 3)
    assert found["n"] == 39
    assert found["network"]["value"] == pytest.approx(spearmanr(network, others)[0], abs=1e-4)
    assert found["reader"]["value"] == pytest.approx(spearmanr(readers.ravel(), others)[0], abs=1e-4)
    assert found["difference"]["value"] == pytest.approx(found["network"]["value"] - found["reader"]["value"], abs=1e-4)
    assert found["difference"]["low"] < found["difference"]["value"] < found["difference"]["high"]


def test_without_three_readers_nothing_is_claimed(rated):
    with pytest.raises(DatasetError, match="readers"):
        closeness(CONCEPTS["margin"], rated[0][-1:], rated[1][-1:])


def run_of(name: str, scores: np.ndarray, malignant: np.ndarray) -> Run:
    table = pd.DataFrame(
        {
            "case": [f"{number}.png" for number in range(len(scores))],
            "group": [f"P{number // 2}" for number in range(len(scores))],
            "split": "test",
            "label": np.where(malignant, "malignant", "benign"),
            "copy_of_training": False,
            "p:benign": 1 - scores,
            "p:malignant": scores,
        }
    )
    return Run(name, {"classes": ["benign", "malignant"], "weights_sha256": "x"}, table, None, None)


def test_auc_by_readers_is_scored_on_the_same_nodules_and_the_gain_is_paired():
    rng = np.random.default_rng(1)
    malignant, n_readers = rng.random(60) < 0.4, rng.integers(1, 5, 60)
    sizes = 5 + 10 * malignant + rng.normal(0, 6, 60)
    cases = {f"{n}.png": case_of(n, {"diameter_mm": (float(sizes[n]),)}, int(n_readers[n])) for n in range(60)}
    plain, ours = (run_of(name, np.clip(0.3 * malignant + rng.random(60) * 0.6, 0, 1), malignant) for name in ("plain", "ours"))
    rows = {row["readers"]: row for row in auc_by_readers([plain, ours], cases)}
    many = n_readers >= 3
    assert rows["all"]["n"] == 60 and rows["3 or more"]["n"] == many.sum() and rows["1"]["n"] + rows["2"]["n"] == 60 - many.sum()
    expected = [roc_auc_score(malignant[many], run.test["p:malignant"][many]) for run in (plain, ours)]
    assert rows["3 or more"]["auc"]["plain"]["value"] == pytest.approx(expected[0], abs=1e-4)
    assert rows["3 or more"]["gains"]["plain"]["value"] == pytest.approx(expected[1] - expected[0], abs=2e-4)
    assert rows["all"]["auc"]["readers' diameter"]["value"] == pytest.approx(roc_auc_score(malignant, sizes), abs=1e-4)


def test_what_is_written_can_be_read_and_a_damaged_file_is_said(rated, tmp_path):
    row = closeness(CONCEPTS["margin"], rated[0], rated[1])
    row_below = row | {"concept": "texture", "difference": {"value": -0.1, "low": -0.2, "high": -0.05}}
    area = {"readers": "all", "n": 4, "malignant": 0.5, "median_diameter_mm": 7.0, "auc": {"ours": row["network"]}, "gains": {}}
    facts = {"network": "ours", "weights_sha256": "x", "n": 4, "closeness": [row, row_below], "auc_by_readers": [area]}
    write_concepts(facts, tmp_path)
    (read,) = read_concepts(tmp_path)
    assert as_close(read) == ["margin"] and "| no |" in closeness_table(read) and "1 of 2 are as close" in concepts_readme([read])
    (tmp_path / "ours.json").write_text("{}")
    with pytest.raises(DatasetError, match="damaged"):
        read_concepts(tmp_path)


def test_without_the_readers_table_the_concepts_are_said_to_be_unavailable(toy, rated):
    class Model:
        card = type("Card", (), {"concepts": ("margin", "texture"), "name": "x", "sha256": "x"})

    run = run_of("ours", np.full(2, 0.5), np.array([True, False]))
    with pytest.raises(DatasetError, match="unavailable"):
        concept_facts(Model, [run], {case.id: case for case in rated[0]})
    with pytest.raises(ModelError, match="has no concepts"):
        rate(toy, [])
