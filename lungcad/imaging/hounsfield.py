"""Are these numbers Hounsfield units? Recognition of a CT's values in files that do not say, and doubts about files that do."""

import numpy as np

AIR = -1000.0
LOWEST, HIGHEST = -1500.0, 31_743.0
"""No scanner gives values outside: below lies only padding, the upper end is the extended CT scale (16 bits at slope 1 or 30,710 at
slope 10).
"""
SWITCH = "ask for a grey picture (“Values are” on the page, --scale grey, scale=) if that is wrong"
"""How the user overrules what was recognised."""
OFFSETS = (1024.0, 32768.0, 8192.0, 2048.0, 3024.0, 31744.0)
"""What is usually added to put a CT into values without a sign; 8192 and 3024 as scanners with a wide scale have it."""
DENSEST_BONE = 2500.0
SATURATED = 0.005
"""Share of pixels at the very top from which a picture was cut off there by a display window."""
MAX_SAMPLED = 1 << 18


def sampled(values: np.ndarray, at_most: int = MAX_SAMPLED) -> np.ndarray:
    """At most about so many values, on a regular grid."""
    flat = values.ravel()
    return flat[:: max(flat.size // at_most, 1)]


def offset_of(values: np.ndarray) -> float | None:
    """What to add to integer or float values to get Hounsfield units; None where they do not look like a CT slice's.

    Signed values as they are; values without a sign less one of :data:`OFFSETS`.
    """
    sample = sampled(values).astype(np.float64)
    if not np.isfinite(sample).all() or (sample.max() <= 255 and sample.min() >= 0):
        return None
    if sample.min() < 0:
        return 0.0 if _has_air_and_tissue(sample, air=0.01, tissue=0.01) else None
    top = np.quantile(sample, 0.999)
    if np.mean(sample == top) > SATURATED:
        return None
    for offset in OFFSETS:
        hu = sample - offset
        if _has_air_and_tissue(hu, air=0.05, tissue=0.1) and _is_a_chest(hu):
            return -offset
    return None


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
    return air > 0.03 and lung > 0.02 and -110 < float(np.median(soft)) < 120 and near > 2 * max(above, below)


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
