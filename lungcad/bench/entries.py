"""The entries of the benchmark: each times lungcad here and the plain call in a fresh process, one after the other."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import psutil
import torch
from scipy.stats import spearmanr

from lungcad.analysis import analyse
from lungcad.bench import plain
from lungcad.datasets import CHEST_CT_SCAN, Split, of_split
from lungcad.device import best_device
from lungcad.errors import LungcadError, lookup
from lungcad.evaluate.folder import evaluate_folder
from lungcad.explain.attribution import Options, PreparedInput
from lungcad.explain.cam import gradcam
from lungcad.explain.lime import lime, superpixels
from lungcad.imaging import CTImage, read_image
from lungcad.imaging.phantom import PICTURE_WINDOW, Edge, Lesion, make_phantom
from lungcad.models import TrainedModel, create_model, features, list_cards, load_model
from lungcad.models.predict import calibrated
from lungcad.paths import WEIGHTS
from lungcad.preprocess import preprocess, to_grey
from lungcad.train.data import plain_parts, read_images
from lungcad.train.depthwise import speed_up_depthwise
from lungcad.train.recipe import Recipe
from lungcad.train.run import fit

Row = dict[str, float | str]
ENTRIES: dict[str, Callable[[Path | None], Row]] = {}


def entry(function: Callable[[Path | None], Row]) -> Callable[[Path | None], Row]:
    """Decorator: put a measurement into :data:`ENTRIES` under its own name."""
    ENTRIES[function.__name__] = function
    return function


def run(only: str | None = None, *, data: Path | None = None, on_progress: Callable[[int, int], None] | None = None) -> list[Row]:
    """Every entry, or the one named: a list of ``{"name", "ours", "plain", "ratio", "unit"}`` with extra facts.

    data: folder of Chest CT-Scan; without it phantoms are evaluated.
    """
    if data is not None and not data.is_dir():
        raise LungcadError(f"There is no folder {str(data)!r}; give the folder of Chest CT-Scan.")
    chosen = {only: lookup(ENTRIES, only, "benchmark")} if only else ENTRIES
    rows = []
    for done, (name, function) in enumerate(chosen.items()):
        if on_progress:
            on_progress(done, len(chosen))
        rows.append({"name": name, **function(data)})
    return rows


def table(rows: list[Row]) -> str:
    """Markdown table of a run."""
    lines = ["| entry | ours | plain | ratio | what is measured |", "|---|---|---|---|---|"]
    for row in rows:
        lines.append(
            f"| `{row['name']}` | {row['ours']:.3g} {row['unit']} | {row['plain']:.3g} {row['unit']} | {row['ratio']:.2f} | {ENTRIES[row['name']].__doc__} |"
        )
    return "\n".join(lines)


@entry
def forward_vs_default(_: Path | None) -> Row:
    """EfficientNet-Lite0, batch of 32: as lungcad runs it against torch's defaults (higher is better)."""
    model = _model()
    inputs = torch.rand(32, 3, *model.card.preprocess.size)
    ours = 32 / _median(lambda: features(model, inputs), repeats=9)
    other = 32 / plain.in_fresh_process(plain.forward_seconds, _weights(model), 32, 9)
    return {"ours": ours, "plain": other, "ratio": ours / other, "unit": "images/s", "precision": model.device.precision}


@entry
def gradcam_vs_forward(_: Path | None) -> Row:
    """Prediction with Grad-CAM on the original pixels against a forward pass alone, same network and precision (lower is better; aim: at most 1.3)."""
    model = _model()
    inputs, geometry = preprocess(_slice(), model.card.preprocess)

    def explained() -> None:
        scene = PreparedInput(inputs, np.empty(0), features(model, inputs), geometry)
        with torch.no_grad():
            calibrated(model, model.network.classify(scene.features)[0])
        geometry.to_original(gradcam(model, scene, 0, Options())[0])

    def forward() -> None:
        with torch.no_grad():
            model.network.classify(features(model, inputs))

    ours_s, forward_s = _medians_in_turn(explained, forward, repeats=60)
    library_s, library_forward_s = plain.in_fresh_process(plain.gradcam_and_forward_seconds, _weights(model), 20)
    return {
        "ours": ours_s * 1e3, "plain": forward_s * 1e3, "ratio": ours_s / forward_s, "unit": "ms",
        "library_call_vs_its_forward": library_s / library_forward_s,
    }  # fmt: skip


@entry
def lime_vs_stock(_: Path | None) -> Row:
    """LIME with 1,000 samples against lime's own call with a plain per-batch classifier, same image and segments (higher is better; aim: at least 8)."""
    model, image, samples, seeds = _model(), _slice(), 1000, (0, 1, 2)
    grey, geometry = to_grey(image, model.card.preprocess)
    scene = PreparedInput(torch.empty(0), grey, torch.empty(0), geometry)
    segments = superpixels(grey)
    picture = np.repeat((image.grey() * 255).astype(np.uint8)[..., None], 3, axis=2)

    def ours(seed: int) -> np.ndarray:
        values = lime(model, scene, 0, Options(seed, samples))[0]
        return np.array([values[segments == each][0] for each in range(segments.max() + 1)])

    seconds, our_runs = [], []
    for seed in seeds:
        start = time.perf_counter()
        our_runs.append(ours(seed))
        seconds.append(time.perf_counter() - start)
    ours_s = float(np.median(seconds))
    plain_s, plain_runs = plain.in_fresh_process(
        plain.lime, _weights(model), picture, geometry.box, _on_whole_image(segments, geometry), samples, seeds
    )
    plain_runs = plain_runs[:, : segments.max() + 1]
    return {
        "ours": ours_s, "plain": plain_s, "ratio": plain_s / ours_s, "unit": "s", "segments": int(segments.max()) + 1,
        "spearman_between_seeds_ours": _stability(our_runs), "spearman_between_seeds_plain": _stability(plain_runs),
        "spearman_ours_with_plain": float(spearmanr(np.mean(our_runs, 0), np.mean(plain_runs, 0)).statistic),
    }  # fmt: skip


@entry
def evaluate_vs_plain_loop(data: Path | None) -> Row:
    """Evaluating a folder against a loop of one image at a time with PIL and torchvision (higher is better; aim: at least 4)."""
    model = _model()
    with tempfile.TemporaryDirectory() as temporary:
        folder = data or _phantom_folder(Path(temporary), model)
        paths = [case.path for case in of_split(CHEST_CT_SCAN.read(folder), Split.TEST)]
        evaluate_folder(model, folder, CHEST_CT_SCAN.name)  # both sides with a warm file cache
        ours = float(np.median([evaluate_folder(model, folder, CHEST_CT_SCAN.name).images_per_second for _ in range(3)]))
        other = plain.in_fresh_process(plain.images_per_second, _weights(model), paths)
    return {
        "ours": ours,
        "plain": other,
        "ratio": ours / other,
        "unit": "images/s",
        "images": len(paths),
        "data": "chest-ct-scan" if data else "phantoms",
    }


@entry
def memory_of_200_explanations(_: Path | None) -> Row:
    """Growth of resident memory over 200 explanations after 20 to warm up, against the 50 MB allowed (lower is better)."""
    model, image, process = _model(), _slice(), psutil.Process()
    for _ in range(20):
        analyse(image, model)
    before = process.memory_info().rss
    for _ in range(200):
        analyse(image, model)
    grown = max(process.memory_info().rss - before, 0) / 1e6
    hooks = sum(len(module._forward_hooks) + len(module._backward_hooks) for module in model.network.modules())
    return {"ours": grown, "plain": 50.0, "ratio": grown / 50, "unit": "MB", "hooks_left": hooks}


@entry
def train_vs_plain_loop(data: Path | None) -> Row:
    """Training EfficientNet-Lite0, all layers, three epochs with reading, against a plain loop over PIL and torchvision (higher is better; aim: at least 2.5)."""
    model, epochs = _model(), 3
    recipe = Recipe(
        name="bench",
        backbone=model.card.backbone,
        init="scratch",
        preprocess=model.card.preprocess,
        epochs=epochs,
        frozen_epochs=0,
        balance=False,
        monitor="valid_loss",
    )
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        folder = data or _phantom_folder(work / "data", model, n=160)
        cases = [replace(case, split=None) for case in CHEST_CT_SCAN.read(folder)][:256]
        training, validating = cases[:-32], cases[-32:]
        read_images(cases, recipe.preprocess)  # both sides with a warm file cache
        start = time.perf_counter()
        parts = plain_parts(read_images(cases, recipe.preprocess), model.card.classes, len(training))
        network = create_model(recipe.backbone, "none", len(model.card.classes))
        _, trained, _ = fit(network, recipe, parts, work / "checkpoints", progress_bar=False)
        if trained != epochs:
            raise LungcadError(f"The training stopped after {trained} of {epochs} epochs; the measurement would be wrong.")
        ours = epochs * len(training) / (time.perf_counter() - start)
        pairs = [[(case.path, model.card.classes.index(case.label)) for case in part] for part in (training, validating)]
        other = plain.in_fresh_process(plain.training_images_per_second, _weights(model), *pairs, epochs, recipe.batch_size)
    return {
        "ours": ours, "plain": other, "ratio": ours / other, "unit": "images/s", "images": len(training), "epochs": epochs,
        "data": "chest-ct-scan" if data else "phantoms", "precision": model.device.precision,
    }  # fmt: skip


@entry
def depthwise_gradient(_: Path | None) -> Row:
    """A training step of EfficientNet-Lite0, batch of 16, in the device's precision: depthwise gradients in float32 against oneDNN's own (lower is better)."""
    device = best_device()
    model = _model()
    inputs = device.put_inputs(torch.rand(16, 3, *model.card.preprocess.size))
    seconds = []
    for change in (speed_up_depthwise, lambda network: network):
        network = device.put(change(create_model(model.card.backbone, "none", 4))).train()

        def step(network=network) -> None:
            with device.features_context():
                logits = network(inputs)
            logits.float().square().sum().backward()

        seconds.append(_median(step, repeats=5))
    return {"ours": seconds[0] * 1e3, "plain": seconds[1] * 1e3, "ratio": seconds[0] / seconds[1], "unit": "ms"}


@entry
def audit_growth(_: Path | None) -> Row:
    """Auditing 20,000 synthetic images against twenty times the time for 1,000 (1 is linear growth; lower is better)."""
    found = {}
    for n in (1000, 20_000):
        with tempfile.TemporaryDirectory() as temporary:
            plain.synthetic_folder(Path(temporary), n)
            found[n] = plain.audit_seconds_and_memory(Path(temporary))
    (small_s, small_mb), (large_s, large_mb) = found.values()
    return {
        "ours": large_s, "plain": 20 * small_s, "ratio": large_s / (20 * small_s), "unit": "s", "images_per_second_at_1000": 1000 / small_s,
        "images_per_second_at_20000": 20_000 / large_s, "peak_memory_mb_at_1000": small_mb, "peak_memory_mb_at_20000": large_mb,
    }  # fmt: skip


def _model() -> TrainedModel:
    name = next(
        (
            card.name
            for card in list_cards()
            if (card.backbone, card.attention, card.dataset) == ("efficientnet_lite0", "none", CHEST_CT_SCAN.name)
        ),
        None,
    )
    if name is None:
        raise LungcadError("The benchmark needs the EfficientNet-Lite0 baseline; restore weights/ from the repository.")
    return load_model(name)


def _weights(model: TrainedModel) -> Path:
    return WEIGHTS / f"{model.card.name}.safetensors"


def _slice() -> CTImage:
    return read_image(make_phantom(7, lesion=Lesion((-10.0, -75.0), 30.0, Edge.SPICULATED)).png(PICTURE_WINDOW))


def _on_whole_image(segments: np.ndarray, geometry) -> np.ndarray:
    """The segments at the image's own resolution; what the network does not see is one more segment."""
    top, left, bottom, right = geometry.box
    rows, columns = geometry.original
    in_box = cv2.resize(segments.astype(np.int32), (right - left, bottom - top), interpolation=cv2.INTER_NEAREST_EXACT)
    return np.pad(in_box, ((top, rows - bottom), (left, columns - right)), constant_values=segments.max() + 1)


def _median(function: Callable[[], object], *, repeats: int) -> float:
    return _medians_in_turn(function, lambda: None, repeats=repeats)[0]


def _medians_in_turn(first: Callable[[], object], second: Callable[[], object], *, repeats: int) -> tuple[float, float]:
    """Median seconds of both, called in turn, after three calls each to warm up."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for repeat in range(repeats + 3):
        for function, record in zip((first, second), seconds, strict=True):
            start = time.perf_counter()
            function()
            if repeat >= 3:
                record.append(time.perf_counter() - start)
    return float(np.median(seconds[0])), float(np.median(seconds[1]))


def _stability(runs) -> float:
    """Mean Spearman correlation of the segments' weights between seeds."""
    return float(np.mean([spearmanr(runs[i], runs[j]).statistic for i in range(len(runs)) for j in range(i)]))


def _phantom_folder(root: Path, model: TrainedModel, n: int = 64) -> Path:
    for index in range(n):
        folder = root / "test" / model.card.classes[index % len(model.card.classes)]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{index}.png").write_bytes(make_phantom(index).png())
    return root
