"""Several networks that answer together, or one that answers to turned pictures too: the mean of their calibrated probabilities."""

from collections.abc import Sequence
from typing import Any

import torch

from lungcad.errors import ModelError
from lungcad.imaging import CTImage
from lungcad.models.predict import Prediction
from lungcad.models.turned import check_turns, predict_turned
from lungcad.models.weights import TrainedModel, load_model
from lungcad.preprocess import preprocess


class Ensemble:
    """Averages calibrated members (Lakshminarayanan et al., "Simple and scalable predictive uncertainty estimation", NeurIPS 2017).

    Each member sees the image as its own card says, turns: in so many quarter turns (:mod:`lungcad.models.turned`). Raises :class:`ModelError` when the
    members' classes differ, or one is there twice.
    """

    def __init__(self, members: Sequence[TrainedModel], *, turns: int = 1) -> None:
        if not members:
            raise ModelError("An ensemble needs at least one network.")
        for member in members[1:]:
            if member.card.classes != members[0].card.classes:
                raise ModelError(f"{member.card.name} has other classes than {members[0].card.name}; an ensemble needs the same.")
        names = [member.card.name for member in members]
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise ModelError(f"{twice} is named more than once, and would count more than the others; name each network once.")
        check_turns(turns, [member.card for member in members])
        self.members, self.turns = tuple(members), turns

    @classmethod
    def load(cls, names: str, *, turns: int = 1, **where: Any) -> "Ensemble":
        """The networks of a list of names with commas between; where: the keywords of :func:`~lungcad.models.weights.load_model`."""
        return cls([load_model(name.strip(), **where) for name in names.split(",")], turns=turns)

    @property
    def classes(self) -> tuple[str, ...]:
        """Of every member."""
        return self.members[0].card.classes

    def predict(self, image: CTImage) -> Prediction:
        """Mean over the members of their calibrated probabilities."""
        rows = [predict_turned(member, preprocess(image, member.card.preprocess)[0], self.turns)[0] for member in self.members]
        return Prediction(dict(zip(self.classes, torch.stack(rows).mean(0).tolist(), strict=True)))
