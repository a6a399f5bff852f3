"""How a network's slices are pooled, and how that was chosen: read from ``data/series/pooling.json``, which ``python -m lungcad
volume-pooling`` writes for networks of phantoms.
"""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pydantic
from pydantic import PositiveInt

from lungcad.datasets import is_made
from lungcad.errors import LungcadError
from lungcad.estimate import Estimate
from lungcad.models import ModelCard
from lungcad.paths import SERIES
from lungcad.series.pooling import POOLINGS, USUAL, negative_class
from lungcad.stored_json import Stored

FILE = "pooling.json"


@dataclass(frozen=True)
class ChosenPooling:
    """name: of :data:`~lungcad.series.pooling.POOLINGS`. how_chosen: a sentence for the user. slope, offset: of the logit of the pooled
    suspicion, fitted on validation series (Platt, 1999); None where there are none, and the pooled number is not calibrated.
    """

    name: str
    how_chosen: str
    slope: float | None = None
    offset: float = 0.0

    @property
    def is_calibrated(self) -> bool:
        """Whether the pooled probabilities were calibrated on series."""
        return self.slope is not None

    def calibrate(self, card: ModelCard, probabilities: np.ndarray) -> np.ndarray:
        """Pooled probabilities (K,) -> calibrated ones; as they are where nothing was fitted."""
        negative = negative_class(card)
        if self.slope is None or negative is None:
            return probabilities
        suspicion = float(np.clip(1 - probabilities[negative], 1e-6, 1 - 1e-6))
        wanted = 1 / (1 + np.exp(-(self.slope * np.log(suspicion / (1 - suspicion)) + self.offset)))
        scaled = probabilities * (wanted / suspicion)
        scaled[negative] = 1 - wanted
        return np.asarray(scaled)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"name": self.name, "what": POOLINGS[self.name].what, "how_chosen": self.how_chosen, "calibrated": self.is_calibrated}


class _Parts(Stored):
    valid: Estimate
    test: Estimate


class _Brier(Stored):
    after: Estimate


class _LesionsFound(Stored):
    n: PositiveInt
    positions: PositiveInt
    share: Estimate


class _Choice(Stored):
    weights_sha256: str
    pooling: str
    auc: dict[str, _Parts]
    brier_test: _Brier
    lesions_found_test: _LesionsFound
    n_valid: PositiveInt
    n_test: PositiveInt
    slope: float
    offset: float

    @pydantic.model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.pooling not in self.auc or self.lesions_found_test.share.value is None:
            raise ValueError("the pooling's AUC or the share of lesions found is missing")
        return self


class _Choices(Stored):
    networks: dict[str, _Choice]


NOT_CHOSEN = (
    "There are no validation series with a known answer for this network, so the pooling was set beforehand and its result is not calibrated for series: "
    "each slice's probabilities are."
)
NOT_YET_CHOSEN = (
    "For these weights no pooling was chosen on validation phantom volumes (python -m lungcad volume-pooling --models {name} does), so it was set beforehand and "
    "its result is not calibrated for series: each slice's probabilities are."
)


def pooling_of(card: ModelCard) -> ChosenPooling:
    """The pooling chosen for these weights, or the usual one, which says that nothing was chosen, and why."""
    stored = stored_choices(SERIES / FILE).get(card.name)
    if stored is None or stored["weights_sha256"] != card.sha256 or stored["pooling"] not in POOLINGS:
        return ChosenPooling(USUAL, NOT_YET_CHOSEN.format(name=card.name) if is_made(card.dataset) else NOT_CHOSEN)
    name, lesions = stored["pooling"], stored["lesions_found_test"]
    n_found = round(lesions["share"]["value"] * lesions["n"])
    auc, brier = stored["auc"][name], stored["brier_test"]
    sentence = (
        f"Chosen on {stored['n_valid']} validation phantom volumes ({POOLINGS[name].what}: AUC {Estimate(**auc['valid'])}) and calibrated on them. On "
        f"{stored['n_test']} test volumes: AUC {Estimate(**auc['test'])}, Brier score {Estimate(**brier['after'])}; {n_found} of "
        f"{lesions['n']} lesions lie under one of the first {lesions['positions']} positions ({Estimate(**lesions['share'])})."
    )
    return ChosenPooling(name, sentence, float(stored["slope"]), float(stored["offset"]))


@functools.cache
def stored_choices(path: Path) -> dict[str, Any]:
    """Of each network what :func:`~lungcad.series.choose_pooling.choose` gave; empty where there is no such file.

    Raises :class:`LungcadError` for a damaged one: that nothing was chosen would not be true.
    """
    if not path.is_file():
        return {}
    facts = _Choices.read(path, f"{path.name} in data/series", "remove it and run 'python -m lungcad volume-pooling'", LungcadError)
    return dict(facts["networks"])
