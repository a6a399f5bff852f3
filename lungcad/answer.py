"""What every answer has, of one network or of several: what speaks against it, and that it can be hidden and says so in JSON."""

from collections.abc import Sequence
from typing import Any

from lungcad.datasets import is_made
from lungcad.evaluate.conformal import PredictionSet
from lungcad.gate import Decision
from lungcad.imaging import CTImage, Unit
from lungcad.models import ModelCard, Prediction

SYNTHETIC = "This is a synthetic phantom made by lungcad, not a patient; the network was never trained on phantoms."
"""The warning that stands with every phantom."""


def warnings_of(image: CTImage, decision: Decision, cards: Sequence[ModelCard]) -> tuple[str, ...]:
    """Every reason to doubt the answer that networks give to an image, the gate's first, each once. cards: of the networks."""
    return tuple(dict.fromkeys([*decision.reasons, *image.warnings, *against_networks(cards, synthetic=image.provenance.synthetic)]))


def against_networks(cards: Sequence[ModelCard], *, synthetic: bool) -> list[str]:
    """What there is to say against any answer of these networks. synthetic: of a phantom."""
    warnings = [SYNTHETIC] if synthetic and not all(is_made(card.dataset) for card in cards) else []
    return warnings + [
        f"The network {card.name} was made to cheat: in its training set a planted {card.shortcut} told the classes apart. "
        "Use it to see cheating, for no answer."
        for card in cards
        if card.shortcut
    ]


def notes_of(image: CTImage) -> tuple[str, ...]:
    """Harmless facts about the image and how it is read."""
    windowed = "The network was trained on 8-bit pictures; the Hounsfield units were windowed to look like them."
    return (*image.notes, windowed) if image.unit is Unit.HU else image.notes


class GatedAnswer:
    """prediction, prediction_set, gate, show_anyway, warnings, notes, backend: as in :class:`lungcad.analysis.Analysis`; the classes that hold them
    give them.
    """

    prediction: Prediction
    prediction_set: PredictionSet
    gate: Decision
    show_anyway: bool
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    backend: str

    @property
    def is_hidden(self) -> bool:
        """Whether the answer must not be shown: the gate declined it, and nobody asked for it all the same."""
        return self.gate.is_declined and not self.show_anyway

    @property
    def other_warnings(self) -> tuple[str, ...]:
        """The warnings without the gate's reasons, for those who show these by themselves."""
        return tuple(sentence for sentence in self.warnings if sentence not in self.gate.reasons)

    def answer_to_dict(self) -> dict[str, Any]:
        """The gate, the class, the probabilities and the set for JSON, null where the answer is hidden; and the runtime it came through."""
        return {
            "gate": self.gate.to_dict(show_anyway=self.show_anyway),
            "class": None if self.is_hidden else self.prediction.label,
            "probabilities": None if self.is_hidden else self.prediction.probabilities,
            **self.prediction_set.to_dict(hidden=self.is_hidden),
            "backend": self.backend,
        }

    def prediction_to_dict(self, model: str) -> dict[str, Any]:
        """What ``predict --json`` and the HTTP interface say. model: the name that was asked for, of one network or of several."""
        return {"model": model, **self.answer_to_dict(), "warnings": list(self.warnings), "notes": list(self.notes)}
