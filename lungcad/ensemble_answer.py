"""One call from bytes to what several networks say together, or one to turned pictures too."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from lungcad.answer import GatedAnswer, notes_of, warnings_of
from lungcad.evaluate.conformal import USUAL_LEVEL, PredictionSet, check_level
from lungcad.explain import PreparedInput
from lungcad.explain.neighbours import embed
from lungcad.gate import Decision, decide, together
from lungcad.imaging import CTImage, Scale, read_image
from lungcad.models import Prediction
from lungcad.models.ensemble import Ensemble
from lungcad.models.predict import calibrated, predict_batch
from lungcad.models.turned import quarter_turns


@dataclass(frozen=True, eq=False)
class EnsembleAnswer(GatedAnswer):
    """What several networks say together, each to so many quarter turns of the picture; prediction_set (none, for want of stored answers), gate (of the
    picture as it is), show_anyway, warnings and notes as in :class:`~lungcad.analysis.Analysis`.
    """

    prediction: Prediction
    warnings: tuple[str, ...]
    prediction_set: PredictionSet
    gate: Decision
    show_anyway: bool = False
    notes: tuple[str, ...] = ()
    turns: int = 1
    backend: str = "torch"

    def prediction_to_dict(self, model: str) -> dict[str, Any]:
        """Says how many turns it is the mean of, where there is more than one."""
        return super().prediction_to_dict(model) | ({"turns": self.turns} if self.turns > 1 else {})


def answer_together(
    source: bytes | str | Path | CTImage,
    ensemble: Ensemble,
    *,
    frame: int | None = None,
    scale: Scale | str = Scale.AUTO,
    show_anyway: bool = False,
    set_level: float = USUAL_LEVEL,
) -> EnsembleAnswer:
    """The ensemble's prediction of one slice, unexplained: a heat map belongs to one network. The members' gates decide together."""
    image = source if isinstance(source, CTImage) else read_image(source, frame=frame, scale=scale)
    probabilities, decisions = [], []
    for member in ensemble.members:
        prepared = PreparedInput.of(member, image)
        with torch.no_grad():
            straight = calibrated(member, member.network.classify(prepared.features)[0])[0].cpu()
        turned = [predict_batch(member, inputs)[0] for inputs in quarter_turns(prepared.inputs, ensemble.turns)[1:]]
        probabilities.append(torch.stack([straight, *turned]).mean(0))
        decisions.append(decide(image, member, embed(member, prepared.features)[0]))
    mean = torch.stack(probabilities).mean(0).tolist()
    decision = together(decisions)
    prediction = Prediction(dict(zip(ensemble.classes, mean, strict=True)))
    note = "A mean over networks or turns has no stored validation answers, so there is no set of classes."
    without_set = PredictionSet(None, check_level(set_level), note)
    return EnsembleAnswer(
        prediction,
        warnings_of(image, decision, [member.card for member in ensemble.members]),
        without_set,
        decision,
        show_anyway,
        notes_of(image),
        ensemble.turns,
        ",".join(dict.fromkeys(member.backend for member in ensemble.members)),
    )
