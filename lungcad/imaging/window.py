"""CT display windows in Hounsfield units."""

import math
from dataclasses import dataclass

import numpy as np

from lungcad.errors import ImageError, lookup


@dataclass(frozen=True)
class Window:
    """A linear grey ramp: ``level`` is its centre and ``width`` its extent, both in HU."""

    level: float
    width: float
    name: str = "custom"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.level) and math.isfinite(self.width) and self.width > 0):
            raise ImageError(f"A window needs a finite level and a width above 0 HU, got {self.level} / {self.width}.")

    @classmethod
    def preset(cls, name: str) -> "Window":
        """The preset of that name; see :data:`PRESETS`."""
        return lookup(PRESETS, name, "window preset")

    def apply(self, hu: np.ndarray) -> np.ndarray:
        """Grey in [0, 1], float32 (DICOM PS3.3 C.11.2.1.3.2, LINEAR_EXACT)."""
        low = self.level - self.width / 2
        return np.asarray(np.clip((hu - np.float32(low)) / np.float32(self.width), 0, 1), dtype=np.float32)


PRESETS = {
    name: Window(level, width, name)
    for name, level, width in (
        ("lung", -600, 1500),
        ("mediastinum", 40, 400),
        ("bone", 400, 1800),
        ("soft tissue", 50, 350),
    )
}
"""Level and width as usual in radiology departments (Radiopaedia, "Windowing (CT)")."""
