"""The lung field of a slice, by thresholds and morphology, with a word on how far to trust it.

The steps are those of Hu, Hoffman & Reinhardt, "Automatic lung segmentation for accurate quantitation of volumetric X-ray CT images", IEEE
TMI 2001, on one slice: air outside the body, a threshold between air and tissue inside it, the airways out, holes and bays (vessels,
nodules on the wall) in.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from lungcad.imaging.image import CTImage, Unit

SIDE = 256
"""Lungs are sought on a copy whose longer side has so many pixels: the same at every resolution, and fast."""


@dataclass(frozen=True, eq=False)
class LungField:
    """Bool masks on the image's grid.

    lungs, body, border: lung field, filled body outline, and a band of about 3 % of the image's side along the outline, from skin to ribs.
    text: burnt-in letters and marks outside the body. confidence: 0 (no lungs found) to 1; doubts: why it is not 1, one sentence each.
    """

    lungs: np.ndarray
    body: np.ndarray
    border: np.ndarray
    text: np.ndarray
    confidence: float
    doubts: tuple[str, ...]


def lung_field(image: CTImage) -> LungField:
    """Hounsfield images by the fixed limit of -400 HU between lung and tissue, 8-bit pictures (of any window) by Otsu's threshold inside
    the body.
    """
    grey = np.clip((image.pixels + 1024) / 1424, 0, 1) if image.unit is Unit.HU else image.grey()  # -1024 to 400 HU
    rows, columns = grey.shape
    scale = min(1.0, SIDE / max(rows, columns))
    small = cv2.resize(grey.astype(np.float32), (max(round(columns * scale), 8), max(round(rows * scale), 8)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (3, 3), 0)
    air = (1024 - 400) / 1424 if image.unit is Unit.HU else None
    body, closed = _body(small, air)
    lungs = _lungs(small, body, air)
    border = body & ~_morph(cv2.MORPH_ERODE, body, max(round(0.03 * max(small.shape)), 1))
    doubts = _doubts(lungs, body, closed)
    lung_mask, body_mask, border_mask, text_mask = (
        cv2.resize(mask.astype(np.uint8), (columns, rows), interpolation=cv2.INTER_NEAREST) > 0
        for mask in (lungs, body, border & ~lungs, _text(small, body))
    )
    confidence = max(1 - 0.6 * len(doubts), 0.0) if lungs.any() else 0.0
    return LungField(lung_mask, body_mask, border_mask, text_mask, confidence, doubts)


def _body(grey: np.ndarray, air: float | None) -> tuple[np.ndarray, bool]:
    """(mask, whether its outline was closed): the largest bright region with its holes filled.

    At the first limit at which it is closed and leaves little that is bright outside: in a narrow window fat is nearly as dark as air.
    """
    limits = [air] if air is not None else [min(_otsu(grey), 0.35), 0.2, 0.1, 0.05]
    hulls = []
    for limit in limits:
        bright = _morph(cv2.MORPH_OPEN, grey > limit, 2)
        body = _largest(bright)
        filled, hull = _filled(body), _hull(body)
        if filled.sum() >= 0.8 * hull.sum() and (bright & ~filled).sum() <= 0.15 * filled.sum():
            return filled, True
        hulls.append(hull)
    # never closed: skin missing at the picture's edge, or too thin. Without the hull the lungs would count as outside
    return max((hull for hull in hulls if hull.mean() < 0.97), key=np.sum, default=hulls[0]), False


def _hull(mask: np.ndarray) -> np.ndarray:
    hull = np.zeros(mask.shape, dtype=np.uint8)
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if contours:
        cv2.fillPoly(hull, [cv2.convexHull(max(contours, key=cv2.contourArea))], 1)
    return hull > 0


def _lungs(grey: np.ndarray, body: np.ndarray, air: float | None) -> np.ndarray:
    if not body.any():
        return np.zeros_like(body)
    inner = _morph(cv2.MORPH_ERODE, body, max(round(0.02 * max(grey.shape)), 1))  # without the soft edge of the skin
    values = grey[inner] if inner.any() else grey[body]
    if values.max() - values.min() < 0.05:
        return np.zeros_like(body)
    dark = inner & (grey < (air if air is not None else _otsu(values)))
    dark = _morph(cv2.MORPH_OPEN, dark, 1)
    count, labels, stats, centres = cv2.connectedComponentsWithStats(dark.astype(np.uint8), connectivity=4)
    area = body.sum()
    middle = np.argwhere(body).mean(0)[1]
    half = max(np.ptp(np.argwhere(body)[:, 1]) / 2, 1)
    lungs = np.zeros_like(body)
    for index in sorted(range(1, count), key=lambda i: -stats[i, cv2.CC_STAT_AREA])[:4]:
        share = stats[index, cv2.CC_STAT_AREA] / area
        is_airway = share < 0.03 and abs(centres[index][0] - middle) < 0.2 * half
        if share > 0.01 and not is_airway:
            component = _morph(cv2.MORPH_CLOSE, labels == index, max(round(0.03 * max(grey.shape)), 1))
            lungs |= _filled(component)
    return np.asarray(lungs & body)


def _doubts(lungs: np.ndarray, body: np.ndarray, closed: bool) -> tuple[str, ...]:
    if not lungs.any():
        return ("No lungs were found in this image.",)
    share = lungs.sum() / max(body.sum(), 1)
    doubts = [] if closed else ["The body's outline is open, so lung and outside may be confused."]
    if not 0.12 <= share <= 0.75:
        doubts.append(f"The lungs take {share:.0%} of the body, which is unusual for a chest slice.")
    if body.mean() > 0.97:
        doubts.append("The body fills the whole picture, so its outline is unknown.")
    middle = np.argwhere(body).mean(0)[1]
    left = lungs[:, : int(middle)].sum() / lungs.sum()
    if not 0.15 <= left <= 0.85:
        doubts.append("Nearly all of the lung field lies on one side.")
    return tuple(doubts)


def _text(grey: np.ndarray, body: np.ndarray) -> np.ndarray:
    """Bright marks of a letter's size well outside the body; the table is longer."""
    around = _morph(cv2.MORPH_DILATE, body, 4)
    marks = (grey > 0.5) & ~around
    count, labels, stats, _ = cv2.connectedComponentsWithStats(marks.astype(np.uint8), connectivity=8)
    letter = 0.08 * max(grey.shape)
    small = [i for i in range(1, count) if max(stats[i, cv2.CC_STAT_WIDTH], stats[i, cv2.CC_STAT_HEIGHT]) < letter]
    return _morph(cv2.MORPH_DILATE, np.isin(labels, small), 1) if small else np.zeros_like(body)


def _otsu(values: np.ndarray) -> float:
    """The threshold that parts the values best (Otsu, IEEE Trans. SMC 1979), in 256 bins; scikit-image's takes a second to import."""
    if values.max() <= values.min():
        return float(values.max())
    counts, edges = np.histogram(values, 256)
    centres = (edges[1:] + edges[:-1]) / 2
    below, above = np.cumsum(counts), np.cumsum(counts[::-1])[::-1]
    mean_below = np.cumsum(counts * centres) / np.maximum(below, 1)
    mean_above = np.cumsum((counts * centres)[::-1])[::-1] / np.maximum(above, 1)
    return float(centres[np.argmax(below[:-1] * above[1:] * (mean_below[:-1] - mean_above[1:]) ** 2)])


def _largest(mask: np.ndarray) -> np.ndarray:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    return labels == 1 + stats[1:, cv2.CC_STAT_AREA].argmax() if count > 1 else np.zeros_like(mask)


def _filled(mask: np.ndarray) -> np.ndarray:
    """The mask with everything that it encloses."""
    _, labels = cv2.connectedComponents(np.pad(~mask, 1, constant_values=True).astype(np.uint8), connectivity=4)
    return np.asarray(labels != labels[0, 0])[1:-1, 1:-1]


def _morph(operation: int, mask: np.ndarray, radius: int) -> np.ndarray:
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return cv2.morphologyEx(mask.astype(np.uint8), operation, disc, borderType=cv2.BORDER_REPLICATE) > 0
