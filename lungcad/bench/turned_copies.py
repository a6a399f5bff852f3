"""An entry about copies: how many turned, mirrored, zoomed and cropped pictures the audit finds, by kind and strength."""

import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from lungcad.bench.entry import Row, entry
from lungcad.datasets import Case
from lungcad.datasets.copies import Kind, find_pairs
from lungcad.datasets.copies.candidates import BUDGET
from lungcad.datasets.duplicates import duplicate_pairs
from lungcad.datasets.fingerprint import fingerprints
from lungcad.imaging.phantom import make_phantom

SOURCES = 24
"""Phantoms of different patients, and as many made-up tissue tiles; every transform is done to a quarter of each."""

_BYTES_A_KEYPOINT = 128 + 128 + 8 + 4 + 4
"""Its descriptor twice (as a query, and in the index), its number, its image, its direction and size."""


def turned(grey: np.ndarray, degrees: float, zoom: float = 1.0) -> np.ndarray:
    """Turned anticlockwise about the middle and enlarged, corners black."""
    rows, columns = grey.shape
    affine = cv2.getRotationMatrix2D(((columns - 1) / 2, (rows - 1) / 2), degrees, zoom)
    smooth = cv2.GaussianBlur(grey, (0, 0), 0.45 / zoom) if zoom < 0.8 else grey
    return cv2.warpAffine(smooth, affine, (columns, rows), flags=cv2.INTER_LINEAR)


def cropped(grey: np.ndarray, share: float) -> np.ndarray:
    """A part of so many of the rows and columns, off the middle."""
    rows, columns = (int(side * share) for side in grey.shape)
    top, left = int(0.3 * (grey.shape[0] - rows)), int(0.6 * (grey.shape[1] - columns))
    return grey[top : top + rows, left : left + columns]


def compressed(grey: np.ndarray, quality: int) -> np.ndarray:
    """As a JPEG of that quality."""
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_GRAYSCALE))


def brighter(grey: np.ndarray, gain: float) -> np.ndarray:
    """Every value so many times."""
    return np.clip(grey * gain, 0, 255).astype(np.uint8)


TRANSFORMS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "turn_17": lambda grey: turned(grey, 17),
    "turn_90": lambda grey: np.ascontiguousarray(np.rot90(grey)),
    "turn_133": lambda grey: turned(grey, 133),
    "mirror": lambda grey: np.ascontiguousarray(grey[:, ::-1]),
    "zoom_0.5": lambda grey: turned(grey, 0, 0.5),
    "zoom_0.7": lambda grey: turned(grey, 0, 0.7),
    "zoom_1.5": lambda grey: turned(grey, 0, 1.5),
    "zoom_2": lambda grey: turned(grey, 0, 2),
    "crop_80": lambda grey: cropped(grey, 0.8),
    "crop_60": lambda grey: cropped(grey, 0.6),
    "brighter_1.25": lambda grey: brighter(grey, 1.25),
    "darker_0.6": lambda grey: brighter(grey, 0.6),
    "jpeg_50": lambda grey: compressed(grey, 50),
    "mirror_turn_40_zoom_1.3_jpeg_60": lambda grey: compressed(turned(np.ascontiguousarray(grey[:, ::-1]), 40, 1.3), 60),
}
"""Kind and strength -> what is done to a grey picture (uint8)."""


def tissue(seed: int, size: int = 224) -> np.ndarray:
    """A made-up tile: cells of a few sizes on an uneven ground, grey, uint8."""
    rng = np.random.default_rng(seed)
    tile = cv2.resize(rng.normal(0, 25, (8, 8)).astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC) + 190
    for _ in range(260):
        middle, axes = rng.integers(0, size, 2), rng.integers(2, 9, 2)
        cv2.ellipse(
            tile,
            tuple(map(int, middle)),
            tuple(map(int, axes)),
            float(rng.uniform(0, 180)),
            0,
            360,
            float(rng.uniform(40, 170)),
            -1,
            cv2.LINE_AA,
        )
    noisy = cv2.GaussianBlur(tile, (0, 0), 0.8) + rng.normal(0, 5, tile.shape)
    return np.asarray(np.clip(noisy, 0, 255), dtype=np.uint8)


def phantom(seed: int) -> np.ndarray:
    """A phantom patient's slice, grey, uint8."""
    return np.asarray(make_phantom(seed, size=256).image().grey() * 255).astype(np.uint8)


def write_copies(root: Path) -> tuple[list[Case], dict[tuple[int, int], str]]:
    """Writes the pictures as PNG files. Gives the cases, and the true pairs (first < second): how the second was made."""
    sources = [make(seed) for make in (phantom, tissue) for seed in range(SOURCES)]
    pictures, pairs = list(sources), {}
    for number, (name, change) in enumerate(TRANSFORMS.items()):
        for index in range(number % 4, len(sources), 4):
            pairs[index, len(pictures)] = name
            pictures.append(change(sources[index]))
    cases = []
    for index, picture in enumerate(pictures):
        cases.append(Case(f"{index}.png", root / f"{index}.png", "a", None))
        cv2.imwrite(str(cases[-1].path), picture)
    return cases, pairs


def same_source(pairs: dict[tuple[int, int], str]) -> set[tuple[int, int]]:
    """Every pair of pictures of one source: those of ``pairs``, and copies of one source among themselves."""
    of_source: dict[int, list[int]] = {}
    for source, copy in pairs:
        of_source.setdefault(source, [source]).append(copy)
    return {(one, other) for members in of_source.values() for one in members for other in members if one < other}


@entry(seconds=60)
def audit_turned_copies(_: Path | None) -> Row:
    """Share of copies (turned, mirrored, zoomed, cropped, brighter, compressed phantoms and tiles) that the audit calls copies, against perceptual hashes alone
    (higher is better; aim: at least 0.95). recall_…: by kind and strength; precision: of the pairs named; megabytes for 100,000 images: of the index of keypoints.
    """
    with tempfile.TemporaryDirectory() as temporary:
        cases, truth = write_copies(Path(temporary))
        prints = fingerprints(cases)
        start = time.perf_counter()
        pairs = find_pairs(cases, prints)
        seconds = time.perf_counter() - start
        hashed = {(int(i), int(j)) for i, j in duplicate_pairs([print_ for print_ in prints if print_ is not None])}
    named = {(pair.first, pair.second) for pair in pairs if pair.kind is Kind.COPY}
    possible = same_source(truth)
    recall = {f"recall_{name}": float(np.mean([pair in named for pair, kind in truth.items() if kind == name])) for name in TRANSFORMS}
    ours, other = (len(these & truth.keys()) / len(truth) for these in (named, hashed))
    return {
        "ours": ours, "plain": other, "ratio": ours / max(other, 1e-9), "unit": "share", "images": len(cases), "pairs_named": len(named),
        "precision": len(named & possible) / max(len(named), 1), "precision_of_hashes": len(hashed & possible) / max(len(hashed), 1),
        "images_per_second": len(cases) / seconds, "index_mb_at_100000": BUDGET * _BYTES_A_KEYPOINT / 1e6,
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, **recall,
    }  # fmt: skip
