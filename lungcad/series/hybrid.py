"""A network of whole slices and one of crops around nodules, asked about the same place together."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from lungcad.analysis import Analysis, analyse
from lungcad.errors import ModelError
from lungcad.gate import sees_lungs
from lungcad.imaging.volume import CTVolume
from lungcad.models import ModelCard, TrainedModel
from lungcad.series.pooling import negative_class, suspicion_of

HOW = (
    "The mean of the two networks' log-odds, each weighing the same. The weights were set beforehand: there are no validation nodules here whose whole slices "
    "are at hand too, so nothing was chosen on any, and the number is not calibrated."
)
CLIP = 1e-4
"""No network is surer than that, so that neither alone decides."""


@dataclass(frozen=True)
class Hybrid:
    """Suspicion between 0 and 1: of the slice network for the place's slice, of the crop network for the place, and of both together."""

    slice_model: str
    slice_alone: float
    crop_alone: float
    together: float

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "slice_model": self.slice_model,
            "slice_alone": round(self.slice_alone, 4),
            "crop_alone": round(self.crop_alone, 4),
            "together": round(self.together, 4),
            "how": HOW,
            "calibrated": False,
        }


def check_slices(card: ModelCard) -> None:
    """Raises :class:`ModelError` for a network that cannot be the one of whole slices."""
    if not sees_lungs(card):
        raise ModelError(f"The network {card.name} does not read whole CT slices; choose one that does to go with a network of nodules.")


def hybrid(volume: CTVolume, crop: Analysis, crop_card: ModelCard, index: int, model: TrainedModel) -> Hybrid | None:
    """crop: answer of a crop network to a place of slice ``index``. model: of whole slices. None where a gate hides either answer, or a network has no class
    without a finding, so that its answer is no suspicion.
    """
    check_slices(model.card)
    if crop.is_hidden or negative_class(crop_card) is None or negative_class(model.card) is None:
        return None
    whole = analyse(volume.image(index), model, methods=[], show_anyway=crop.show_anyway)
    if whole.is_hidden:
        return None
    alone = [
        float(suspicion_of(card, np.array([list(answer.prediction.probabilities.values())]))[0])
        for card, answer in ((model.card, whole), (crop_card, crop))
    ]
    return Hybrid(model.card.name, alone[0], alone[1], pool(*alone))


def pool(*probabilities: float) -> float:
    """The logarithmic opinion pool of equal weights (Genest & Zidek, "Combining probability distributions", Statistical Science 1986)."""
    clipped = [min(max(probability, CLIP), 1 - CLIP) for probability in probabilities]
    return 1 / (1 + math.exp(-sum(math.log(p / (1 - p)) for p in clipped) / len(clipped)))
