"""One answer to a picture and to its quarter turns: their mean (test-time augmentation; Krizhevsky et al., NeurIPS 2012, section 4.1, with crops)."""

from collections.abc import Iterable

import torch
from torch import Tensor

from lungcad.datasets import DATASETS
from lungcad.errors import ModelError
from lungcad.models.card import ModelCard
from lungcad.models.predict import predict_batch
from lungcad.models.weights import TrainedModel

ALL_TURNS = 4
TURNS = (1, ALL_TURNS)
"""How many quarter turns an answer may be the mean of: the picture as it is, or all four."""


def quarter_turns(inputs: Tensor, turns: int = ALL_TURNS) -> list[Tensor]:
    """Inputs (N, C, H, W) turned by 0, 90, … degrees, counterclockwise."""
    return [torch.rot90(inputs, turn, (2, 3)) for turn in range(turns)]


def predict_turned(model: TrainedModel, inputs: Tensor, turns: int = ALL_TURNS) -> Tensor:
    """Mean over the turns of the calibrated probabilities (N, K), float32, on the CPU."""
    return torch.stack([predict_batch(model, turned) for turned in quarter_turns(inputs, turns)]).mean(0)


def check_turns(turns: int, cards: Iterable[ModelCard]) -> None:
    """Raises :class:`ModelError` for a number that is not in :data:`TURNS`, and for a network of pictures that have an up and a left."""
    if turns not in TURNS:
        raise ModelError(
            f"{turns} is no number of quarter turns that lungcad averages; choose {TURNS[0]} (the picture as it is) or {TURNS[1]}."
        )
    for card in cards if turns > 1 else ():
        dataset = DATASETS.get(card.dataset)
        if dataset is None or dataset.is_of_slices:
            raise ModelError(
                f"{card.name} was trained on whole slices, which have an up and a left: a turned one is none of its kind. "
                "Ask for turns of a network of nodule crops or of tissue tiles."
            )
