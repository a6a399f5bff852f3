"""Are these numbers Hounsfield units? Recognition of a CT's values in files that do not say, and doubts about files that do."""

from collections.abc import Iterator

import numpy as np

AIR = -1000.0
LOWEST, HIGHEST = -1500.0, 31_743.0
"""No scanner gives values outside: below lies only padding, the upper end is the extended CT scale (16 bits at slope 1 or 30,710 at
slope 10).
"""
SWITCH = "ask for a grey picture (“Values are” on the page, --scale grey, scale=) if that is wrong"
"""How the user overrules what was recognised."""
POWERS = tuple(float(1 << power) for power in range(10, 16))
USUAL_OFFSETS = (*POWERS, *(1000.0 * k for k in range(1, 33)), 3024.0, 31744.0)
"""What is usually added to put a CT into values without a sign: a power of two, round thousands; 3024 and 31744 as scanners with a wide scale have it."""
NEAR_USUAL, NEAR_POWER = 12.0, 64.0
"""Hounsfield units between the offset that air tells and a usual one, up to which that one is meant: half of what lies between 1000 and 1024; and, where none
is so near, up to which a power of two is.
"""
WHOLE_SLICE = 256
"""Pixels of a side from which a picture is taken for a whole slice, with fat, muscle and air around; smaller ones may be crops."""
LIFTED = 256
"""Least value from which a file's numbers are taken to have been moved up by some offset, be it an unusual one."""
DENSEST_BONE = 2500.0
SATURATED = 0.005
"""Share of pixels at the very top, the largest number of some bits, from which a picture was cut off there by a display window."""
MAX_SAMPLED = 1 << 18
AIR_SHARE = 0.03
"""Of a slice, at least, is air in and around the patient."""
_TOGETHER = 120.0  # Hounsfield units: air with its noise


def sampled(values: np.ndarray, at_most: int = MAX_SAMPLED) -> np.ndarray:
    """At most about so many values, on a regular grid."""
    flat = values.ravel()
    return flat[:: max(flat.size // at_most, 1)]


def offset_of(values: np.ndarray, *, is_crop: bool = False) -> float | None:
    """What to add to integer or float values to get Hounsfield units; None where they do not look like a CT slice's.

    Signed values as they are; others less what their air tells, where tissue then lies where it should: one of :data:`USUAL_OFFSETS`, or, near none of
    them, a number to within a few Hounsfield units (:func:`is_usual`). is_crop: whether they may be a part of a slice without air around.
    """
    sample = sampled(values).astype(np.float64)
    if not np.isfinite(sample).all() or (sample.max() <= 255 and sample.min() >= 0):
        return None
    if sample.min() < 0 and (_has_air_and_tissue(sample, air=0.01, tissue=0.01) or _is_part_of_lung(sample, is_crop=is_crop)):
        return 0.0
    offset = _offset_by_air(sample)
    if offset not in USUAL_OFFSETS and (of_crop := _offset_of_crop(sample, is_crop=is_crop)) is not None:
        return -of_crop
    if offset is None or (offset not in USUAL_OFFSETS and sample.min() < LIFTED):  # as the values of any display begin
        return None
    return -offset


def possible_offset(values: np.ndarray) -> float | None:
    """What would have to be added to values, in which :func:`offset_of` recognises no Hounsfield units, for air and tissue to lie where they should."""
    sample = sampled(values).astype(np.float64)
    if not np.isfinite(sample).all() or (sample.max() <= 255 and sample.min() >= 0):
        return None
    offset = _offset_by_air(sample)
    return None if offset is None else -offset


def _offset_by_air(sample: np.ndarray) -> float | None:
    """What was added to Hounsfield units, by where air lies in a chest; None where the values are laid out otherwise, or cut off by a display."""
    top = np.quantile(sample, 0.999)
    if top > 0 and np.mean(sample == top) > SATURATED and np.log2(top + 1).is_integer():
        return None
    for level in _levels(sample):
        offset = _meant(level - AIR)
        hu = sample - offset
        if _has_air_and_tissue(hu, air=0.05, tissue=0.1) and _is_a_chest(hu):
            return offset
    return None


def _offset_of_crop(sample: np.ndarray, *, is_crop: bool) -> float | None:
    """What was added to the Hounsfield units of a small part of a lung, which holds no air of the surroundings to measure it at; None for anything else.

    2**10, which 1000 cannot be told from, where lung and soft tissue have their peaks where they should; 2**15 also where nearly all is lung or tissue, as
    nothing else fills so little of 16 bits just there.
    """
    if sample.min() < 0 or np.log2(float(sample.max()) + 1).is_integer():
        return None
    if is_crop and _is_of_lung(sample - 1024) and _has_lung_and_tissue(sample - 1024):
        return 1024.0
    return 32768.0 if _is_part_of_lung(sample - 32768, is_crop=is_crop) else None


def _is_part_of_lung(hu: np.ndarray, *, is_crop: bool) -> bool:
    """Lung with whatever else in a crop; lung alone anywhere, as no whole slice shows it."""
    return _is_of_lung(hu) and (is_crop or float(np.mean(hu > -500)) < AIR_SHARE)


def _is_of_lung(hu: np.ndarray) -> bool:
    """Whether all values are a CT's, a good part of them lung's."""
    low, high = np.quantile(hu, [0.001, 0.999])
    return bool(low > -1100 and high < 3100 and np.mean((hu > -1000) & (hu < -650)) >= 0.2)


def _has_lung_and_tissue(hu: np.ndarray) -> bool:
    lung, soft = hu[(hu > -1000) & (hu < -600)], hu[(hu > -160) & (hu < 160)]
    between = float(np.mean((hu > -600) & (hu < -160)))
    return bool(
        soft.size >= 0.03 * hu.size
        and -960 < float(np.median(lung)) < -740
        and -80 < float(np.median(soft)) < 100
        and between < (lung.size + soft.size) / hu.size / 2
        and np.mean(hu < -1010) < 0.01
        and np.mean(np.abs(hu - np.median(soft)) < 60) > np.mean(np.abs(hu + 380) < 60)
    )


def _meant(offset: float) -> float:
    for offsets, near in ((USUAL_OFFSETS, NEAR_USUAL), (POWERS, NEAR_POWER)):
        usual = min(offsets, key=lambda each: abs(each - offset))
        if abs(usual - offset) <= near:
            return usual
    return float(round(offset))


def is_usual(offset: float) -> bool:
    """Whether what :func:`offset_of` gives is one that is meant, not one that was only measured at the air."""
    return offset == 0 or -offset in USUAL_OFFSETS


def _levels(sample: np.ndarray) -> Iterator[float]:
    """Where many values lie close together, from the lowest up: air is one of these. Medians, which noise does not move, though it be cut off below."""
    low = float(sample.min())
    high = min(float(np.quantile(sample, 0.999)), low + 65536)
    bins = np.arange(low, max(high, low + _TOGETHER) + _TOGETHER, _TOGETHER / 12)
    shares = np.convolve(np.histogram(sample, bins)[0] / sample.size, np.ones(12), "same")
    peaks = []
    while shares.max() > AIR_SHARE:
        peaks.append(int(shares.argmax()))
        shares[max(peaks[-1] - 12, 0) : peaks[-1] + 13] = 0
    for at in sorted(peaks):
        yield float(np.median(sample[np.abs(sample - bins[at]) <= _TOGETHER / 2]))


def _has_air_and_tissue(hu: np.ndarray, *, air: float, tissue: float) -> bool:
    inside = hu[(hu >= -1200) & (hu <= 3200)]
    if inside.size < 0.2 * hu.size or np.mean(hu > 3200) > 0.01 or np.quantile(hu, 0.999) > HIGHEST:
        return False
    outside = hu[hu < -1200]
    if outside.size and np.ptp(outside) > 0.01 * outside.size and np.unique(outside).size > 3:  # padding is one value or two, not a spread
        return False
    return bool(np.mean(inside < -600) >= air and np.mean((inside > -200) & (inside < 300)) >= tissue)


def _is_a_chest(hu: np.ndarray) -> bool:
    """Air, lung and soft tissue each where a scanner puts them: a picture of some window, in 10 to 12 bits, has them elsewhere, or cut
    off.
    """
    soft = hu[(hu > -200) & (hu < 300)]
    near, above, below = (float(np.mean(mask)) for mask in (np.abs(hu) <= 150, (hu > 450) & (hu <= 750), (hu > -600) & (hu <= -300)))
    air, lung = float(np.mean((hu > -1060) & (hu < -930))), float(np.mean((hu > -950) & (hu < -600)))
    return air > AIR_SHARE and lung > 0.02 and -110 < float(np.median(soft)) < 120 and near > 2 * max(above, below)


_SCALE_LOST = "the Hounsfield scale is probably lost, and the window shows the wrong tissue; do not trust the answer."


def doubt(hu: np.ndarray) -> str | None:
    """Why values that are said to be Hounsfield units are probably none; None where they can be."""
    sample = sampled(hu, 1 << 16)
    low, upper, high = np.quantile(sample, [0.005, 0.9, 0.995])
    if low > -500:
        return f"No value is like air (the lowest are about {low:.0f} HU): {_SCALE_LOST}"
    if high < -250:
        return f"No value is like tissue (the highest are about {high:.0f} HU): {_SCALE_LOST}"
    if upper > DENSEST_BONE:
        return f"A tenth of the values are above dense bone's ({upper:.0f} HU and more): {_SCALE_LOST}"
    if high > 300 and np.mean((sample > -200) & (sample < 300)) < 0.005:
        return f"No value is like soft tissue (-200 to 300 HU), although the highest are about {high:.0f} HU: {_SCALE_LOST}"
    return None


def doubt_behind(hu: np.ndarray) -> str | None:
    """The same for values without what fills the corners: that alone may be like air, before a picture whose lowest values are far above it."""
    if not hu.size or np.quantile(sampled(hu, 1 << 16), 0.75) < 300:
        return None
    return doubt(hu)
