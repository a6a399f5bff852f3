"""The other side of the benchmark: the same work by the libraries' plain calls, as their documentation shows it.

These functions run in a fresh process (:func:`in_fresh_process`), so that lungcad's settings (allocator, precision, memory
layout) help them neither way. Networks are float32 with torch's defaults.
"""

import contextlib
import io
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

import cv2
import numpy as np
import safetensors.torch
import torch
from captum.attr import Occlusion
from lime.lime_image import LimeImageExplainer
from PIL import Image
from pytorch_grad_cam import AblationCAM, GradCAM, ScoreCAM
from pytorch_grad_cam.metrics.perturbation_confidence import PerturbationConfidenceMetric, RemoveMostRelevantFirst
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    balanced_accuracy_score,
    cohen_kappa_score,
    confusion_matrix,
    f1_score,
    roc_auc_score,
)
from torchvision import transforms

from lungcad.models import ModelCard, create_model

P = ParamSpec("P")
T = TypeVar("T")
Box = tuple[int, int, int, int]


def in_fresh_process(function: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    """``function(*arguments)`` in a new Python process that has imported this module and nothing has tuned; it ends with whoever stops this one."""
    with ProcessPoolExecutor(
        1, mp_context=get_context("spawn"), initializer=signal.signal, initargs=(signal.SIGINT, signal.SIG_IGN)
    ) as pool:
        try:
            return pool.submit(function, *arguments, **options).result()
        except BaseException:
            for process in active_children():
                process.terminate()
            raise


def network(weights: Path) -> torch.nn.Module:
    """The network of a weights file, unfolded, in float32."""
    card = ModelCard.read(weights.with_suffix(".json"))
    model = create_model(card.backbone, card.attention, len(card.classes), inputs=card.inputs)
    model.load_state_dict({key: tensor.float() for key, tensor in safetensors.torch.load_file(weights).items()})
    return model.eval()


def transform(card: ModelCard) -> transforms.Compose:
    """What a card says of preprocessing, as torchvision transforms."""
    config = card.preprocess
    return transforms.Compose(
        [transforms.Resize(config.size), transforms.ToTensor(), transforms.Normalize([config.mean] * 3, [config.std] * 3)]
    )


def forward_seconds(weights: Path, batch: int, repeats: int) -> float:
    """Median seconds of a forward pass over a batch."""
    card = ModelCard.read(weights.with_suffix(".json"))
    model, inputs = network(weights), torch.rand(batch, 3, *card.preprocess.size)
    return _median(lambda: _no_grad(model, inputs), repeats)


def gradcam_and_forward_seconds(weights: Path, repeats: int) -> tuple[float, float]:
    """Median seconds of the library's Grad-CAM call and of a forward pass, both on one image."""
    card = ModelCard.read(weights.with_suffix(".json"))
    model, inputs = network(weights), torch.rand(1, 3, *card.preprocess.size)

    def gradcam() -> None:
        with GradCAM(model=model, target_layers=[model.features]) as cam:
            cam(input_tensor=inputs, targets=[ClassifierOutputTarget(0)])

    return _median(gradcam, repeats), _median(lambda: _no_grad(model, inputs), repeats)


def lime(
    weights: Path, picture: np.ndarray, box: Box, segments: np.ndarray, samples: int, seeds: tuple[int, ...]
) -> tuple[float, np.ndarray]:
    """(median seconds of ``explain_instance``, weights of the segments by seed).

    picture: uint8 (rows, columns, 3), the whole slice. box: what the network sees of it (top, left, bottom, right).
    """
    card = ModelCard.read(weights.with_suffix(".json"))
    model, prepare = network(weights), transform(card)
    top, left, bottom, right = box

    def classify(pictures: np.ndarray) -> np.ndarray:
        batch = torch.stack([prepare(Image.fromarray(each[top:bottom, left:right])) for each in pictures])
        return (_no_grad(model, batch) / card.temperature).softmax(1).numpy()

    seconds, weights_by_seed = [], []
    for seed in seeds:
        explainer = LimeImageExplainer(random_state=np.random.RandomState(seed))
        start = time.perf_counter()
        with contextlib.redirect_stderr(io.StringIO()):  # lime's progress bar
            explanation = explainer.explain_instance(
                picture, classify, labels=(0,), top_labels=None, num_samples=samples, segmentation_fn=lambda _: segments
            )
        seconds.append(time.perf_counter() - start)
        weights_by_seed.append([weight for _, weight in sorted(explanation.local_exp[0])])
    return float(np.median(seconds)), np.array(weights_by_seed)


def library_map(weights: Path, kind: str, inputs: np.ndarray, target: int) -> tuple[float, np.ndarray]:
    """(seconds, map in [0, 1] at the input's size) of grad-cam's own call on one input (1, 3, H, W)."""
    model = network(weights)
    with (
        contextlib.redirect_stderr(io.StringIO()),
        {"scorecam": ScoreCAM, "ablationcam": AblationCAM}[kind](model, [model.features]) as cam,
    ):
        start = time.perf_counter()
        attribution = cam(input_tensor=torch.from_numpy(inputs), targets=[ClassifierOutputTarget(target)])[0]
        return time.perf_counter() - start, attribution


def occlusion(weights: Path, inputs: np.ndarray, instead: np.ndarray, target: int, window: int, stride: int) -> tuple[float, np.ndarray]:
    """(seconds, map (H, W)) of Captum's own call, one window a forward pass."""
    card, model = ModelCard.read(weights.with_suffix(".json")), network(weights)
    start = time.perf_counter()
    with torch.no_grad():
        attribution = Occlusion(lambda x: (model(x) / card.temperature).softmax(1)).attribute(
            torch.from_numpy(inputs), (3, window, window), strides=(3, stride, stride), baselines=torch.from_numpy(instead), target=target
        )
    return time.perf_counter() - start, attribution[0].mean(0).numpy()


def deletion(
    weights: Path, inputs: np.ndarray, instead: np.ndarray, cam: np.ndarray, target: int, percentiles: list[float]
) -> tuple[float, np.ndarray]:
    """(seconds, probability after each step) of grad-cam's metric, called once a percentile. cam: (H, W)."""
    card, model, image = ModelCard.read(weights.with_suffix(".json")), network(weights), torch.from_numpy(inputs)
    other = torch.from_numpy(instead)[0]
    probabilities = []
    start = time.perf_counter()
    for percentile in percentiles:
        remove = RemoveMostRelevantFirst(percentile, lambda each, keep: torch.where(keep > 0, each, other))
        metric = PerturbationConfidenceMetric(remove)
        answer = metric(image, cam[None], [lambda logits: (logits / card.temperature).softmax(0)[target]], model, return_diff=False)
        probabilities.append(float(answer[0]))
    return time.perf_counter() - start, np.array(probabilities)


def images_per_second(weights: Path, paths: list[Path]) -> float:
    """One image at a time: PIL, torchvision, network, softmax."""
    card = ModelCard.read(weights.with_suffix(".json"))
    model, prepare = network(weights), transform(card)
    start = time.perf_counter()
    for path in paths:
        with Image.open(path) as image:
            _no_grad(model, prepare(image.convert("RGB")).unsqueeze(0)).softmax(1)
    return len(paths) / (time.perf_counter() - start)


class _Slices(torch.utils.data.Dataset[tuple[torch.Tensor, int]]):
    """(path, class) pairs, read by PIL at each access."""

    def __init__(self, pairs: list[tuple[Path, int]], transform: transforms.Compose) -> None:
        self.pairs, self.transform = pairs, transform

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        path, label = self.pairs[index]
        with Image.open(path) as image:
            return self.transform(image.convert("RGB")), label


def training_images_per_second(
    weights: Path, training: list[tuple[Path, int]], validating: list[tuple[Path, int]], epochs: int, batch_size: int
) -> float:
    """The loop of torch's own tutorials: DataLoader, augmentation by torchvision, AdamW, cross-entropy, validation after each epoch."""
    card = ModelCard.read(weights.with_suffix(".json"))
    prepare = transform(card)
    augmented = transforms.Compose(
        [
            *prepare.transforms[:1],
            transforms.RandomAffine(10, (0.08, 0.08), (0.85, 1.15)),
            transforms.ColorJitter(0.25, 0.25),
            *prepare.transforms[1:],
        ]
    )
    start = time.perf_counter()
    loader = torch.utils.data.DataLoader(_Slices(training, augmented), batch_size, shuffle=True)
    valid = torch.utils.data.DataLoader(_Slices(validating, prepare), batch_size)
    model = create_model(card.backbone, "none", len(card.classes))
    optimizer = torch.optim.AdamW(model.parameters(), 4e-4)
    for _ in range(epochs):
        model.train()
        for inputs, labels in loader:
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(inputs), labels).backward()
            optimizer.step()
        model.eval()
        for inputs, _ in valid:
            _no_grad(model, inputs)
    return epochs * len(training) / (time.perf_counter() - start)


def synthetic_folder(root: Path, n: int) -> None:
    """n small pictures of two classes in train and test, one in ten a copy of the one before."""
    rng = np.random.default_rng(0)
    picture = np.zeros((64, 64), np.uint8)
    for part in ("train", "test"):
        for label in ("a", "b"):
            (root / part / label).mkdir(parents=True)
    for index in range(n):
        if index % 10:
            picture = np.asarray(
                cv2.resize(rng.integers(0, 255, (8, 8), dtype=np.uint8), (64, 64), interpolation=cv2.INTER_CUBIC), np.uint8
            )
        place = root / ("test" if index % 5 == 0 else "train") / "ab"[index % 2]
        cv2.imwrite(str(place / f"{index}.png"), picture)


_AUDIT = """
import json, re, sys
from lungcad.datasets.audit import audit
found = audit(sys.argv[1])
peak = re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())  # getrusage would count what this process was before it started Python
print(json.dumps([found.seconds, int(peak[1]) / 1024]))
"""


def audit_seconds_and_memory(folder: Path) -> tuple[float, float]:
    """(seconds, peak resident memory in MB) of an audit in a process that does nothing else. Linux only."""
    done = subprocess.run([sys.executable, "-c", _AUDIT, str(folder)], capture_output=True, text=True, check=True)
    seconds, memory = json.loads(done.stdout)
    return seconds, memory


def _no_grad(model: torch.nn.Module, inputs: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return cast(torch.Tensor, model(inputs))


def _median(function: Callable[[], object], repeats: int) -> float:
    seconds = []
    for _ in range(repeats + 3):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds[3:]))


def metrics_seconds(labels: np.ndarray, probabilities: np.ndarray, repeats: int) -> float:
    """Median seconds of scikit-learn's metrics of one resample."""
    k = probabilities.shape[1]
    rng = np.random.default_rng(0)

    def once() -> None:
        drawn = rng.integers(0, len(labels), len(labels))
        truth, scores = labels[drawn], probabilities[drawn]
        predicted = scores.argmax(1)
        for metric in (accuracy_score, balanced_accuracy_score, cohen_kappa_score, confusion_matrix):
            metric(truth, predicted)
        f1_score(truth, predicted, average="macro")
        for c in range(k):
            roc_auc_score(truth == c, scores[:, c])
            average_precision_score(truth == c, scores[:, c])

    return _median(once, repeats)
