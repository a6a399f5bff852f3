"""Evaluation runs with made-up predictions."""

import numpy as np
import pandas as pd
from scipy.stats import norm

from lungcad.evaluate.stores.runs import Run

CLASSES = ("benign", "malignant")


def make_run(name: str, n: int = 60, shift: float = 0.0, seed: int = 0, ids=None) -> Run:
    rng = np.random.default_rng(7)
    labels = rng.integers(0, 2, n)
    noise = np.random.default_rng(seed).normal(0, 1, n)
    p = norm.cdf((1 + shift) * (labels - 0.5) + 0.7 * noise)
    table = pd.DataFrame(
        {
            "case": ids if ids is not None else [f"c{i}" for i in range(n)],
            "group": [f"g{i // 3}" for i in range(n)],
            "split": "test",
            "label": [CLASSES[k] for k in labels],
            "copy_of_training": False,
            "p:benign": 1 - p,
            "p:malignant": p,
        }
    )
    return Run(name, {"classes": CLASSES, "dataset": "lidc-nodules", "protocol": "grouped", "seed": seed}, table, None, None)


def prediction_table(n: int = 40, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    p = np.clip(0.25 + 0.5 * labels + rng.normal(0, 0.15, n), 0, 1)
    split = np.where(np.arange(n) < n // 2, "valid", "test")
    return pd.DataFrame(
        {
            "case": [f"c{i}" for i in range(n)],
            "group": [f"g{i // 2}" for i in range(n)],
            "split": split,
            "label": [CLASSES[k] for k in labels],
            "copy_of_training": np.arange(n) % 10 == 9,
            "p:benign": 1 - p,
            "p:malignant": p,
        }
    )
