from types import SimpleNamespace

import numpy as np
import pytest

from lungcad.datasets import Case, Split
from lungcad.datasets.traits import BINS, Traits
from lungcad.evaluate.baselines import AREA, HISTOGRAM, MAJORITY, METADATA, baseline_table

CLASSES = ("benign", "malignant")


def made_up_split(n: int, split: Split, seed: int) -> SimpleNamespace:
    """Malignant files are RGB and large nodules; grey levels say nothing."""
    rng = np.random.default_rng(seed)
    cases, traits = [], []
    for i in range(n):
        malignant = i % 3 == 0
        cases.append(Case(f"{split}{i}", None, CLASSES[malignant], split, f"g{i}", None, {"area_px": 300.0 + i if malignant else 20.0 + i}))
        histogram = rng.dirichlet(np.ones(BINS)).astype(np.float32)
        traits.append(Traits("PNG", "RGB" if malignant else "L", 64, 64, (0.0, 0.0), histogram))
    return SimpleNamespace(cases=cases, traits=traits)


def test_each_baseline_sees_only_what_it_says():
    table = baseline_table({Split.TRAIN: made_up_split(60, Split.TRAIN, 0), Split.TEST: made_up_split(30, Split.TEST, 1)}, CLASSES)
    truth = np.array([i % 3 == 0 for i in range(30)])
    right = {name: ((rows["p:malignant"] > 0.5).to_numpy() == truth).mean() for name, rows in table.groupby("baseline")}
    assert right[MAJORITY] == pytest.approx(2 / 3) and right[METADATA] == 1 and right[AREA] == 1 and right[HISTOGRAM] < 0.85
    np.testing.assert_allclose(table["p:benign"] + table["p:malignant"], 1, atol=1e-5)


def test_no_area_no_area_baseline():
    traits_by_split = {Split.TRAIN: made_up_split(30, Split.TRAIN, 0), Split.TEST: made_up_split(9, Split.TEST, 1)}
    for split_traits in traits_by_split.values():
        split_traits.cases = [Case(case.id, None, case.label, case.split) for case in split_traits.cases]
    assert AREA not in set(baseline_table(traits_by_split, CLASSES).baseline)
