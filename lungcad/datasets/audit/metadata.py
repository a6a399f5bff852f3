"""Can the classes be told apart without looking at the disease?"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lungcad.datasets.audit.check import AuditCheck
from lungcad.datasets.audit.subject import AuditSubject
from lungcad.datasets.traits import FileKind, file_kinds, mean_histograms, metadata_table

MOST_IMAGES = 20_000
"""Images that the metadata classifier looks at; a random sample of a larger set."""
SUSPICIOUS = 1.5
"""A class that is recognised so many times as often as by chance is suspicious."""


@dataclass(frozen=True)
class MetadataOnly:
    """How well format, size, mode and border alone tell the classes apart: cross-validated (balanced) accuracy of a random forest.

    chance: balanced accuracy of guessing, 1 / number of classes. suspicious: classes that are recognised more than half as well again as by chance, where the
    forest tells the classes apart better than by chance at all (one that says one class always recognises it).
    """

    balanced_accuracy: float
    chance: float
    recall: dict[str, float]
    suspicious: list[str]


def _find(subject: AuditSubject) -> dict[str, Any]:
    """files: what the files are. intensity: class -> mean share of pixels in each of 64 grey levels, from black to white."""
    labels = [case.label for case in subject.cases]
    kinds = [
        {"class" if name == "label" else name: value for name, value in asdict(kind).items()} for kind in file_kinds(labels, subject.traits)
    ]
    return {"metadata_only": _metadata_only(subject), "files": kinds, "intensity": mean_histograms(labels, subject.traits)}


def _metadata_only(subject: AuditSubject) -> dict[str, Any] | None:
    """None where there are not two classes with a few images each."""
    from sklearn.ensemble import RandomForestClassifier  # seconds to import
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

    n = len(subject.cases)
    drawn = np.arange(n) if n <= MOST_IMAGES else np.sort(np.random.default_rng(0).choice(n, MOST_IMAGES, replace=False))
    labels = np.array([subject.cases[i].label for i in drawn])
    names, counts = np.unique(labels, return_counts=True)
    names = names[counts >= 6]
    drawn, labels = drawn[np.isin(labels, names)], labels[np.isin(labels, names)]
    if len(names) < 2:
        return None
    groups = subject.cluster[drawn]
    folds = min(5, *(len(set(groups[labels == name])) for name in names))
    if folds < 2:
        return None
    forest = RandomForestClassifier(100, min_samples_leaf=2, class_weight="balanced", random_state=0)
    table = metadata_table([subject.traits[i] for i in drawn])
    folding = StratifiedGroupKFold(folds, shuffle=True, random_state=0)
    predicted = cross_val_predict(forest, table, labels, cv=folding, groups=groups)
    recall = {str(name): round(float((predicted[labels == name] == name).mean()), 4) for name in names}
    chance = 1 / len(names)
    accuracy = float(balanced_accuracy_score(labels, predicted))
    suspicious = [name for name, value in recall.items() if value > SUSPICIOUS * chance] if accuracy > chance else []
    return asdict(MetadataOnly(round(accuracy, 4), round(chance, 4), recall, suspicious))


def _score(finding: Mapping[str, Any]) -> float:
    """How far above chance, as a share of what is possible."""
    metadata_only = finding["metadata_only"]
    return (
        max(0.0, (metadata_only["balanced_accuracy"] - metadata_only["chance"]) / (1 - metadata_only["chance"])) if metadata_only else 0.0
    )


def _say(finding: Mapping[str, Any]) -> list[str]:
    metadata_only = finding["metadata_only"]
    if metadata_only is None:
        return []
    return [
        f"format, size, mode and border alone: balanced accuracy {metadata_only['balanced_accuracy']:.3f} (chance {metadata_only['chance']:.3f})"
    ]


METADATA = AuditCheck(
    "metadata",
    "Can the classes be told apart without looking at the disease?",
    ("metadata_only", "files", "intensity"),
    _find,
    _score,
    _say,
    {"suspicious_times_chance": SUSPICIOUS},
    {
        "metadata_only": lambda told: told and MetadataOnly(**told),
        "files": lambda kinds: [
            FileKind(**{"label" if name == "class" else name: value for name, value in kind.items()}) for kind in kinds
        ],
    },
)
