"""Features of the lab's patients, drawn once for each content: shipped for the usual settings, else in a bounded folder of the project.

Patients are drawn a :data:`CHUNK` at a time; a chunk is a file whose name holds a hash of all that its content depends on.
"""

import contextlib
import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lungcad.files import write_whole
from lungcad.lab import frozen
from lungcad.lab.patients import SIZE, TESTED, Lesions, Part, clean_picture, tested_shortcut, with_shortcut
from lungcad.lab.settings import MOST_PATIENTS, LabSettings
from lungcad.paths import LAB, LAB_CACHE, to_write
from lungcad.progress import Progress

CHUNK = 50
MOST_FILES = 400
"""Chunks kept in the folder, half a megabyte each; those that were not used for the longest time go first."""
CLEAN = "clean"
SECONDS_A_PICTURE = 0.0525
"""Measured: 0.105 s a patient, whose picture is drawn without the shortcut and with it."""


@dataclass(frozen=True, eq=False)
class Patients:
    """n patients. clean, planted: projected features (n, directions, 8, 8) in steps (int8), without and with the shortcut.

    lesions, marks: bool (n, 256, 256), the lesion's pixels and the shortcut's; empty where there is none.
    """

    clean: np.ndarray
    planted: np.ndarray
    lesions: np.ndarray
    marks: np.ndarray

    def features(self, carries: np.ndarray) -> Tensor:
        """(n, directions, 8, 8), float32, with the shortcut for those who carry it."""
        return frozen.from_steps(np.where(carries[:, None, None, None], self.planted, self.clean))

    def lesion_cells(self) -> Tensor:
        """(n, 8, 8): 1 where the lesion touches the cell."""
        return torch.from_numpy(touched(self.lesions)).float()


def touched(masks: np.ndarray, side: int = 8) -> np.ndarray:
    """Bool (n, side, side): whether any pixel of the cell is in the mask."""
    n, rows, columns = masks.shape
    return np.asarray(masks.reshape(n, side, rows // side, side, columns // side).any((2, 4)))


def load_patients(settings: LabSettings, part: Part, n: int, on_progress: Progress | None = None) -> Patients:
    """The first ``n`` patients of the part; those whose features are nowhere yet are drawn. on_progress: in patients."""
    chunks = []
    for start in range(0, n, CHUNK):
        chunks.append(_chunk(Lesions.of(settings), part, start, tested_shortcut(settings)))
        if on_progress:
            on_progress(min(start + CHUNK, n), n)
    clean, planted, lesions, marks = (np.concatenate(each)[:n] for each in zip(*chunks, strict=True))
    return Patients(clean, planted, lesions, marks)


def n_missing(settings: LabSettings) -> int:
    """Patients whose features must be drawn before this training."""
    return CHUNK * len({(part, start) for part, start, _ in _missing(settings)})


def seconds_to_draw(settings: LabSettings) -> float:
    """About, on one core: pictures that are there already, without the shortcut or with it, are not drawn again."""
    return CHUNK * SECONDS_A_PICTURE * len(_missing(settings))


def _missing(settings: LabSettings) -> list[tuple[Part, int, str]]:
    return [
        (part, start, variant)
        for part, n in ((Part.TRAIN, settings.patients), (Part.TEST, TESTED))
        for start in range(0, n, CHUNK)
        for variant in (CLEAN, tested_shortcut(settings))
        if _find(_name(Lesions.of(settings), part, start, variant)) is None
    ]


def _chunk(lesions: Lesions, part: Part, start: int, shortcut: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    paths = []
    for variant in (CLEAN, shortcut):
        name = _name(lesions, part, start, variant)
        stored = _read(name)
        paths.append(_write(name, *_draw(lesions, part, start, variant)) if stored is None else stored)
    (clean, lesion_masks), (planted, marks) = paths
    return clean, planted, lesion_masks, marks


def _draw(lesions: Lesions, part: Part, start: int, variant: str) -> tuple[np.ndarray, np.ndarray]:
    """(features in steps, masks of the lesions) of the clean pictures, or (features, masks of the shortcut) of those with it."""
    pictures = [clean_picture(part, index, lesions) for index in range(start, start + CHUNK)]
    nowhere = np.zeros((SIZE, SIZE), bool)
    masks = [each.lesion for each in pictures]
    if variant != CLEAN:
        pictures = [with_shortcut(each, variant, part, index) for index, each in enumerate(pictures, start)]
        masks = [nowhere if each.shortcut is None else each.shortcut for each in pictures]
    return frozen.to_steps(frozen.features_of(np.stack([each.grey for each in pictures]))), np.stack(masks)


def _name(lesions: Lesions, part: Part, start: int, variant: str) -> str:
    content = (lesions.diameters_mm, lesions.opacity, part, start, CHUNK, variant, SIZE, frozen.STEP, frozen.projection_sha256())
    return f"{part}-{start:03d}-{variant}-{hashlib.sha256(repr(content).encode()).hexdigest()[:12]}.npz"


def _find(name: str) -> Path | None:
    return next((folder / name for folder in (LAB, LAB_CACHE) if (folder / name).is_file()), None)


def _read(name: str) -> tuple[np.ndarray, np.ndarray] | None:
    """(features in steps, masks); None where there is no such file, or only damaged ones, and it is drawn anew into the project's own folder."""
    for folder in (LAB, LAB_CACHE):
        with contextlib.suppress(*frozen.DAMAGED), np.load(folder / name) as stored:
            masks = np.unpackbits(stored["masks"], axis=-1).astype(bool)
            steps: np.ndarray = stored["steps"]
            if folder == LAB_CACHE:
                with contextlib.suppress(OSError):
                    (folder / name).touch()
            return steps, masks
    return None


def _write(name: str, steps: np.ndarray, masks: np.ndarray, folder: Path = LAB_CACHE) -> tuple[np.ndarray, np.ndarray]:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, steps=steps, masks=np.packbits(masks, axis=-1))
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / name, buffer.getvalue())
    _forget_oldest(folder)
    return steps, masks


def _forget_oldest(folder: Path) -> None:
    if folder != LAB_CACHE:
        return
    with contextlib.suppress(OSError):  # another process may be at it too
        files = sorted(folder.glob("*.npz"), key=lambda path: path.stat().st_mtime)
        for path in files[: max(len(files) - MOST_FILES, 0)]:
            path.unlink(missing_ok=True)


def ship() -> None:
    """Draw the features of the usual settings that are not yet there into ``data/lab``, which the repository holds."""
    settings, folder = LabSettings(), to_write(LAB)
    for part, n in ((Part.TRAIN, MOST_PATIENTS), (Part.TEST, TESTED)):
        for start in range(0, n, CHUNK):
            for variant in (CLEAN, settings.shortcut):
                name = _name(Lesions.of(settings), part, start, variant)
                if not (folder / name).is_file():
                    _write(name, *_draw(Lesions.of(settings), part, start, variant), folder=folder)


if __name__ == "__main__":
    ship()
