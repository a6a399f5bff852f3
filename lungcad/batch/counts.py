"""How many images of a shard, or of a batch, have what was asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lungcad.gate.decision import Outcome


@dataclass(frozen=True)
class Counts:
    """How many images have an answer, were declined, and have a fault; they are all of them."""

    answered: int = 0
    declined: int = 0
    faults: int = 0

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Counts":
        """Of the image whose row it is."""
        if row.get("fault") is not None:
            return cls(faults=1)
        return cls(declined=1) if row["gate"] == Outcome.DECLINE else cls(answered=1)

    @property
    def images(self) -> int:
        """All of them."""
        return self.answered + self.declined + self.faults

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.answered + other.answered, self.declined + other.declined, self.faults + other.faults)
