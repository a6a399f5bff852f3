"""What the project set out to reach on each data set, and by how much a network missed it."""

from dataclasses import dataclass
from pathlib import Path

from lungcad.evaluate.scoring import report
from lungcad.evaluate.stores.runs import list_runs, read_run
from lungcad.models.card import ModelCard
from lungcad.paths import RUNS


@dataclass(frozen=True)
class Aim:
    """suffix: which of a network's runs is meant ("" is its own, "-folds" the cross-validation, "-published" the other protocol)."""

    metric: str
    at_least: float
    suffix: str = ""
    without_copies: bool = False

    def describe(self) -> str:
        """In words."""
        where = {"": "on its test part", "-folds": "over five grouped folds", "-published": "under the published protocol"}[self.suffix]
        return f"{self.metric} of at least {self.at_least} {where}{', without copies of training images' if self.without_copies else ''}"


AIMS = {
    "iq-oth-nccd": (Aim("macro F1", 0.78, "-folds"), Aim("accuracy", 0.99, "-published")),
    "chest-ct-scan": (Aim("accuracy", 0.90), Aim("accuracy", 0.90, "-published"), Aim("accuracy", 0.85, without_copies=True)),
    "lidc-nodules": (Aim("ROC-AUC", 0.93), Aim("F1 malignant", 0.81)),
    "lc25000": (Aim("accuracy", 0.98),),
}


def missed(card: ModelCard, runs: Path = RUNS) -> list[str]:
    """One phrase for each aim of the card's data set that its runs miss; an aim without a run is not spoken of."""
    found, known = [], list_runs(runs)
    for aim in AIMS.get(card.dataset, ()):
        if card.name + aim.suffix not in known:
            continue
        value = report(read_run(card.name + aim.suffix, runs), without_copies=aim.without_copies)[aim.metric]
        if value.value is not None and value.value < aim.at_least:
            found.append(f"{aim.describe()}: missed by {aim.at_least - value.value:.3f} ({value})")
    return found


def with_aim(card: ModelCard, selection_note: str, runs: Path = RUNS) -> ModelCard:
    """The card with what was missed and what its recipe notes on how it was chosen; without a word where every aim was reached."""
    faults = missed(card, runs)
    return card.model_copy(update={"aim": f"{'; '.join(faults)}. {selection_note}".strip() if faults else None})
