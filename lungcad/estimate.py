"""A number with its interval, as cards, runs and pages show it."""

from lungcad.schema import Schema


class Estimate(Schema):
    """A metric with its 95 % interval; None where it is not defined (one class only, say)."""

    value: float | None
    low: float | None
    high: float | None

    def __str__(self) -> str:
        """``0.944 [0.908, 0.974]``, or a dash where it is not defined."""
        return "–" if self.value is None else f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"
