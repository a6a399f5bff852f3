"""Whether an exported file says what the network says, image by image."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lungcad.errors import ImageError
from lungcad.export.network import ExportedNetwork, input_shape
from lungcad.imaging import CTImage, read_image
from lungcad.imaging.phantom import make_phantom
from lungcad.models import TrainedModel, predict_batch
from lungcad.paths import EXAMPLES
from lungcad.preprocess import normalise, to_grey

TOLERANCE = 1e-4
"""Largest difference of a probability from torch's in float32 that rounding explains; a file that differs more is not kept."""
BATCH = 16


@dataclass(frozen=True)
class Agreement:
    """Over n images. largest_difference: of any probability from torch's in float32; same_class: images with the same most probable class.

    answer_difference, answer_same_class: the same against what lungcad answers on this machine, in its precision (bfloat16 on some CPUs).
    """

    n: int
    largest_difference: float
    same_class: int
    precision: str
    answer_difference: float
    answer_same_class: int

    @property
    def holds(self) -> bool:
        """Whether the file is the network."""
        return self.largest_difference <= TOLERANCE and self.same_class == self.n

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {**asdict(self), "tolerance": TOLERANCE}


def measure_agreement(
    run: Callable[[np.ndarray], np.ndarray], model: TrainedModel, network: ExportedNetwork, images: Sequence[CTImage]
) -> Agreement:
    """One image alone, then the others in batches, so that the size of the batch is seen to be free."""
    config = model.card.preprocess
    greys = np.stack([to_grey(image, config)[0] for image in images]).reshape(-1, *input_shape(model.card)).astype(np.float32)
    of_file, of_torch, of_lungcad = [], [], []
    for start, stop in [(0, 1), *((start, start + BATCH) for start in range(1, len(greys), BATCH))]:
        batch = torch.from_numpy(greys[start:stop])
        of_file.append(run(greys[start:stop]))
        with torch.no_grad():
            of_torch.append(network(batch)[0].numpy())
        of_lungcad.append(predict_batch(model, normalise(batch if config.colour else batch[:, 0], config)).numpy())
    found, exact, answered = (np.concatenate(each) for each in (of_file, of_torch, of_lungcad))
    if found.shape != exact.shape or not np.isfinite(found).all():
        return Agreement(len(greys), float("inf"), 0, model.device.precision, float("inf"), 0)
    return Agreement(
        len(greys),
        float(np.abs(found - exact).max()),
        int((found.argmax(1) == exact.argmax(1)).sum()),
        model.device.precision,
        float(np.abs(found - answered).max()),
        int((found.argmax(1) == answered.argmax(1)).sum()),
    )


def check_images(folder: Path | None, n: int, on_fault: Callable[[str], object]) -> list[CTImage]:
    """n images: of a folder, evenly through its files in the order of their names; without one the shipped examples, then phantoms of fixed seeds.

    on_fault: is told how many files of the folder are no images. Raises :class:`ImageError` where there is none.
    """
    if folder is None:
        examples = [read_image(path) for path in sorted(EXAMPLES.glob("*.png"))[:n]]
        return [*examples, *(make_phantom(seed, size=256).image() for seed in range(n - len(examples)))]
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    images, unreadable = [], 0
    for path in (paths[index * len(paths) // min(n, len(paths))] for index in range(min(n, len(paths)))):
        try:
            images.append(read_image(path))
        except ImageError:
            unreadable += 1
    if unreadable:
        on_fault(f"{unreadable} of the {unreadable + len(images)} files looked at are no images and were left out.")
    if not images:
        raise ImageError("There is no readable image in the folder to check the file with; name a folder of slices.")
    return images
