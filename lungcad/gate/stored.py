"""What is fitted for one network, on disk: ``data/gate/NAME.npz``, bound to the weights."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lungcad.errors import ModelError
from lungcad.gate.decision import Finding
from lungcad.models import ModelCard
from lungcad.paths import GATE


@dataclass(frozen=True, eq=False)
class FittedGate:
    """weights_sha256: of the network that embeds."""

    weights_sha256: str

    @classmethod
    def read(cls, card: ModelCard, root: Path = GATE) -> "FittedGate":
        """The network's gate. Raises :class:`ModelError` where there is none, or where it was made with other weights."""
        raise ModelError(f"There is no gate of {card.name}; make it with 'python -m lungcad gate fit --model {card.name}'.")

    def compare(self, seen: np.ndarray, embedding: np.ndarray) -> tuple[list[Finding], dict[str, float]]:
        """What speaks against the image, and what was measured."""
        raise NotImplementedError
