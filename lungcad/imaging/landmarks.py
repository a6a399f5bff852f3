"""Air and muscle as landmarks of the Hounsfield scale: where a slice has them tells whether its values are shifted."""

import numpy as np

from lungcad.imaging.hounsfield import HIGHEST, LOWEST, SWITCH, WHOLE_SLICE, doubt, sampled

PLACE_OF_AIR = (-1030.0, -975.0)
"""Hounsfield units between which air is found; a file that is cut off at -1024 may have it there."""
FAT, MUSCLE, ENHANCED = (-145.0, -70.0), (15.0, 85.0), (85.0, 500.0)
"""Hounsfield units between which fat, muscle with plain blood, and blood with contrast have their most frequent values."""
_DARKEST_TISSUE, _SOFT = -600.0, (-300.0, 500.0)
_BODY, _BODY_SHARE = (-400.0, 2000.0), 0.05
"""Hounsfield units of the body without lung; share of the pixels that it has at least in a slice in which fat or muscle must be."""
_BIN, _BINS_TOGETHER = 5.0, 7
_LEAST = 0.03
_SECOND = 0.2
"""Of the most frequent value's share, that of a second tissue."""
_AIR, _PLAUSIBLE = -1000.0, 45.0
"""Hounsfield units of air, and by how much a scanner's may lie off it."""
_LUNG = -960.0
"""Hounsfield units from which the lowest frequent value of a crop may be lung's, which fills its corners as air does those of a slice."""
_CORNER = 8  # pixels
_ALIKE, _EVEN = 25.0, 40.0  # Hounsfield units: between the medians of corners that show air, and the median deviation from them


def shifted(hu: np.ndarray, filled: np.ndarray) -> str | None:
    """Why values that were recognised as Hounsfield units are probably shifted by some constant; None where air or muscle lie as they should, and where
    neither is there to tell, as in a crop.

    hu: float, (rows, columns). filled: bool mask of what fills the corners, which may be padding or air.
    """
    inside = hu[~filled & (hu >= LOWEST) & (hu <= HIGHEST)]
    if not inside.size:
        return None
    sample = sampled(inside)
    lowest = min(float(sample.min()), float(hu[filled & (hu >= LOWEST)].min(initial=np.inf)))
    cut_off = bool(np.mean(sampled(hu) == lowest) >= _LEAST)
    air = _air(sample)
    if air is None:
        return doubt(sample) if filled.any() and np.quantile(sample, 0.005) > -500 else None
    too_low = air < PLACE_OF_AIR[0]
    if air > _LUNG and _is_of_lung(hu, sample):
        return None
    if not cut_off and not too_low and (air <= PLACE_OF_AIR[1] or not _is_around(hu, filled, air)):
        return None
    tissue = sample[(sample > _SOFT[0]) & (sample < _SOFT[1])]
    soft = _peaks(tissue, *_SOFT, at_least=0.3)
    placed = _any(soft, MUSCLE) and all(_any([at], FAT, MUSCLE, ENHANCED) for at in soft)
    if placed and not too_low and (air <= PLACE_OF_AIR[1] or _any(soft[-1:], MUSCLE)):
        return None
    return (
        f"What looks like air lies at {air:.0f} HU and tissue most often at {' and '.join(f'{at:.0f}' for at in soft) or 'no one value of'} HU (it should be "
        f"-1000 for air, -100 for fat, 50 for muscle): all values are probably shifted by a number that the file does not tell; {SWITCH}."
    )


def misplaced_tissue(hu: np.ndarray) -> str | None:
    """Why the scale that a file gives is probably wrong: what is most frequent in the body is neither fat nor muscle. None where it is, and in a crop, which
    may hold neither.

    hu: (rows, columns), or (slices, rows, columns).
    """
    if min(hu.shape[-2:]) < WHOLE_SLICE:
        return None
    sample = sampled(hu, 1 << 16)
    tissue = sample[(sample > _BODY[0]) & (sample < _BODY[1])]
    if tissue.size < _BODY_SHARE * sample.size:
        return None
    frequent = _peaks(tissue, *_BODY, at_least=0.5)
    if not frequent or (_any(frequent[:1], FAT, MUSCLE) and not _are_all_moved(sample, tissue)):
        return None
    return (
        f"Tissue is most often at {' and '.join(f'{at:.0f}' for at in frequent[:3])} HU, but fat should be near -100 and muscle near 50: the scale that the file "
        "gives (slope and intercept) is probably wrong; compare its values with the original's."
    )


def _are_all_moved(sample: np.ndarray, tissue: np.ndarray) -> bool:
    """Whether air, fat and muscle lie off their places by one and the same number, so that one of them takes the place of another."""
    peaks = _peaks(tissue, *_BODY, at_least=_SECOND)
    air = _air(sample)
    if air is None or abs(air - _AIR) <= _PLAUSIBLE or (_any(peaks, FAT) and _any(peaks, MUSCLE)):
        return False
    moved = [at - (air - _AIR) for at in peaks]
    return _any(moved, FAT) and _any(moved, MUSCLE)


def _air(sample: np.ndarray) -> float | None:
    """The lowest of the most frequent values below tissue's; None where nothing is."""
    peaks = _peaks(sample[sample < _DARKEST_TISSUE], LOWEST - 100, _DARKEST_TISSUE, at_least=0.25)
    peaks = [at for at in peaks if np.mean(np.abs(sample - at) <= 30) >= _LEAST]
    return float(np.median(sample[np.abs(sample - peaks[0]) <= 40])) if peaks else None


def may_be_crop(values: np.ndarray) -> bool:
    """Whether a picture is too small for a whole slice, and its corners do not show the same, as those of a slice show air."""
    if min(values.shape) < 2 * _CORNER or min(values.shape) >= WHOLE_SLICE:
        return False
    ends = slice(_CORNER), slice(-_CORNER, None)
    corners = np.array([values[rows, columns].ravel() for rows in ends for columns in ends], dtype=np.float64)
    middles = np.median(corners, axis=1)
    spreads = np.median(np.abs(corners - middles[:, None]), axis=1)
    alike = (np.abs(middles[:, None] - middles) <= _ALIKE) & (spreads <= _EVEN)
    return bool(alike.sum(axis=1).max() < 3)


def _is_of_lung(hu: np.ndarray, sample: np.ndarray) -> bool:
    """Whether what looks like air is lung: of a picture without soft tissue, or of a crop with it where it should be."""
    soft = sample[(sample > -200) & (sample < 300)]
    return soft.size < _LEAST * sample.size or (may_be_crop(hu) and -80 < float(np.median(soft)) < 100)


def _is_around(hu: np.ndarray, filled: np.ndarray, air: float) -> bool:
    """Whether air (or padding) fills at least three corners, as it does around a patient; the lowest values of a crop without air are lung's, and rarely do."""
    like = filled | (np.abs(hu - air) <= 60)
    ends = slice(_CORNER), slice(-_CORNER, None)
    return sum(float(like[rows, columns].mean()) >= 0.5 for rows in ends for columns in ends) >= 3


def _any(values: list[float], *ranges: tuple[float, float]) -> bool:
    return any(low <= value <= high for value in values for low, high in ranges)


def _peaks(values: np.ndarray, low: float, high: float, *, at_least: float) -> list[float]:
    """Most frequent values, each the largest around it and at least that share of the largest of all, from the lowest up."""
    counts = np.histogram(values, np.arange(low, high + _BIN, _BIN))[0].astype(np.float64)
    smooth = np.convolve(counts, np.hanning(_BINS_TOGETHER + 2)[1:-1], "same")
    around = np.lib.stride_tricks.sliding_window_view(np.pad(smooth, 6), 13).max(axis=1)
    at = np.flatnonzero((smooth == around) & (smooth >= at_least * max(float(smooth.max()), 1e-9)))
    return [float(low + (index + 0.5) * _BIN) for index in at]
