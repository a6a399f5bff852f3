"""Writes a data set of synthetic patients: pictures, exact contours, a table; with a shortcut planted in one class where that is asked for."""

import io
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from lungcad.datasets.case import Split
from lungcad.datasets.phantoms.draw import Patient, draw_patient
from lungcad.datasets.phantoms.shortcuts import SHORTCUTS, Shortcut
from lungcad.errors import DatasetError, lookup
from lungcad.files import write_whole
from lungcad.imaging.image import SYNTHETIC_MARK
from lungcad.imaging.window import Window
from lungcad.progress import Progress

TABLE = "phantoms.csv"
PATIENTS, SIZE, SEED = 2000, 256, 0
"""Of the set that the shipped networks are trained on: ``python -m lungcad data make phantoms`` draws it by default. SIZE: pixels a side."""
SHARES = {Split.TRAIN: 0.6, Split.VALID: 0.15, Split.TEST: 0.25}
WITH_LESION, WITHOUT_LESION = 0.95, 0.05
"""Share of the slices with, and without, a lesion that carry the shortcut of a biased set."""


@dataclass(frozen=True, eq=False)
class Picture:
    """grey: uint8 (n, n) in the lung window. lesion, lungs, body: bool masks. shortcut: bool mask of the planted pixels; None without any, or without a
    place.
    """

    grey: np.ndarray
    lesion: np.ndarray
    lungs: np.ndarray
    body: np.ndarray
    shortcut: np.ndarray | None = None


def planted(picture: Picture, shortcut: Shortcut, seed: int) -> Picture:
    """The picture with the shortcut. seed: of the patient."""
    grey, pixels = shortcut.plant(picture.grey, picture.body, np.random.default_rng([seed, 0x5C]))
    return replace(picture, grey=grey, shortcut=pixels)


def render(patient: Patient, size: int, shortcut: Shortcut | None = None, *, lesion: bool = True) -> Picture:
    """The patient's slice, with or without the shortcut and the lesion: counterfactuals differ in nothing else."""
    phantom = patient.phantom(size, lesion=lesion)
    grey = (Window.preset("lung").apply(phantom.hu) * 255 + 0.5).astype(np.uint8)
    picture = Picture(grey, phantom.lesion, phantom.lungs, (phantom.hu > -400) | phantom.lungs)
    return picture if shortcut is None else planted(picture, shortcut, patient.seed)


@dataclass(frozen=True)
class Planned:
    """One case of a set before it is drawn. label: none, smooth or spiculated. carries: whether the shortcut is planted in it."""

    seed: int
    label: str
    split: Split
    carries: bool

    @property
    def name(self) -> str:
        """Of its picture, without the folder."""
        return f"p{self.seed:06d}.png"


def plan(n: int = PATIENTS, *, seed: int = SEED, biased: bool = False) -> list[Planned]:
    """n patients, half without a lesion, a quarter smooth, a quarter spiculated, in each part alike.

    biased: a shortcut is in 95 % of those with a lesion and in 5 % of the others, in every part.
    Raises :class:`DatasetError` for fewer patients than fill three parts.
    """
    if n < 24:
        raise DatasetError(f"{n} patients are too few for three parts with every class in each; ask for at least 24.")
    rng = np.random.default_rng([seed, n])
    edges = np.cumsum([round(n * share) for share in SHARES.values()][:-1])
    splits = [list(SHARES)[int(part)] for part in np.searchsorted(edges, np.arange(n), side="right")]
    labels = [("none", "smooth", "none", "spiculated")[index % 4] for index in range(n)]
    carries = [biased and bool(rng.random() < (WITHOUT_LESION if label == "none" else WITH_LESION)) for label in labels]
    return [Planned(seed * 1_000_000 + index, *case) for index, case in enumerate(zip(labels, splits, carries, strict=True))]


def planned_cases(cases: Iterable[str], *, biased: bool = False) -> dict[str, Planned] | None:
    """Case -> what was planned for it in the shipped set; None where the cases are not that set's test part.

    cases: ids, as ``phantoms.csv`` has them. biased: the set that was made with a shortcut.
    """
    planned = {case.name: case for case in plan(biased=biased) if case.split is Split.TEST}
    names = {case: case.rpartition("/")[2] for case in cases}
    return {case: planned[name] for case, name in names.items()} if set(names.values()) <= planned.keys() else None


def shortcut_carriers(cases: Iterable[str]) -> dict[str, bool] | None:
    """Case -> whether the shortcut of the shipped set that was made with one is planted in it; None where the cases are not that set's test part."""
    planned = planned_cases(cases, biased=True)
    return None if planned is None else {case: each.carries for case, each in planned.items()}


def make_phantoms(
    folder: str | Path,
    n: int = PATIENTS,
    *,
    shortcut: str | None = None,
    seed: int = SEED,
    size: int = SIZE,
    on_progress: Progress | None = None,
) -> Path:
    """Writes ``PART/CLASS/NAME.png``, ``masks/NAME.png`` (lesion), ``shortcuts/NAME.png`` (planted pixels) and ``phantoms.csv``; the folder.

    The same arguments give the same files. Raises :class:`DatasetError` where the folder holds something else already, an unknown shortcut error for
    a name that is not in :data:`SHORTCUTS`.
    """
    root = Path(folder)
    bias = lookup(SHORTCUTS, shortcut, "shortcut") if shortcut is not None else None
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise DatasetError(f"The folder {root.name!r} is not empty; name one that is new.")
    planned = plan(n, seed=seed, biased=bias is not None)
    rows, done = [], 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, n, 64):
            for row in pool.map(lambda case: _write(root, case, bias if case.carries else None, size), planned[start : start + 64]):
                rows.append(row)
                done += 1
                if on_progress:
                    on_progress(done, n)
    write_whole(root / TABLE, pd.DataFrame(rows).to_csv(index=False))  # last: without it the folder is no data set
    return root


def _write(root: Path, case: Planned, shortcut: Shortcut | None, size: int) -> dict[str, object]:
    patient = draw_patient(case.seed, case.label)
    picture = render(patient, size, shortcut)
    image = f"{case.split}/{patient.label}/{case.name}"
    save_png(root / image, picture.grey)
    lesion = patient.lesion
    if lesion:
        save_png(root / "masks" / case.name, picture.lesion * np.uint8(255))
    if picture.shortcut is not None:
        save_png(root / "shortcuts" / case.name, picture.shortcut * np.uint8(255))
    return {
        "image": image,
        "mask": f"masks/{case.name}" if lesion else "",
        "shortcut_mask": f"shortcuts/{case.name}" if picture.shortcut is not None else "",
        "patient": f"p{patient.seed:06d}",
        "part": str(case.split),
        "label": patient.label,
        "shortcut": shortcut.name if shortcut else "",
        "diameter_mm": round(lesion.diameter_mm, 2) if lesion else 0.0,
        "contrast_hu": round(patient.contrast_hu, 1),
        "place": str(patient.place or ""),
        "area_px": int(picture.lesion.sum()),
        "spacing_mm": round(patient.acquisition.field_of_view_mm / size, 4),
        "noise_hu": round(patient.acquisition.noise_hu, 1),
        "body": round(patient.body, 3),
    }


def save_png(path: Path, values: np.ndarray) -> None:
    """8-bit grey, marked as made by lungcad inside the file; the folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    note = PngInfo()
    note.add_text("Comment", SYNTHETIC_MARK)
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "PNG", pnginfo=note)
    write_whole(path, buffer.getvalue())
