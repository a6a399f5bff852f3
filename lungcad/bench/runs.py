"""Entries about evaluation runs: what the Metrics page computes, against scikit-learn's own functions."""

import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from lungcad.bench import plain
from lungcad.bench.entry import Row, entry
from lungcad.datasets import IQ_OTH_NCCD
from lungcad.evaluate.scoring import ScoredCases
from lungcad.evaluate.stores.runs import read_run, write_run


def synthetic_run(root: Path, name: str, n: int, seed: int = 0) -> None:
    """A run of ``n`` made-up test predictions (and a tenth as many for validation) in groups of three, right about four times in five.

    seed: of the predictions; the cases and their classes are always the same.
    """
    rng = np.random.default_rng(seed)
    classes = IQ_OTH_NCCD.classes
    valid = n // 10
    labels = np.random.default_rng(2026).integers(0, len(classes), n + valid)
    logits = rng.normal(0, 1, (n + valid, len(classes))) + 2.0 * np.eye(len(classes))[labels]
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    number = np.arange(n + valid)
    table = pd.DataFrame(
        {
            "case": [f"Normal cases/{i}.jpg" for i in number], "group": [f"patient{i // 3}" for i in number],
            "split": np.where(number < n, "test", "valid"), "label": np.array(classes)[labels], "copy_of_training": False,
        }
    )  # fmt: skip
    table = table[(number < n) | (number >= -(-n // 3) * 3)].reset_index(drop=True)  # no group in both parts
    for column, each in enumerate(classes):
        table[f"p:{each}"] = p[table.index, column].astype(np.float32)
    facts = {
        "network": name, "backbone": "synthetic", "attention": "none", "weights_sha256": "none", "dataset": IQ_OTH_NCCD.name, "task": "3-class",
        "classes": list(classes), "protocol": "grouped", "seed": seed, "grouping": "three cases each",
    }  # fmt: skip
    write_run(root / name, facts, table)


@entry(seconds=30)
def metrics_of_a_million(_: Path | None) -> Row:
    """Reading a run of 1,000,000 predictions and every metric with 500 resamples, for each resample, against scikit-learn's calls (higher is better)."""
    return _metrics(1_000_000)


@entry(seconds=8, in_short_set=True)
def metrics_of_ten_thousand(_: Path | None) -> Row:
    """The same for a run of 10,000 predictions and 2,000 resamples (higher is better)."""
    return _metrics(10_000)


def _metrics(n: int) -> Row:
    with tempfile.TemporaryDirectory() as temporary:
        synthetic_run(Path(temporary), "synthetic", n)
        start = time.perf_counter()
        run = read_run("synthetic", Path(temporary))
        read = time.perf_counter() - start
        part = ScoredCases(run)
        part.report  # noqa: B018  computed when it is asked for
        seconds = time.perf_counter() - start
        other = plain.in_fresh_process(plain.metrics_seconds, run.labels(run.test), run.probabilities(run.test), 3)
    ours = seconds / len(part.resamples)
    facts = {"predictions": n, "resamples": len(part.resamples) - 1, "seconds_to_open": seconds, "of_which_reading": read}
    return {"ours": 1e3 * ours, "plain": 1e3 * other, "ratio": other / ours, "unit": "ms", **facts}
