"""Cheap numbers of a picture that tell kinds of pictures apart: its grey levels, its layout, its spectrum, its edges.

A network's last layer does not see them all: noise and small photographs lie close to nodule crops there.
"""

from functools import lru_cache

import cv2
import numpy as np

SIDE = 128
"""Pixels along a side of the copy that is looked at: the same numbers for every network's input, and fast."""
GRID = 8
"""Cells of the layout along a side."""
BANDS = 14
"""Rings of the power spectrum from the longest wave to the shortest."""
LEVELS = np.linspace(0, 1, 17)
"""Edges of the grey levels' bins."""


def statistics(seen: np.ndarray) -> np.ndarray:
    """Of what a network sees, grey (H, W) or colour (3, H, W) in [0, 1]: float32 (K,), finite for every picture.

    Grey levels (histogram, mean, deviation, share of black and of white); mean and deviation in 8×8 cells; the logarithm of the radially averaged power
    spectrum (Field, "Relations between the statistics of natural images and the response properties of cortical cells", JOSA A 1987); the size and the
    peakedness of differences at five scales; the directions of edges; noise by the median of the Laplacian (Immerkær, CVIU 1996); texture by rotation
    invariant uniform local binary patterns at two scales (Ojala et al., IEEE TPAMI 2002); of a coloured picture also
    mean and deviation of each colour and their correlation.
    """
    grey = np.ascontiguousarray(seen if seen.ndim == 2 else seen.mean(0), np.float32)
    if grey.shape != (SIDE, SIDE):
        how = cv2.INTER_AREA if min(grey.shape) >= SIDE else cv2.INTER_LINEAR
        grey = np.asarray(cv2.resize(grey, (SIDE, SIDE), interpolation=how), np.float32)
    parts = [_levels(grey), _layout(grey), _spectrum(grey), _differences(grey), _edges(grey), _patterns(grey), _patterns(cv2.pyrDown(grey))]
    if seen.ndim == 3:
        parts.append(_colours(seen))
    return np.concatenate(parts).astype(np.float32)


def _levels(grey: np.ndarray) -> np.ndarray:
    counts = np.histogram(grey, LEVELS)[0] / grey.size
    return np.array([*np.sqrt(counts), grey.mean(), grey.std(), (grey < 0.004).mean(), (grey > 0.996).mean()])


def _layout(grey: np.ndarray) -> np.ndarray:
    """Mean and standard deviation of each cell."""
    mean = cv2.resize(grey, (GRID, GRID), interpolation=cv2.INTER_AREA)
    square = cv2.resize(grey * grey, (GRID, GRID), interpolation=cv2.INTER_AREA)
    return np.concatenate([mean.ravel(), np.sqrt(np.maximum(square - mean * mean, 0)).ravel()])


def _spectrum(grey: np.ndarray) -> np.ndarray:
    """Logarithm of the share of the power in each ring, and of the whole; the window keeps the picture's edge out."""
    rows, columns = grey.shape
    window, ring = _rings(rows, columns)
    power = np.abs(np.fft.rfft2((grey - grey.mean()) * window)) ** 2
    in_ring = np.bincount(ring.ravel(), power.ravel(), BANDS + 1)[:BANDS]
    per_wave = in_ring / np.maximum(np.bincount(ring.ravel(), minlength=BANDS + 1)[:BANDS], 1)
    whole = power.mean()
    return np.append(np.log(per_wave / max(whole, 1e-6) + 1e-6), np.log(whole + 1e-3))


@lru_cache(maxsize=8)
def _rings(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    window = np.outer(np.hanning(rows), np.hanning(columns)).astype(np.float32)
    frequency = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(columns)[None])
    low = 1 / max(rows, columns)
    ring = np.floor(BANDS * np.log(np.maximum(frequency, low) / low) / np.log(0.5 / low)).astype(np.int64)
    return window, np.clip(ring, 0, BANDS)


def _differences(grey: np.ndarray) -> np.ndarray:
    """At each of five scales: the logarithm of the deviation of what the scale adds, and how peaked it is (logarithm of deviation over mean size)."""
    numbers = []
    for _ in range(5):
        smaller = cv2.pyrDown(grey)
        band = grey - cv2.pyrUp(smaller, dstsize=grey.shape[::-1])
        size, deviation = float(np.abs(band).mean()), float(band.std())
        numbers += [np.log(deviation + 1e-3), np.log((deviation + 1e-4) / (size + 1e-4))]
        grey = smaller
    return np.array(numbers)


def _edges(grey: np.ndarray) -> np.ndarray:
    """Shares of the edges' strength by direction (8), of strong edges, noise."""
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    size, angle = cv2.cartToPolar(across, down)
    by_direction = np.bincount((angle.ravel() * (8 / np.pi)).astype(np.int64) % 8, size.ravel(), 8)
    total = float(size.mean())
    laplacian = np.abs(cv2.Laplacian(grey, cv2.CV_32F))
    return np.array(
        [*by_direction / max(by_direction.sum(), 1e-6), np.log(total + 1e-3), (size > 0.5).mean(), np.log(np.median(laplacian) + 1e-3)]
    )


_AROUND = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))


def _patterns(grey: np.ndarray) -> np.ndarray:
    """Share of the pixels with each number of brighter neighbours (0 to 8) that stand together, and of those with scattered ones.

    A neighbour counts as brighter from two of 255 grey levels, so that a plain ground is told from noise.
    """
    middle = grey[1:-1, 1:-1] + np.float32(2 / 255)
    rows, columns = grey.shape
    brighter = np.stack([grey[1 + y : rows - 1 + y, 1 + x : columns - 1 + x] > middle for y, x in _AROUND])
    changes = (brighter != np.roll(brighter, 1, axis=0)).sum(0)
    number = np.where(changes <= 2, brighter.sum(0), 9)
    return np.sqrt(np.bincount(number.ravel(), minlength=10) / number.size)


def _colours(seen: np.ndarray) -> np.ndarray:
    flat = seen.reshape(3, -1).astype(np.float64)
    spread = flat.std(1)
    normed = (flat - flat.mean(1, keepdims=True)) / np.maximum(spread, 1e-3)[:, None]
    together = normed @ normed.T / flat.shape[1]
    opponent = np.stack([flat[0] - flat[1], (flat[0] + flat[1]) / 2 - flat[2]])
    deciles = np.quantile(opponent[:, ::7], [0.1, 0.5, 0.9], axis=1).ravel()
    return np.array([*flat.mean(1), *spread, together[0, 1], together[0, 2], together[1, 2], *deciles])
