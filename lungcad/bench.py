"""``lungcad bench``: what lungcad does against the plain library call, both timed in one run on one machine.

Each entry returns (ours, plain, ratio, unit). Timings are medians over interleaved repetitions, so that a machine that
slows down slows both sides.
"""

import contextlib
import io
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from lime.lime_image import LimeImageExplainer
from PIL import Image
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from scipy.stats import spearmanr
from torchvision import transforms

from lungcad.analysis import analyse
from lungcad.datasets import CHEST_CT_SCAN, Split, of_split
from lungcad.device import best_device, tune_allocator
from lungcad.errors import LungcadError, lookup
from lungcad.evaluate.folder import evaluate_folder
from lungcad.explain.attribution import Options, Scene
from lungcad.explain.cam import gradcam
from lungcad.explain.lime import lime, superpixels
from lungcad.imaging import read_image
from lungcad.imaging.phantom import Edge, Lesion, make_phantom
from lungcad.models import TrainedModel, create_model, features, list_cards, load_model
from lungcad.models.predict import calibrated
from lungcad.preprocess import preprocess, to_grey

Row = dict[str, float | str]
ENTRIES: dict[str, Callable[[Path | None], Row]] = {}


def entry(function: Callable[[Path | None], Row]) -> Callable[[Path | None], Row]:
    ENTRIES[function.__name__] = function
    return function


def run(only: str | None = None, *, data: Path | None = None, on_progress: Callable[[int, int], None] | None = None) -> list[Row]:
    """Every entry, or the one named: a list of ``{"name", "ours", "plain", "ratio", "unit"}`` with extra facts."""
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
    """EfficientNet-Lite0, batch of 32: channels_last and bfloat16 against torch's defaults (higher is better)."""
    model = _model()
    inputs = torch.randn(32, 3, *model.card.preprocess.size, generator=torch.Generator().manual_seed(0))
    plain = _plain_network(model)
    ours_s, plain_s = _medians(lambda: features(model, inputs), lambda: _forward(plain, inputs), repeats=9)
    return {"ours": 32 / ours_s, "plain": 32 / plain_s, "ratio": plain_s / ours_s, "unit": "images/s", "precision": model.device.precision}


@entry
def gradcam_vs_forward(_: Path | None) -> Row:
    """Prediction with Grad-CAM against a forward pass alone, same network and precision (lower is better; at most 1.3)."""
    model = _model()
    inputs, geometry = preprocess(_slice(), model.card.preprocess)

    def explained() -> None:
        scene = Scene(inputs, np.empty(0), features(model, inputs), geometry)
        with torch.no_grad():
            calibrated(model, model.network.classify(scene.features)[0])
        geometry.to_original(gradcam(model, scene, 0, Options())[0])

    def forward() -> None:
        with torch.no_grad():
            model.network.classify(features(model, inputs))

    def library() -> None:
        GradCAM(model=trainable, target_layers=[trainable.features])(input_tensor=inputs, targets=[ClassifierOutputTarget(0)])

    # the library cannot read bfloat16 maps, so it is set against a forward pass in float32
    trainable, plain = _plain_network(model).requires_grad_(True), _plain_network(model)
    ours_s, forward_s = _medians(explained, forward, repeats=60)
    library_s, library_forward_s = _medians(library, lambda: _forward(plain, inputs), repeats=20)
    return {
        "ours": ours_s * 1e3, "plain": forward_s * 1e3, "ratio": ours_s / forward_s, "unit": "ms",
        "library_ratio_float32": library_s / library_forward_s,
    }  # fmt: skip


@entry
def lime_vs_stock(_: Path | None) -> Row:
    """LIME with 1,000 samples against lime's own call with a plain per-batch classifier, same image and segments (higher is better; at least 6)."""
    model, image, n_samples, seeds = _model(), _slice(), 1000, (0, 1, 2)
    grey, geometry = to_grey(image, model.card.preprocess)
    scene = Scene(torch.empty(0), grey, torch.empty(0), geometry)
    segments = superpixels(grey)
    picture = np.repeat((geometry._cut(image.grey()) * 255).astype(np.uint8)[..., None], 3, axis=2)
    full_segments = cv2.resize(segments.astype(np.int32), picture.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    network, transform = _plain_network(model), _plain_transform(model)

    def classify(pictures: np.ndarray) -> np.ndarray:
        batch = torch.stack([transform(Image.fromarray(each)) for each in pictures])
        return (_forward(network, batch) / model.card.temperature).softmax(1).numpy()

    def ours(seed: int) -> np.ndarray:
        values = lime(model, scene, 0, Options(seed, n_samples))[0]
        return np.array([values[segments == each][0] for each in range(segments.max() + 1)])

    def stock(seed: int) -> np.ndarray:
        explainer = LimeImageExplainer(random_state=np.random.RandomState(seed))
        with contextlib.redirect_stderr(io.StringIO()):  # lime's progress bar
            found = explainer.explain_instance(
                picture, classify, labels=(0,), top_labels=None, num_samples=n_samples, segmentation_fn=lambda _: full_segments
            )
        return np.array([weight for _, weight in sorted(found.local_exp[0])])

    (ours_s, our_runs), (plain_s, stock_runs) = _timed_runs(ours, seeds), _timed_runs(stock, seeds)
    return {
        "ours": ours_s, "plain": plain_s, "ratio": plain_s / ours_s, "unit": "s", "segments": int(segments.max()) + 1,
        "spearman_between_seeds_ours": _stability(our_runs), "spearman_between_seeds_plain": _stability(stock_runs),
        "spearman_ours_with_plain": float(spearmanr(np.mean(our_runs, 0), np.mean(stock_runs, 0)).statistic),
    }  # fmt: skip


@entry
def evaluate_vs_plain_loop(data: Path | None) -> Row:
    """Evaluating a folder against a loop of one image at a time with PIL and torchvision (higher is better; at least 4)."""
    model = _model()
    with tempfile.TemporaryDirectory() as temporary:
        folder = data or _phantom_folder(Path(temporary), model)
        cases = of_split(CHEST_CT_SCAN.read(folder), Split.TEST)
        network, transform = _plain_network(model), _plain_transform(model)
        evaluate_folder(model, folder, CHEST_CT_SCAN.name)  # both sides with a warm file cache
        rates = [evaluate_folder(model, folder, CHEST_CT_SCAN.name).images_per_second for _ in range(3)]
        start = time.perf_counter()
        for case in cases:
            with Image.open(case.path) as image:
                _forward(network, transform(image.convert("RGB")).unsqueeze(0)).softmax(1)
        plain = len(cases) / (time.perf_counter() - start)
    ours = float(np.median(rates))
    return {"ours": ours, "plain": plain, "ratio": ours / plain, "unit": "images/s", "images": len(cases), "data": "chest-ct-scan" if data else "phantoms"}


@entry
def memory_of_200_explanations(_: Path | None) -> Row:
    """Growth of resident memory over 200 explanations after 20 to warm up, against the 50 MB allowed (lower is better)."""
    import psutil

    model, image, process = _model(), _slice(), psutil.Process()
    for _ in range(20):
        analyse(image, model, methods=["gradcam"])
    before = process.memory_info().rss
    for _ in range(200):
        analyse(image, model, methods=["gradcam"])
    grown = max(process.memory_info().rss - before, 0) / 1e6
    hooks = sum(len(module._forward_hooks) + len(module._backward_hooks) for module in model.network.modules())
    return {"ours": grown, "plain": 50.0, "ratio": grown / 50, "unit": "MB", "hooks_left": hooks}


def _model() -> TrainedModel:
    tune_allocator()
    name = next((card.name for card in list_cards() if card.backbone == "efficientnet_lite0" and card.attention == "none"), None)
    if name is None:
        raise LungcadError("The benchmark needs the EfficientNet-Lite0 baseline; restore weights/ from the repository.")
    return load_model(name, device=best_device())


def _slice():
    return read_image(make_phantom(7, lesion=Lesion((-10.0, -75.0), 30.0, Edge.SPICULATED)).png())


def _plain_network(model: TrainedModel) -> torch.nn.Module:
    """The same weights with torch's defaults: float32, contiguous."""
    network = create_model(model.card.backbone, model.card.attention, len(model.card.classes))
    network.load_state_dict(model.network.state_dict())
    return network.to(memory_format=torch.contiguous_format).eval().requires_grad_(False)


def _plain_transform(model: TrainedModel) -> transforms.Compose:
    config = model.card.preprocess
    return transforms.Compose(
        [transforms.Resize(config.size), transforms.ToTensor(), transforms.Normalize([config.mean] * 3, [config.std] * 3)]
    )


def _forward(network: torch.nn.Module, inputs: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return network(inputs)


def _medians(first: Callable[[], object], second: Callable[[], object], *, repeats: int) -> tuple[float, float]:
    """Median seconds of both, called in turn, after three calls each to warm up."""
    seconds = ([], [])
    for repeat in range(repeats + 3):
        for function, record in zip((first, second), seconds, strict=True):
            start = time.perf_counter()
            function()
            if repeat >= 3:
                record.append(time.perf_counter() - start)
    return float(np.median(seconds[0])), float(np.median(seconds[1]))


def _timed_runs(function: Callable[[int], np.ndarray], seeds: tuple[int, ...]) -> tuple[float, list[np.ndarray]]:
    seconds, runs = [], []
    for seed in seeds:
        start = time.perf_counter()
        runs.append(function(seed))
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds)), runs


def _stability(runs: list[np.ndarray]) -> float:
    """Mean Spearman correlation of the segments' weights between seeds."""
    pairs = [(i, j) for i in range(len(runs)) for j in range(i)]
    return float(np.mean([spearmanr(runs[i], runs[j]).statistic for i, j in pairs]))


def _phantom_folder(root: Path, model: TrainedModel, n: int = 64) -> Path:
    for index in range(n):
        folder = root / "test" / model.card.classes[index % len(model.card.classes)]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{index}.png").write_bytes(make_phantom(index, size=512).png())
    return root
