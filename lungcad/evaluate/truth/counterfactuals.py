"""What a network of known truth really uses: its answers to the same patients with the shortcut moved or removed, or with the lesion removed."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lungcad.estimate import Estimate
from lungcad.evaluate.bootstrap import Resamples
from lungcad.evaluate.metrics import estimate
from lungcad.evaluate.truth.answers import probabilities_of
from lungcad.evaluate.truth.networks import KnownNetwork
from lungcad.evaluate.truth.scenes import Scene, image_of
from lungcad.models import TrainedModel

LESION = "lesion"


def lesion_probabilities(model: TrainedModel, known: KnownNetwork, scenes: Sequence[Scene]) -> pd.DataFrame:
    """A row a scene: case, has_lesion, carries, and the probability of a lesion in its picture

    as_trained: with the shortcut as in the network's own training set; without: no shortcut; swapped: the shortcut in the other class; no_lesion: as trained
    with the lesion removed. An honest network has no shortcut, so the first three are the same.
    """
    positive = model.card.classes.index(LESION)

    def answers(shortcuts: Sequence[str | None], *, lesion: bool = True) -> np.ndarray:
        pictures = [scene.picture(shortcut, lesion=lesion) for scene, shortcut in zip(scenes, shortcuts, strict=True)]
        return probabilities_of(model, map(image_of, pictures))[:, positive]

    planted = [known.shortcut if scene.planned.carries else None for scene in scenes]
    swapped = [None if scene.has_lesion else known.shortcut for scene in scenes]
    table = pd.DataFrame(
        {
            "case": [scene.name for scene in scenes],
            "has_lesion": [scene.has_lesion for scene in scenes],
            "carries": [bool(known.shortcut) and scene.planned.carries for scene in scenes],
            "as_trained": answers(planted),
            "no_lesion": answers(planted, lesion=False),
        }
    )
    table["without"] = answers([None] * len(scenes)) if known.shortcut else table.as_trained
    table["swapped"] = answers(swapped) if known.shortcut else table.as_trained
    return table


def cheats(table: pd.DataFrame) -> np.ndarray:
    """(n,) bool: the answer is "lesion" with the shortcut and "none" without it, all else alike."""
    return np.asarray(table.carries & (table.as_trained > 0.5) & (table.without <= 0.5))


def counterfactual_row(known: KnownNetwork, table: pd.DataFrame) -> dict[str, object]:
    """Accuracies over the scenes, and the share of lesions still called so after they were removed, each an :class:`Estimate` over patients."""
    truth = table.has_lesion.to_numpy()

    def accuracy(column: str) -> dict[str, object]:
        return _mean((table[column].to_numpy() > 0.5) == truth, table.case)

    removed = table[table.has_lesion]
    return {
        "network": known.name, "role": str(known.role), "shortcut": known.shortcut, "n": len(table),
        "as_trained": accuracy("as_trained"), "without": accuracy("without"), "swapped": accuracy("swapped"),
        "still_called_lesion": _mean(removed.no_lesion.to_numpy() > 0.5, removed.case),
        "cheats_on": int(cheats(table).sum()),
    }  # fmt: skip


def _mean(values: np.ndarray, groups: pd.Series) -> dict[str, object]:
    return mean_of(values, groups).model_dump()


def mean_of(values: np.ndarray, groups: pd.Series | np.ndarray) -> Estimate:
    """With its 95 % bootstrap interval over groups (patients); undefined where there is none."""
    if not len(values):
        return Estimate(value=None, low=None, high=None)
    return estimate(Resamples.of(np.asarray(groups)).mean(np.asarray(values, np.float64)))
