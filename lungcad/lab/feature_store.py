"""Features of the lab's patients, drawn once for each content: shipped for the usual settings, else in a bounded folder of the project.

Patients are drawn a :data:`CHUNK` at a time; a chunk is a file whose name holds a hash of all that its content depends on.
"""

import contextlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lungcad.files import write_whole
from lungcad.lab import frozen
from lungcad.lab.chunk import CLEAN, Chunk
from lungcad.lab.chunk import PATIENTS as CHUNK
from lungcad.lab.patients import REGION_TESTED, REGIONS_TESTED, TESTED, Lesions, Part, tested_shortcut
from lungcad.lab.settings import LabSettings
from lungcad.paths import LAB, LAB_CACHE, to_write
from lungcad.progress import Progress
from lungcad.stored_arrays import DAMAGED_ARRAYS

MOST_FILES = 400
"""Chunks kept in the folder, half a megabyte each; those that were not used for the longest time go first."""
SECONDS_A_PICTURE = 0.0525
"""Measured: 0.105 s a patient, whose picture is drawn without the shortcut and with it."""


@dataclass(frozen=True, eq=False)
class Patients:
    """n patients. clean, planted: features (n, channels, 8, 8) in steps (int8), without and with the shortcut.

    lesions, marks: bool (n, 256, 256), the lesion's pixels and the shortcut's; empty where there is none.
    """

    clean: np.ndarray
    planted: np.ndarray
    lesions: np.ndarray
    marks: np.ndarray

    def features(self, carries: np.ndarray) -> Tensor:
        """(n, channels, 8, 8), float32, with the shortcut for those who carry it."""
        return frozen.from_steps(np.where(carries[:, None, None, None], self.planted, self.clean))

    def lesion_cells(self) -> Tensor:
        """(n, 8, 8): 1 where the lesion touches the cell."""
        return torch.from_numpy(touched(self.lesions)).float()


def touched(masks: np.ndarray, side: int = 8) -> np.ndarray:
    """Bool (n, side, side): whether any pixel of the cell is in the mask."""
    n, rows, columns = masks.shape
    return np.asarray(masks.reshape(n, side, rows // side, side, columns // side).any((2, 4)))


def load_patients(settings: LabSettings, part: Part, n: int, on_progress: Progress | None = None, region: str = "") -> Patients:
    """The first ``n`` patients of the part; those whose features are nowhere yet are drawn. on_progress: in patients.

    region: taken away, or left alone; then lesions and marks are the pixels that changed, empty where the lungs were not found for certain.
    """
    chunks = []
    for start in range(0, n, CHUNK):
        chunks.append([_stored_or_drawn(chunk) for chunk in _chunks(settings, part, start, region)])
        if on_progress:
            on_progress(min(start + CHUNK, n), n)
    (clean, lesions), (planted, marks) = (
        (np.concatenate([chunk[variant][0] for chunk in chunks])[:n], np.concatenate([chunk[variant][1] for chunk in chunks])[:n])
        for variant in (0, 1)
    )
    return Patients(clean, planted, lesions, marks)


def n_missing(settings: LabSettings) -> int:
    """Patients whose features must be drawn before this training."""
    return CHUNK * len({(chunk.part, chunk.start) for chunk in _missing(settings)})


def seconds_to_draw(settings: LabSettings) -> float:
    """About, on one core: pictures that are there already, without the shortcut or with it, are not drawn again."""
    return CHUNK * SECONDS_A_PICTURE * len(_missing(settings))


def _chunks(settings: LabSettings, part: Part, start: int, region: str = "") -> tuple[Chunk, Chunk]:
    """Without the shortcut, and with it."""
    clean = Chunk(Lesions.of(settings), part, start, CLEAN, region, settings.trained.is_more_than_head)
    return clean, clean._replace(variant=tested_shortcut(settings))


def _missing(settings: LabSettings) -> list[Chunk]:
    wanted = (
        (Part.TRAIN, settings.patients, ""),
        (Part.TEST, TESTED, ""),
        *((Part.TEST, REGION_TESTED, region) for region in REGIONS_TESTED),
    )
    return [
        chunk
        for part, n, region in wanted
        for start in range(0, n, CHUNK)
        for chunk in _chunks(settings, part, start, region)
        if _find(chunk.name) is None
    ]


def _stored_or_drawn(chunk: Chunk) -> tuple[np.ndarray, np.ndarray]:
    stored = _read(chunk.name)
    return _write(chunk.name, *chunk.draw()) if stored is None else stored


def _find(name: str) -> Path | None:
    return next((folder / name for folder in (LAB, LAB_CACHE) if (folder / name).is_file()), None)


def _read(name: str) -> tuple[np.ndarray, np.ndarray] | None:
    """(features in steps, masks); None where there is no such file, or only damaged ones, and it is drawn anew into the project's own folder."""
    for folder in (LAB, LAB_CACHE):
        with contextlib.suppress(*DAMAGED_ARRAYS), np.load(folder / name) as stored:
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
    for chunk in _missing(LabSettings()):
        _write(chunk.name, *chunk.draw(), folder=to_write(LAB))


if __name__ == "__main__":
    ship()
