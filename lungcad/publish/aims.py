"""What the project set out to reach on each data set, and by how much a network missed it."""

from dataclasses import dataclass
from pathlib import Path

from lungcad.datasets import Protocol
from lungcad.evaluate.scoring import report
from lungcad.evaluate.stores.runs import read_experiments
from lungcad.models.card import ModelCard
from lungcad.paths import RUNS


@dataclass(frozen=True)
class Aim:
    """On the test part of a network's run under ``protocol``; folds: of its cross-validation with so many."""

    metric: str
    at_least: float
    protocol: Protocol = Protocol.GROUPED
    folds: int | None = None
    without_copies: bool = False

    def describe(self) -> str:
        """In words."""
        where = (
            f"over five {self.protocol} folds"
            if self.folds
            else "under the published protocol"
            if self.protocol is Protocol.PUBLISHED
            else "on its test part"
        )
        return f"{self.metric} of at least {self.at_least} {where}{', without copies of training images' if self.without_copies else ''}"


_PUBLISHED = Protocol.PUBLISHED
AIMS = {
    "iq-oth-nccd": (Aim("macro F1", 0.78, folds=5), Aim("accuracy", 0.99, _PUBLISHED)),
    "chest-ct-scan": (Aim("accuracy", 0.90), Aim("accuracy", 0.90, _PUBLISHED), Aim("accuracy", 0.85, without_copies=True)),
    "lidc-nodules": (Aim("ROC-AUC", 0.93), Aim("F1 malignant", 0.81)),
    "lc25000": (Aim("accuracy", 0.98),),
}


def missed(card: ModelCard, runs: Path = RUNS) -> list[str]:
    """One phrase for each aim of the card's data set that its runs miss; an aim without a run is not spoken of."""
    phrases = []
    run_of = {(run.facts.get("protocol"), run.facts.get("folds")): run for run in read_experiments(runs, recipe=card.name)}
    for aim in AIMS.get(card.dataset, ()):
        run = run_of.get((aim.protocol, aim.folds))
        if run is None:
            continue
        value = report(run, without_copies=aim.without_copies)[aim.metric]
        if value.value is not None and value.value < aim.at_least:
            phrases.append(f"{aim.describe()}: missed by {aim.at_least - value.value:.3f} ({value})")
    return phrases


def with_aim(card: ModelCard, selection_note: str, runs: Path = RUNS) -> ModelCard:
    """The card with what was missed and what its recipe notes on how it was chosen; without a word where every aim was reached."""
    faults = missed(card, runs)
    return card.model_copy(update={"aim": f"{'; '.join(faults)}. {selection_note}".strip() if faults else None})
