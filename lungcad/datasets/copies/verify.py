"""Is it one picture? The second image is laid onto the first, and what both show is compared, down to its detail.

Broad structure is alike in all chests: the outline, the lungs and the spine of two patients correlate by 0.95 and more. So what counts is the fine
detail, of one to a few pixels: a copy keeps it through turning, compressing and brightening, the next slice of a patient keeps part of it,
another patient's has none of it.
"""

import cv2
import numpy as np

from lungcad.datasets.copies.keypoints import Keypoints
from lungcad.datasets.copies.pair import Alignment, Kind

COPY = 0.9
"""Correlation of the fine detail from which on two pictures are one."""
NEIGHBOUR = 0.55
"""Correlation of the fine detail from which on two slices are of one patient."""
MOST_TURN_OF_NEIGHBOURS = 5
"""Degrees: slices of one scan lie alike, and none is mirrored."""
MIN_OVERLAP = 0.3
"""Share of the smaller picture that both must show."""
MIN_INLIERS = 7
"""Keypoints that agree on one affine map, at least."""

_ALIKE = 0.85  # cosine of two keypoints' descriptors
_MOST_ZOOM, _MOST_STRETCH = 3.0, 1.8
_EVEN = 5  # grey levels within which a fill is even, after JPEG too
_FINE, _COARSE = 0.7, 2.0  # pixels: between these Gaussians lies the fine detail


def align(one: Keypoints, other: Keypoints) -> np.ndarray | None:
    """The affine map (2, 3) from pixels of the first to pixels of the other picture on which enough keypoints agree, or None."""
    if min(len(one.xy), len(other.xy)) < MIN_INLIERS:
        return None
    alike = _unit(one.descriptors) @ _unit(other.descriptors).T
    nearest, back = alike.argmax(1), alike.argmax(0)
    rows = np.arange(len(nearest))
    mutual = (back[nearest] == rows) & (alike[rows, nearest] > _ALIKE)
    if mutual.sum() < MIN_INLIERS:
        return None
    cv2.setRNGSeed(0)
    found, inliers = cv2.estimateAffine2D(
        one.xy[mutual], other.xy[nearest[mutual]], method=cv2.USAC_MAGSAC, ransacReprojThreshold=2, maxIters=2000, confidence=0.999
    )
    if found is None or inliers.sum() < MIN_INLIERS or not _is_plausible(found):
        return None
    return np.asarray(found, dtype=np.float64)


def identity(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The map that lays one whole picture on the whole other."""
    rows, columns = other.shape[0] / one.shape[0], other.shape[1] / one.shape[1]
    return np.array([[columns, 0, (columns - 1) / 2], [0, rows, (rows - 1) / 2]])


def compare(one: np.ndarray, other: np.ndarray, onto_other: np.ndarray, *, mirrored: bool = False) -> Alignment | None:
    """How alike two grey pictures (uint8) are where they overlap, the map refined first. None where they hardly overlap or are blank there.

    onto_other: affine (2, 3), from pixels of the first to pixels of the other. mirrored: the other was mirrored before; it is only noted.
    """
    scale = float(np.sqrt(abs(np.linalg.det(onto_other[:, :2]))))
    swapped = scale > 1  # the finer picture is laid onto the coarser: nothing is compared that only one of them can show
    fine, coarse = (other, one) if swapped else (one, other)
    onto_coarse = cv2.invertAffineTransform(onto_other) if swapped else onto_other
    shrink = min(scale, 1 / scale)
    smooth: np.ndarray = fine.astype(np.float32)
    if shrink < 0.8:
        smooth = cv2.GaussianBlur(smooth, (0, 0), 0.45 / shrink)
    target = coarse.astype(np.float32)
    shown = _shown(fine)
    onto_coarse = _refined(smooth, target, onto_coarse, shrink, shown)
    if not _is_plausible(onto_coarse):
        return None
    laid, mask = _laid(smooth, target.shape, onto_coarse, shown)
    shown_coarse = _shown(coarse)
    mask &= shown_coarse > 0
    area = min(float(shown.sum()) * abs(float(np.linalg.det(onto_coarse[:, :2]))), float(shown_coarse.sum()))
    overlap = float(mask.sum() / max(area, 1))
    if overlap < MIN_OVERLAP or mask.sum() < 400:
        return None
    correlation = _correlation(_detail(laid, mask), _detail(target, mask), mask)
    to_first = onto_coarse if swapped else cv2.invertAffineTransform(onto_coarse)
    angle = float(np.degrees(np.arctan2(to_first[1, 0] - to_first[0, 1], to_first[0, 0] + to_first[1, 1])))
    zoom = float(np.sqrt(abs(np.linalg.det(to_first[:, :2])))) * max(other.shape) / max(one.shape)
    return Alignment(mirrored, round(angle, 1), round(zoom, 3), round(min(overlap, 1.0), 3), round(correlation, 4))


def kind_of(alignment: Alignment | None) -> Kind | None:
    """None for two pictures that do not belong together."""
    if alignment is None or alignment.correlation < NEIGHBOUR:
        return None
    if alignment.correlation >= COPY:
        return Kind.COPY
    as_scanned = not alignment.mirrored and abs(alignment.angle) <= MOST_TURN_OF_NEIGHBOURS
    return Kind.NEIGHBOUR if as_scanned else None


def _unit(descriptors: np.ndarray) -> np.ndarray:
    vectors = descriptors.astype(np.float32)
    unit: np.ndarray = vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-6)
    return unit


def _is_plausible(affine: np.ndarray) -> bool:
    """Neither mirrored nor enlarged, reduced or stretched beyond what is looked for."""
    large, small = np.linalg.svd(affine[:, :2])[1]
    turned_over = np.linalg.det(affine[:, :2]) <= 0
    return bool(not turned_over and large < _MOST_ZOOM and small > 1 / _MOST_ZOOM and large / small < _MOST_STRETCH)


def _shown(grey: np.ndarray) -> np.ndarray:
    """uint8 mask (0, 1) of where the picture shows something: not in the even fill of its corners, as turning leaves behind, and a scanner's air."""
    rows, columns = grey.shape
    fill = np.zeros((rows + 2, columns + 2), np.uint8)
    for corner in ((0, 0), (columns - 1, 0), (0, rows - 1), (columns - 1, rows - 1)):
        if not fill[corner[1] + 1, corner[0] + 1]:
            cv2.floodFill(grey, fill, corner, 0, _EVEN, _EVEN, 4 | cv2.FLOODFILL_MASK_ONLY | cv2.FLOODFILL_FIXED_RANGE | (1 << 8))
    filled = cv2.dilate(fill[1:-1, 1:-1], np.ones((5, 5), np.uint8))
    return 1 - filled


def _refined(fine: np.ndarray, coarse: np.ndarray, affine: np.ndarray, shrink: float, shown: np.ndarray) -> np.ndarray:
    """The map to a fraction of a pixel (Evangelidis & Psarakis, "Parametric image alignment using enhanced correlation coefficient maximization",
    PAMI 2008); as it was where that does not converge."""
    back = cv2.invertAffineTransform(affine).astype(np.float32)
    try:
        criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 30, 1e-4)
        smooth_coarse, smooth_fine = cv2.GaussianBlur(coarse, (0, 0), 1), cv2.GaussianBlur(fine, (0, 0), 1 / shrink)
        _, refined = cv2.findTransformECC(smooth_coarse, smooth_fine, back, cv2.MOTION_AFFINE, criteria, shown, 5)
    except cv2.error:
        return affine
    return np.asarray(cv2.invertAffineTransform(np.asarray(refined, dtype=np.float64)))


def _laid(fine: np.ndarray, shape: tuple[int, ...], affine: np.ndarray, shown: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The finer picture in the grid of the coarser, and where it has values, two pixels from its border."""
    size = (shape[1], shape[0])
    laid = cv2.warpAffine(fine, affine, size, flags=cv2.INTER_LINEAR)
    inside = cv2.warpAffine(shown.astype(np.float32), affine, size) > 0.999
    return laid, cv2.erode(inside.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0


def _detail(picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """What a picture holds between the two Gaussians; outside the mask nothing counts."""
    weight = mask.astype(np.float32)
    coarse = cv2.GaussianBlur(picture * weight, (0, 0), _COARSE) / (cv2.GaussianBlur(weight, (0, 0), _COARSE) + 1e-6)
    detail: np.ndarray = cv2.GaussianBlur(picture, (0, 0), _FINE) - coarse
    return detail


def _correlation(one: np.ndarray, other: np.ndarray, mask: np.ndarray) -> float:
    a, b = one[mask] - one[mask].mean(), other[mask] - other[mask].mean()
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum() + 1e-9))
