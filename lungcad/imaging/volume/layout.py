"""Where a stack's slices lie along their normal, and the regular grid that they are laid on."""

from dataclasses import dataclass

import numpy as np

from lungcad.errors import ImageError
from lungcad.imaging.remarks import Remarks

SAME_PLACE_MM = 0.05
"""Slices nearer than this lie at one place."""
JITTER = 0.25
"""Of the step: how far off a regular grid every slice may lie and still be on it. Headers round positions."""
REPORTED_JITTER = 0.02
MULTIPLE = 0.12
"""Of the step: how far a gap may be from a whole number of steps to count as missing slices."""
MOST_MISSING = 0.25
"""Share of the grid above which missing slices are not filled in."""
MAX_GAP_MM = 30.0


@dataclass(frozen=True, eq=False)
class Layout:
    """at: for each slot of the grid the place among the sorted slices, fractions between two of them. first, step: of the grid, mm along the normal."""

    at: np.ndarray
    first: float
    step: float
    is_resampled: bool = False

    def nearest(self, slot: int, positions: np.ndarray) -> int | None:
        """The acquired slice that a slot shows, None where none lies within half a step."""
        index = int(np.rint(self.at[slot]))
        off = abs(positions[index] - (self.first + slot * self.step))
        return index if off <= 0.5 * self.step * (1 - 1e-6) else None


def layout_of(positions: np.ndarray, remarks: Remarks) -> Layout:
    """The grid for slices at those sorted positions (mm along the normal), with what the user must know about gaps and odd spacing.

    Regular spacing stays as it is; missing slices are filled in between their neighbours; changing spacing is resampled to its median.
    Raises :class:`ImageError` where so much is missing that a picture of it would be made up.
    """
    steps = np.diff(positions)
    if len(positions) < 2 or steps.min() <= SAME_PLACE_MM:
        raise ImageError("Several slices lie at one place, so the spacing between slices is zero; export the series again.")
    n, mean = len(positions), float(positions[-1] - positions[0]) / (len(positions) - 1)
    off = np.abs(positions - (positions[0] + mean * np.arange(n))).max()
    if off <= JITTER * mean:
        if off > REPORTED_JITTER * mean:
            remarks.note(
                f"The spacing between slices varies from {steps.min():.2f} to {steps.max():.2f} mm; they were laid {mean:.2f} mm apart."
            )
        return Layout(np.arange(n, dtype=float), float(positions[0]), mean)
    if steps.max() > MAX_GAP_MM and steps.max() > 3 * np.median(steps):
        raise ImageError(
            f"The series has a gap of {steps.max():.0f} mm between slices that lie {np.median(steps):.1f} mm apart; too much is missing to show it "
            "as one volume. Export it again, whole."
        )
    return _with_gaps(positions, steps, remarks) or _resampled(positions, steps, remarks)


def _with_gaps(positions: np.ndarray, steps: np.ndarray, remarks: Remarks) -> Layout | None:
    """Every distance a whole number of the usual step: slices are missing."""
    usual = float(np.median(steps))
    multiples = np.rint(steps / usual).astype(int)
    missing = int((multiples - 1).sum())
    slots = np.concatenate([[0], np.cumsum(multiples)])
    if multiples.min() < 1 or np.abs(steps / usual - multiples).max() > MULTIPLE or missing > MOST_MISSING * (slots[-1] + 1):
        return None
    step = float(np.polyfit(slots, positions, 1)[0])
    gaps = int((multiples > 1).sum())
    where = ", ".join(f"{positions[i]:.1f} to {positions[i + 1]:.1f} mm" for i in np.flatnonzero(multiples > 1)[:3])
    remarks.warn(
        f"{missing} slice{'s are' if missing > 1 else ' is'} missing in {gaps} place{'s' * (gaps > 1)} ({where}{', …' * (gaps > 3)}); what is shown there "
        "is interpolated between the neighbours, and no network reads it."
    )
    return Layout(np.interp(np.arange(slots[-1] + 1), slots, np.arange(len(positions))), float(positions[0]), step)


def _resampled(positions: np.ndarray, steps: np.ndarray, remarks: Remarks) -> Layout:
    step = float(np.median(steps))
    n = int(np.floor((positions[-1] - positions[0]) / step + 1e-6)) + 1
    at = np.interp(positions[0] + step * np.arange(n), positions, np.arange(len(positions)))
    remarks.warn(
        f"The slices lie from {steps.min():.2f} to {steps.max():.2f} mm apart; the volume was resampled to {step:.2f} mm, so most slices are interpolated "
        "between two acquired ones."
    )
    return Layout(at, float(positions[0]), step, is_resampled=True)
