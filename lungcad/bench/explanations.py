"""Entries about explanations: the batched engine against the libraries' own loops, and what a panel costs."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from pytorch_grad_cam.utils.image import scale_cam_image

from lungcad.bench import plain
from lungcad.bench.entry import Row, entry
from lungcad.bench.timing import baseline_model, example_slice, median_seconds, medians_in_turn, weights_of
from lungcad.explain import METHODS, Fill, Options, PreparedInput, explain
from lungcad.explain.cam import GRADIENT_METHODS, Formula, gradient_maps
from lungcad.explain.engine import masked_probabilities, replacement_grey
from lungcad.explain.trust import Subject, quick_checks
from lungcad.models import TrainedModel, create_model, features, predict_batch
from lungcad.models.weights import ready
from lungcad.preprocess import normalise

STEPS = 16
T = TypeVar("T")


@entry(seconds=15, in_short_set=True)
def cam_family_vs_forward(_: Path | None) -> Row:
    """Prediction with the dearest of the gradient methods' maps (``slowest``) against a forward pass alone (lower is better; aim: at most 1.3)."""
    model, image = baseline_model(), example_slice()
    scene = PreparedInput.of(model, image)

    def forward() -> None:
        with torch.no_grad():
            model.network.classify(features(model, scene.inputs))

    ratios = {}
    for name, formula in GRADIENT_METHODS.items():

        def mapped(formula: Formula = formula) -> None:
            seen = PreparedInput(scene.inputs, scene.grey, features(model, scene.inputs), scene.geometry)
            gradient_maps(model, seen, formula, [0])

        ratios[name] = medians_in_turn(mapped, forward, repeats=30)
    slowest = max(ratios, key=lambda name: ratios[name][0] / ratios[name][1])
    ours, other = ratios[slowest]
    return {"ours": ours * 1e3, "plain": other * 1e3, "ratio": ours / other, "unit": "ms", "slowest": slowest}


@entry(seconds=8, in_short_set=True)
def ten_classes_vs_forward(_: Path | None) -> Row:
    """Grad-CAM of ten classes with the prediction, against a forward pass alone (lower is better; aim: at most 2)."""
    card = baseline_model().card
    network = create_model(card.backbone, "none", 10)
    ten = ready(network, card.model_copy(update={"classes": tuple(map(str, range(10))), "bias": None}))
    scene = PreparedInput.of(baseline_model(), example_slice())
    inputs = scene.inputs

    def mapped() -> None:
        seen = PreparedInput(inputs, np.empty(0), features(ten, inputs), scene.geometry)
        gradient_maps(ten, seen, GRADIENT_METHODS["gradcam"], range(10))

    def forward() -> None:
        with torch.no_grad():
            ten.network.classify(features(ten, inputs))

    ours, other = medians_in_turn(mapped, forward, repeats=30)
    return {"ours": ours * 1e3, "plain": other * 1e3, "ratio": ours / other, "unit": "ms"}


@entry(seconds=100)
def scorecam_vs_plain(_: Path | None) -> Row:
    """Score-CAM in batches against grad-cam's own call, same network and input (higher is better; aim: at least 4)."""
    return library_row(baseline_model(), "scorecam")


@entry(seconds=10, in_short_set=True)
def ablationcam_vs_plain(_: Path | None) -> Row:
    """Ablation-CAM on the tail of the network against grad-cam's own call, same network and input (higher is better; aim: at least 4)."""
    return library_row(baseline_model(), "ablationcam")


@entry(seconds=25, in_short_set=True)
def occlusion_vs_plain(_: Path | None) -> Row:
    """Occlusion on the batched engine against Captum's own call, one window a forward pass (higher is better; aim: at least 4)."""
    return occlusion_row(baseline_model())


def occlusion_row(model: TrainedModel, options: Options = Options()) -> Row:
    """Of class 0, by both."""
    scene = PreparedInput.of(model, example_slice())
    ours_s, (ours, facts) = _timed(lambda: METHODS["occlusion"].compute(model, scene, 0, options, None))
    instead = normalise(torch.from_numpy(replacement_grey(scene.grey, Fill.MEAN))[None], model.card.preprocess).contiguous()
    plain_s, theirs = plain.in_fresh_process(
        plain.occlusion, weights_of(model), _input(scene), instead.numpy(), 0, int(facts["window"]), int(facts["stride"])
    )
    peak = float(np.abs(theirs).max())
    return {**_row(model, ours_s, plain_s, ours, theirs), "windows_tried": facts["windows_tried"], "largest_value": peak}


@entry(seconds=8, in_short_set=True)
def deletion_vs_plain(_: Path | None) -> Row:
    """A deletion curve of 16 steps on the batched engine against grad-cam's metric, one call a step (higher is better; aim: at least 4)."""
    model = baseline_model()
    scene = PreparedInput.of(model, example_slice())
    shape = scene.grey.shape[-2:]
    cam = np.random.default_rng(0).random(shape, dtype=np.float32)
    percentiles = [100 * (1 - step / (STEPS + 1)) for step in range(1, STEPS + 1)]
    masks = torch.from_numpy(np.stack([cam < np.percentile(cam, each) for each in percentiles]))
    instead = replacement_grey(scene.grey, Fill.BLUR)
    ours_s, ours = _timed(lambda: masked_probabilities(model, scene, masks, instead)[:, 0].numpy())
    other = normalise(torch.from_numpy(instead)[None], model.card.preprocess).contiguous().numpy()
    plain_s, theirs = plain.in_fresh_process(plain.deletion, weights_of(model), _input(scene), other, cam, 0, percentiles)
    return _row(model, ours_s, plain_s, ours, theirs)


@entry(seconds=15, in_short_set=True)
def cheap_trust_panel(_: Path | None) -> Row:
    """The trust panel's cheap checks of a Grad-CAM (faithfulness, anatomy, agreement, five stability samples), against the 3 s allowed (lower is better)."""
    model, image = baseline_model(), example_slice()
    scene = PreparedInput.of(model, image)
    cam = explain(model, scene, "gradcam", 0)
    seconds = median_seconds(lambda: list(quick_checks(Subject(model, image, "gradcam", 0), cam)), repeats=5)
    return {"ours": seconds, "plain": 3.0, "ratio": seconds / 3, "unit": "s", "precision": model.device.precision}


def library_row(model: TrainedModel, kind: str) -> Row:
    """The predicted class's map by both, clipped and stretched to the input as the library does."""
    scene = PreparedInput.of(model, example_slice())
    target = int(predict_batch(model, scene.inputs).argmax())
    ours_s, (ours, _) = _timed(lambda: METHODS[kind].compute(model, scene, target, Options(), None))
    plain_s, theirs = plain.in_fresh_process(plain.library_map, weights_of(model), kind, _input(scene), target)
    stretched = scale_cam_image(scale_cam_image(np.maximum(ours, 0)[None], theirs.shape[::-1]))[0]
    return _row(model, ours_s, plain_s, stretched, theirs)


def _row(model: TrainedModel, ours_s: float, plain_s: float, ours: np.ndarray, theirs: np.ndarray) -> Row:
    return {
        "ours": ours_s, "plain": plain_s, "ratio": plain_s / ours_s, "unit": "s", "max_difference": float(np.abs(ours - theirs).max()),
        "precision": model.device.precision,
    }  # fmt: skip


def _input(scene: PreparedInput) -> np.ndarray:
    return scene.inputs.contiguous().numpy()


def _timed(function: Callable[[], T]) -> tuple[float, T]:
    """(median seconds of three calls after one to warm up, what the last gave)."""
    function()
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        result = function()
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds)), result
