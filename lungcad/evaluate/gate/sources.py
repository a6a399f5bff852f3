"""Where the pictures come from on which gates are fitted, chosen and tested: the parts of the data sets, photographs that libraries ship."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from lungcad.datasets import DATASETS, Case, Split, of_split
from lungcad.errors import ModelError
from lungcad.evaluate.stores.runs import read_run
from lungcad.explain.neighbours import Index
from lungcad.imaging import CTImage, Unit, read_image
from lungcad.imaging.image import Provenance
from lungcad.imaging.raster import CLEARLY_COLOURED
from lungcad.models import ModelCard, list_cards

SLICES, CROPS, TILES = ("chest-ct-scan", "iq-oth-nccd"), "lidc-nodules", "lc25000"
CROP_SIDE = 128


@dataclass(frozen=True, eq=False)
class Sample:
    """group: what is not independent of each other (a patient, a photograph)."""

    group: str
    image: CTImage


def picture(pixels: np.ndarray) -> CTImage:
    """An 8-bit picture, grey (H, W) or colour (H, W, 3), as it would be read from a file."""
    if pixels.ndim == 2:
        return CTImage(pixels.astype(np.float32), Unit.GREY, Provenance(_sha(pixels), "PNG", "L"))
    rgb = pixels.astype(np.float32)
    coloured = float((np.ptp(rgb, axis=2) > CLEARLY_COLOURED).mean())
    grey = rgb @ np.array([0.299, 0.587, 0.114], np.float32)
    return CTImage(grey, Unit.GREY, Provenance(_sha(pixels), "PNG", "RGB", coloured), colour=np.ascontiguousarray(pixels))


def _sha(pixels: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()


@cache
def networks_of(dataset: str, split_in_words: str | None = None) -> tuple[ModelCard, ...]:
    """The cards of the installed networks that were trained on the data set, by name; split_in_words: of the card, where they were split in several ways.

    Raises :class:`~lungcad.errors.ModelError` where there is none.
    """
    cards = [
        card for card in list_cards() if card.dataset == dataset and card.protocol == "grouped" and split_in_words in (None, card.split)
    ]
    if not cards:
        raise ModelError(
            f"No installed network was trained on {dataset}, so its parts are not known; train one, or restore weights/ from the repository."
        )
    return tuple(cards)


@cache
def parts(dataset: str, split_in_words: str | None = None) -> tuple[Case, ...]:
    """The data set's cases with their parts, and groups where they are validation or test: as the first of its networks stored them.

    Raises :class:`~lungcad.errors.LungcadError` where no network, or not its index and run, is there.
    """
    card, entry = networks_of(dataset, split_in_words)[0], DATASETS[dataset]
    run = read_run(card.name)
    if run.facts["weights_sha256"] != card.sha256:
        raise ModelError(
            f"The run {run.name} is of other weights than the network; train it anew, or restore data/runs from the repository."
        )
    training = dict.fromkeys(map(str, Index.read(card).cases))
    stored = run.predictions.set_index("case")[["split", "group"]].to_dict("index")
    cases = []
    for case in entry.read(entry.locate(), card.task):
        if case.id in training:
            cases.append(replace(case, split=Split.TRAIN))
        elif case.id in stored:
            cases.append(replace(case, split=Split(stored[case.id]["split"]), group=str(stored[case.id]["group"])))
    return tuple(cases)


def cases_of(dataset: str, split: Split, n: int) -> list[Case]:
    """At most ``n`` cases of a part, evenly over its order."""
    return thinned(of_split(list(parts(dataset)), split), n)


def thinned(items: Sequence[Case], n: int) -> list[Case]:
    """At most ``n``, evenly over their order."""
    return [items[int(i)] for i in np.linspace(0, len(items) - 1, min(n, len(items))).round()]


def read(cases: Sequence[Case]) -> Iterator[Sample]:
    """Each case's image."""
    for case in cases:
        yield Sample(str(case.group), read_image(case.path))


_PHOTOGRAPHS = {
    Split.TRAIN: ("china.jpg", "flower.jpg", "grace_hopper.jpg", "motorcycle_left.png", "brick.png", "grass.png", "color.png", "ascent.npz", "aero.npz"),
    Split.VALID: ("clock_motion.png", "gravel.png", "hubble_deep_field.jpg", "ihc.png"),
    Split.TEST: ("camera.png", "astronaut.png", "coffee.png", "chelsea.png", "rocket.jpg", "coins.png", "moon.png", "retina.jpg", "cell.png", "horse.png"),
}  # fmt: skip
"""What scikit-image, scikit-learn, matplotlib and PyWavelets ship; no picture, and none of the same scene, is in two parts."""


def photographs(split: Split) -> Iterator[tuple[str, np.ndarray]]:
    """(name, uint8 grey or RGB) of the part's photographs."""
    import matplotlib
    import pywt
    import skimage.data
    import sklearn.datasets

    folders = (
        Path(skimage.data.__file__).parent,
        Path(sklearn.datasets.__file__).parent / "images",
        Path(matplotlib.get_data_path()) / "sample_data",
        Path(pywt.__file__).parent / "data",
    )
    for name in _PHOTOGRAPHS[split]:
        path = next(folder / name for folder in folders if (folder / name).is_file())
        pixels = np.load(path)["data"] if path.suffix == ".npz" else cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if pixels is None:
            raise FileNotFoundError(path)
        if pixels.ndim == 3:
            pixels = cv2.cvtColor(pixels[..., :3], cv2.COLOR_BGR2RGB)
        yield name.partition(".")[0], pixels


def grey(pixels: np.ndarray) -> np.ndarray:
    """uint8 grey of a grey or RGB picture."""
    return pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)


def views(rng: np.random.Generator, pixels: np.ndarray, n: int, side: int) -> Iterator[np.ndarray]:
    """Square details of a picture from a fifth of its smaller side to all of it, some mirrored or turned, reduced or enlarged to ``side``, with other gamma."""
    rows, columns = pixels.shape[:2]
    for _ in range(n):
        size = int(min(rows, columns) * np.exp(rng.uniform(np.log(0.2), 0)))
        top, left = int(rng.integers(0, rows - size + 1)), int(rng.integers(0, columns - size + 1))
        detail = np.ascontiguousarray(np.rot90(pixels[top : top + size, left : left + size], int(rng.integers(0, 4))))
        detail = detail[:, ::-1] if rng.random() < 0.5 else detail
        how = cv2.INTER_AREA if size >= side else cv2.INTER_CUBIC
        view = cv2.resize(np.ascontiguousarray(detail), (side, side), interpolation=how).astype(np.float32)
        low, high = np.percentile(view, [0.5, 99.5])
        if rng.random() < 0.5 and high > low:  # stretched, as many exports are
            view = (view - low) / (high - low) * 255
        yield np.clip(np.rint(255 * (np.clip(view, 0, 255) / 255) ** np.exp(rng.uniform(-0.4, 0.4))), 0, 255).astype(np.uint8)
