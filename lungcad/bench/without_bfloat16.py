"""Entries in float32, as on a CPU without bfloat16: what another runtime than torch brings there, and LIME until its seeds agree."""

import time
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr

from lungcad.backends import BACKENDS, with_backend
from lungcad.bench import plain
from lungcad.bench.entry import Row, entry
from lungcad.bench.explanations import library_row, occlusion_row
from lungcad.bench.lime import on_whole_image
from lungcad.bench.stock_lime import stock_lime
from lungcad.bench.timing import baseline_model, example_slice, medians_in_turn, weights_of
from lungcad.device import plain_cpu
from lungcad.errors import LungcadError
from lungcad.explain import Options, PreparedInput
from lungcad.explain.lime import lime, superpixels
from lungcad.models import TrainedModel, load_model, predict_batch

BATCH = 32
SEEDS = (0, 1)
SIZES = tuple(range(100, 1001, 50))
AGREES = 0.9
"""Spearman correlation of the segments' weights between two seeds."""


@entry(seconds=60)
def single_answer_by_runtime(_: Path | None) -> Row:
    """One image through the fastest runtime against torch as lungcad runs it, both in float32 (lower is better; aim: at most 0.6)."""
    usual, others = _models()
    models = {"torch": usual, **others}
    many = torch.rand(BATCH, 3, *usual.card.preprocess.size)
    single = medians_in_turn(*(lambda model=model: predict_batch(model, many[:1]) for model in models.values()), repeats=30)
    batch = medians_in_turn(*(lambda model=model: predict_batch(model, many) for model in models.values()), repeats=7, warm=1)
    ms = dict(zip(models, (1e3 * seconds for seconds in single), strict=True))
    fastest = min(others, key=ms.__getitem__)
    return {
        "ours": ms[fastest], "plain": ms["torch"], "ratio": ms[fastest] / ms["torch"], "unit": "ms", "runtime": fastest, "precision": "float32",
        **{f"{name}_ms_of_one": round(ms[name], 2) for name in models},
        **{f"{name}_ms_each_in_a_batch_of_{BATCH}": round(1e3 * seconds / BATCH, 2) for name, seconds in zip(models, batch, strict=True)},
    }  # fmt: skip


@entry(seconds=60)
def occlusion_by_runtime(_: Path | None) -> Row:
    """Occlusion from coarse to fine, through the runtime that is fastest in batches, against Captum's own call, in float32 (higher is better; aim: at
    least 6). max_difference: of the maps, beside the largest_value of Captum's.
    """
    model = _fastest_in_batches()
    return {**occlusion_row(model, Options(coarse=True)), "runtime": model.backend}


@entry(seconds=120)
def scorecam_by_runtime(_: Path | None) -> Row:
    """Score-CAM through the runtime that is fastest in batches against grad-cam's own call, in float32 (higher is better; aim: at least 6)."""
    model = _fastest_in_batches()
    return {**library_row(model, "scorecam"), "runtime": model.backend}


@entry(seconds=150)
def lime_until_seeds_agree(_: Path | None) -> Row:
    """Processor seconds until two seeds of LIME rank the segments with a Spearman correlation of 0.9: with an early stop, through the runtime that is
    fastest in batches, in float32, against lime's own call with as few samples (100 to 1,000) as agree so (higher is better; aim: at least 8).
    """
    model, image = _fastest_in_batches(), example_slice()
    prepared = PreparedInput.of(model, image)
    segments = superpixels(prepared.grey)
    seconds, runs, samples = [], [], []
    for seed in SEEDS:
        start = time.process_time()
        values, facts = lime(model, prepared, 0, Options(seed, max(SIZES), steady=AGREES))
        seconds.append(time.process_time() - start)
        samples.append(facts["samples"])
        runs.append(np.array([values[segments == segment][0] for segment in range(segments.max() + 1)]))
    picture = np.repeat((image.grey() * 255).astype(np.uint8)[..., None], 3, axis=2)
    stock = [
        plain.in_fresh_process(
            stock_lime, weights_of(model), picture, prepared.geometry.box, on_whole_image(segments, prepared.geometry), SIZES, seed
        )
        for seed in SEEDS
    ]
    shown = segments.max() + 1  # what the network does not see is one more segment
    first, second = (weights for _seconds, weights in stock)
    agreement = [float(spearmanr(one[:shown], other[:shown]).statistic) for one, other in zip(first, second, strict=True)]
    enough = next((index for index, r in enumerate(agreement) if r >= AGREES), len(SIZES) - 1)
    ours, other = float(np.mean(seconds)), float(np.mean([times[enough] for times, _weights in stock]))
    return {
        "ours": ours, "plain": other, "ratio": other / ours, "unit": "s", "runtime": model.backend, "samples": float(np.mean(samples)),
        "spearman_between_seeds": float(spearmanr(runs[0], runs[1]).statistic), "plain_samples": SIZES[enough],
        "plain_spearman_between_seeds": agreement[enough],
    }  # fmt: skip


def _models() -> tuple[TrainedModel, dict[str, TrainedModel]]:
    """The usual network in float32, and in each runtime that is installed."""
    usual = load_model(baseline_model().card.name, device=plain_cpu())
    others = {name: with_backend(usual, name) for name, backend in BACKENDS.items() if backend.is_installed and backend.is_exact}
    if not others:
        raise LungcadError("No other runtime than torch is installed; run: pip install 'lungcad[export]'.")
    return usual, others


def _fastest_in_batches() -> TrainedModel:
    usual, others = _models()
    models, many = [usual, *others.values()], torch.rand(BATCH, 3, *usual.card.preprocess.size)
    seconds = medians_in_turn(*(lambda model=model: predict_batch(model, many) for model in models), repeats=5, warm=1)
    return models[int(np.argmin(seconds))]
