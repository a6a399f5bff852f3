"""The entry about LIME: batched sampling against the library's own call."""

import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from scipy.stats import spearmanr

from lungcad.bench import plain
from lungcad.bench.entry import Row, entry
from lungcad.bench.timing import baseline_model, example_slice, weights_of
from lungcad.explain.attribution import Options, PreparedInput
from lungcad.explain.lime import lime, superpixels
from lungcad.preprocess import Geometry, to_grey


@entry(seconds=180)
def lime_vs_stock(_: Path | None) -> Row:
    """LIME with 1,000 samples against lime's own call with a plain per-batch classifier, same image and segments (higher is better; aim: at least 8)."""
    model, image, samples, seeds = baseline_model(), example_slice(), 1000, (0, 1, 2)
    grey, geometry = to_grey(image, model.card.preprocess)
    scene = PreparedInput(torch.empty(0), grey, torch.empty(0), geometry)
    segments = superpixels(grey)
    picture = np.repeat((image.grey() * 255).astype(np.uint8)[..., None], 3, axis=2)

    def ours(seed: int) -> np.ndarray:
        values = lime(model, scene, 0, Options(seed, samples))[0]
        return np.array([values[segments == segment][0] for segment in range(segments.max() + 1)])

    seconds, our_runs = [], []
    for seed in seeds:
        start = time.perf_counter()
        our_runs.append(ours(seed))
        seconds.append(time.perf_counter() - start)
    ours_s = float(np.median(seconds))
    plain_s, plain_runs = plain.in_fresh_process(
        plain.lime, weights_of(model), picture, geometry.box, on_whole_image(segments, geometry), samples, seeds
    )
    plain_runs = plain_runs[:, : segments.max() + 1]
    return {
        "ours": ours_s, "plain": plain_s, "ratio": plain_s / ours_s, "unit": "s", "segments": int(segments.max()) + 1,
        "spearman_between_seeds_ours": _stability(our_runs), "spearman_between_seeds_plain": _stability(plain_runs),
        "spearman_ours_with_plain": float(spearmanr(np.mean(our_runs, 0), np.mean(plain_runs, 0)).statistic),
    }  # fmt: skip


def on_whole_image(segments: np.ndarray, geometry: Geometry) -> np.ndarray:
    """The segments at the image's own resolution; what the network does not see is one more segment."""
    top, left, bottom, right = geometry.box
    rows, columns = geometry.original
    in_box = cv2.resize(segments.astype(np.int32), (right - left, bottom - top), interpolation=cv2.INTER_NEAREST_EXACT)
    return np.pad(in_box, ((top, rows - bottom), (left, columns - right)), constant_values=segments.max() + 1)


def _stability(runs: Sequence[np.ndarray] | np.ndarray) -> float:
    """Mean Spearman correlation of the segments' weights between seeds."""
    return float(np.mean([spearmanr(runs[i], runs[j]).statistic for i in range(len(runs)) for j in range(i)]))
