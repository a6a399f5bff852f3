"""Counts of a data set by class, split and group."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from lungcad.datasets.case import Split
from lungcad.datasets.dataset import Dataset
from lungcad.datasets.fingerprint import fingerprints
from lungcad.datasets.splits import Protocol, split_cases


def describe(
    dataset: Dataset, folder: Path, task: str | None = None, *, on_progress: Callable[[int, int], None] | None = None
) -> dict[str, Any]:
    """The JSON of ``lungcad data info``: for each protocol and split the cases by class, the groups and the copies of training images."""
    cases = dataset.read(folder, task)
    prints = fingerprints(cases, on_progress)
    chosen = dataset.task(task)
    protocols = {}
    for protocol in Protocol:
        plan = split_cases(dataset, cases, prints, protocol)
        parts = []
        for split in Split:
            rows = plan.indices(split)
            labels = [plan.cases[i].label for i in rows]
            parts.append(
                {
                    "split": str(split),
                    "n": len(rows),
                    "by_class": {name: labels.count(name) for name in chosen.classes},
                    "groups": len({plan.cases[i].group for i in rows}),
                    "copies_of_training": int(np.sum(plan.copy_of_training[rows])),
                }
            )
        protocols[str(protocol)] = {
            "split": plan.description,
            "parts": parts,
            "left_out": len(plan.left_out),
            "unreadable": list(plan.unreadable),
        }
    return {
        "name": dataset.name,
        "title": dataset.title,
        "publisher": dataset.publisher,
        "licence": dataset.licence,
        "citation": dataset.citation,
        "task": chosen.name,
        "classes": list(chosen.classes),
        "grouping": dataset.grouping,
        "protocols": protocols,
    }
