"""What every answer has, of one network or of several: it can be hidden, and says so in JSON."""

from typing import Any

from lungcad.evaluate.conformal import PredictionSet
from lungcad.gate import Decision
from lungcad.models import Prediction


class GatedAnswer:
    """prediction, prediction_set, gate, show_anyway, warnings: as in :class:`lungcad.analysis.Analysis`; the classes that hold them give them."""

    prediction: Prediction
    prediction_set: PredictionSet
    gate: Decision
    show_anyway: bool
    warnings: tuple[str, ...]

    @property
    def is_hidden(self) -> bool:
        """Whether the answer must not be shown: the gate declined it, and nobody asked for it all the same."""
        return self.gate.is_declined and not self.show_anyway

    @property
    def other_warnings(self) -> tuple[str, ...]:
        """The warnings without the gate's reasons, for those who show these by themselves."""
        return tuple(sentence for sentence in self.warnings if sentence not in self.gate.reasons)

    def answer_to_dict(self) -> dict[str, Any]:
        """The gate, the class, the probabilities and the set for JSON; null where the answer is hidden."""
        return {
            "gate": self.gate.to_dict(show_anyway=self.show_anyway),
            "class": None if self.is_hidden else self.prediction.label,
            "probabilities": None if self.is_hidden else self.prediction.probabilities,
            **self.prediction_set.to_dict(hidden=self.is_hidden),
        }
