"""Entries about a network: its forward pass, a prediction with its map, memory over many."""

from pathlib import Path

import numpy as np
import psutil
import torch

from lungcad.analysis import analyse
from lungcad.bench import plain
from lungcad.bench.entry import Row, entry
from lungcad.bench.timing import baseline_model, example_slice, median_seconds, medians_in_turn, weights_of
from lungcad.explain.attribution import Options, PreparedInput
from lungcad.explain.cam import gradcam
from lungcad.models import features
from lungcad.models.predict import calibrated
from lungcad.preprocess import preprocess


@entry(seconds=20, in_short_set=True)
def forward_vs_default(_: Path | None) -> Row:
    """EfficientNet-Lite0, batch of 32: as lungcad runs it against torch's defaults (higher is better)."""
    model = baseline_model()
    inputs = torch.rand(32, 3, *model.card.preprocess.size)
    ours = 32 / median_seconds(lambda: features(model, inputs), repeats=9)
    other = 32 / plain.in_fresh_process(plain.forward_seconds, weights_of(model), 32, 9)
    return {"ours": ours, "plain": other, "ratio": ours / other, "unit": "images/s", "precision": model.device.precision}


@entry(seconds=20, in_short_set=True)
def gradcam_vs_forward(_: Path | None) -> Row:
    """Prediction with Grad-CAM on the original pixels against a forward pass alone, same network and precision (lower is better; aim: at most 1.3)."""
    model = baseline_model()
    inputs, geometry = preprocess(example_slice(), model.card.preprocess)

    def explained() -> None:
        scene = PreparedInput(inputs, np.empty(0), features(model, inputs), geometry)
        with torch.no_grad():
            calibrated(model, model.network.classify(scene.features)[0])
        geometry.to_original(gradcam(model, scene, 0, Options())[0])

    def forward() -> None:
        with torch.no_grad():
            model.network.classify(features(model, inputs))

    ours_s, forward_s = medians_in_turn(explained, forward, repeats=60)
    library_s, library_forward_s = plain.in_fresh_process(plain.gradcam_and_forward_seconds, weights_of(model), 20)
    return {
        "ours": ours_s * 1e3, "plain": forward_s * 1e3, "ratio": ours_s / forward_s, "unit": "ms",
        "library_call_vs_its_forward": library_s / library_forward_s,
    }  # fmt: skip


@entry(seconds=15, in_short_set=True)
def memory_of_200_explanations(_: Path | None) -> Row:
    """Growth of resident memory over 200 explanations after 20 to warm up, against the 50 MB allowed (lower is better)."""
    model, image, process = baseline_model(), example_slice(), psutil.Process()
    for _warm in range(20):
        analyse(image, model)
    before = process.memory_info().rss
    for _explained in range(200):
        analyse(image, model)
    grown = max(process.memory_info().rss - before, 0) / 1e6
    hooks = sum(len(module._forward_hooks) + len(module._backward_hooks) for module in model.network.modules())
    return {"ours": grown, "plain": 50.0, "ratio": grown / 50, "unit": "MB", "hooks_left": hooks}
