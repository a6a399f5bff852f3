"""Where synthetic slices are painted: organs as ellipses, in millimetres from the middle."""

import numpy as np


class Canvas:
    """A square slice full of air. hu: float64 (size, size). down, right: mm of every pixel's middle from the slice's."""

    def __init__(self, size: int, field_mm: float, value: float = -1000.0) -> None:
        self.spacing = field_mm / size
        self.axis = (np.arange(size) + 0.5) * self.spacing - field_mm / 2
        self.down, self.right = np.meshgrid(self.axis, self.axis, indexing="ij")
        self.hu = np.full((size, size), float(value))

    def inside(self, cy: float, cx: float, ry: float, rx: float, *, angle: float = 0.0, power: float = 2.0) -> np.ndarray:
        """Coverage in [0, 1] of a (super-)ellipse, its edge one pixel wide. angle: degrees."""
        cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        reach = np.hypot(ry, rx) * (1 + self.spacing / min(ry, rx))  # nothing is covered farther away
        first_row, last_row, first_column, last_column = np.searchsorted(self.axis, [cy - reach, cy + reach, cx - reach, cx + reach])
        box = np.s_[first_row:last_row, first_column:last_column]
        y, x = self.down[box] - cy, self.right[box] - cx
        u, v = np.abs((cos * y + sin * x) / ry), np.abs((cos * x - sin * y) / rx)
        radius = (u**power + v**power) ** (1 / power)
        coverage = np.zeros(self.hu.shape)
        coverage[box] = np.clip((1 - radius) * min(ry, rx) / self.spacing + 0.5, 0, 1)
        return coverage

    def paint(self, coverage: np.ndarray, value: float) -> None:
        """Lay a tissue over what is there."""
        np.copyto(self.hu, self.hu + coverage * (value - self.hu))
