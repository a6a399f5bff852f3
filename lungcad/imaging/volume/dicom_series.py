"""A sorted DICOM series, decoded by several threads into one volume."""

import copy
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import TypeVar

import numpy as np
from pydicom.dataset import Dataset

from lungcad.errors import ImageError
from lungcad.imaging.deadline import TimeIsUp, deadline
from lungcad.imaging.dicom.display import window_of
from lungcad.imaging.dicom.frames import flatten
from lungcad.imaging.dicom.parse import parse
from lungcad.imaging.dicom.pixels import check_claims, decode
from lungcad.imaging.dicom.rescale import padding_of, rescale
from lungcad.imaging.image import Scale, Unit
from lungcad.imaging.io import MAX_SECONDS
from lungcad.imaging.orientation import AS_USUAL, Orientation, pose_of
from lungcad.imaging.remarks import Remarks
from lungcad.imaging.volume.axial import is_oblique, tilt_of, to_axial
from lungcad.imaging.volume.ct_volume import MAX_VOXELS, CTVolume, SliceSource
from lungcad.imaging.volume.headers import SliceHeader
from lungcad.imaging.volume.in_memory import SeriesFile
from lungcad.imaging.volume.layout import SAME_PLACE_MM, Layout, layout_of
from lungcad.imaging.volume.series import Series, normal_of, place_of
from lungcad.imaging.window import Window
from lungcad.progress import Progress

DRIFT_MM = 5.0
"""How far, across the line through all slices, a slice of one stack may lie; a patient's width is some 400."""
REPORTED_TILT = 1.0
G = TypeVar("G")
T = TypeVar("T")


def check_size(shape: Sequence[int]) -> None:
    """Raises :class:`ImageError` for more voxels than memory is set aside for."""
    voxels = int(np.prod([int(side) for side in shape], dtype=object))
    if voxels > MAX_VOXELS:
        raise ImageError(
            f"The series claims {' × '.join(f'{side:,}' for side in shape)} voxels, {voxels * 2 / 2**30:,.1f} GiB; the limit is "
            f"{MAX_VOXELS * 2 / 2**30:.1f} GiB. Export fewer slices, or smaller ones."
        )


def load_dicom(series: Series, files: Sequence[SeriesFile], on_progress: Progress | None = None) -> CTVolume:
    """Raises :class:`ImageError` in one sentence for a series that cannot be shown as one volume."""
    check_size(series.shape)
    remarks = Remarks(notes=list(series.remarks))
    hu, headers, window = _decoded(series, files, remarks, on_progress)
    normal = normal_of(headers[0].cosines or ())
    places = np.array([place_of(header, normal) for header in headers])
    layout = layout_of(places, remarks)
    sources: list[SliceSource | None] = []
    for slot in range(len(layout.at)):
        index = layout.nearest(slot, places)
        shown = None if index is None else headers[index]
        sources.append(None if shown is None else SliceSource(shown.file, shown.frame, shown.sop_instance_uid))
    check_size((len(layout.at), *hu.shape[1:]))
    affine = _affine(headers, layout, remarks)
    hu, affine_axial = to_axial(_on_grid(hu, layout), affine)
    pose = pose_of(headers[0].cosines or ())
    orientation = pose.orientation if pose else Orientation.UNKNOWN
    if affine_axial[:3, 0] @ affine[:3, 0] < 0:  # the slices were turned round
        sources.reverse()
    if orientation in (Orientation.CORONAL, Orientation.SAGITTAL):
        sources = [None] * len(hu)
        remarks.warn(
            f"The series was acquired in {orientation} slices; the axial ones shown are cut through them, and no network reads them."
        )
    elif is_oblique(affine_axial):
        remarks.warn(
            f"The slices are oblique ({tilt_of(affine_axial):.0f}° off the axis of the body); sides are marked after the nearest axis."
        )
    turn = pose.turn if pose else AS_USUAL
    if turn:
        remarks.note(f"The slices are {turn} in the files; they were turned to the usual view.")
    volume = CTVolume(
        hu,
        affine_axial,
        tuple(sources),
        "DICOM",
        orientation,
        turn,
        window=window,
        synthetic=all(header.synthetic for header in headers),
        is_resampled=layout.is_resampled,
    )
    tilt, shear = tilt_of(affine_axial), max(map(abs, volume.shear))
    if tilt >= REPORTED_TILT and orientation is Orientation.AXIAL:
        kept = (
            "each slice lies off the one before, which coronal and sagittal cuts follow" if shear > 0.05 else "the cuts follow the slices"
        )
        remarks.note(f"The gantry was tilted by {tilt:.1f}°: {kept}. Nothing was interpolated for it.")
    return volume.with_remarks(notes=tuple(remarks.notes), warnings=tuple(remarks.warnings))


def _decoded(
    series: Series, files: Sequence[SeriesFile], remarks: Remarks, on_progress: Progress | None
) -> tuple[np.ndarray, list[SliceHeader], Window | None]:
    """int16 (slices, rows, columns) in order along the normal, without repeated places, and their headers."""
    hu = np.empty(series.shape, dtype=np.int16)
    said: list[Remarks] = []
    windows: list[Window] = []
    is_rounded = False
    at_file = sorted(range(len(series.headers)), key=lambda index: (series.headers[index].file, series.headers[index].frame))
    groups = [list(group) for _, group in groupby(at_file, key=lambda index: series.headers[index].file)]

    def read_file(indices: list[int]) -> list[tuple[Remarks, Window | None, bool]]:
        slices = []
        dataset = _checked(files[series.headers[indices[0]].file])
        for index in indices:
            own = Remarks()
            frame = series.headers[index].frame
            values, window = _slice_of(copy.copy(dataset) if len(indices) > 1 else dataset, frame, own)
            if values.shape != hu.shape[1:]:
                raise ImageError(f"A slice has {values.shape[1]}×{values.shape[0]} pixels, the others {hu.shape[2]}×{hu.shape[1]}.")
            whole = np.rint(values)
            hu[index] = np.clip(whole, -32768, 32767)
            slices.append((own, window, bool((whole != values).any())))
        return slices

    done = 0
    for planes in in_threads(read_file, groups, lambda position: f"File {position + 1} of {len(groups)} in this series: "):
        for own, window, rounded in planes:
            said.append(own)
            windows += [window] if window else []
            is_rounded |= rounded
        done += len(planes)
        if on_progress:
            on_progress(done, len(at_file))
    _gather(said, len(at_file), remarks)
    if is_rounded:
        remarks.note("The files hold fractions of a Hounsfield unit; they were rounded to whole ones.")
    kept = _without_repeats(hu, list(series.headers), remarks)
    headers = [series.headers[index] for index in kept]
    usual = Counter(windows).most_common(1)[0][0] if windows else None
    return (hu if len(kept) == len(hu) else hu[kept]), headers, usual


def in_threads(work: Callable[[G], T], groups: Sequence[G], named: Callable[[int], str]) -> Iterator[T]:
    """What ``work`` gave for each group, in their order, by one thread a core (decoders let go of the interpreter); the first fault ends it all."""
    with ThreadPoolExecutor(max_workers=min(os.cpu_count() or 1, 8)) as pool:
        futures = [pool.submit(work, group) for group in groups]
        try:
            for position, future in enumerate(futures):
                try:
                    yield future.result()
                except ImageError as error:
                    raise ImageError(named(position) + str(error)) from None
        finally:
            pool.shutdown(cancel_futures=True)


def _checked(path: SeriesFile) -> Dataset:
    try:
        return parse(path.read_bytes())
    except OSError:
        raise ImageError("The file can no longer be read; open the series again.") from None


def _slice_of(dataset: Dataset, frame: int, remarks: Remarks) -> tuple[np.ndarray, Window | None]:
    """Hounsfield units of one slice, on the file's grid."""
    try:
        with deadline(MAX_SECONDS):
            flatten(dataset, frame)
            check_claims(dataset)
            stored = decode(dataset, frame, remarks)
            if stored.ndim != 2:
                raise ImageError("The slice is a colour picture, not Hounsfield units, so it is no part of a volume.")
            stored, padding = padding_of(dataset, stored, remarks)
            values, unit = rescale(dataset, stored, padding, Scale.AUTO, remarks)
    except TimeIsUp:
        raise ImageError(f"Reading one slice takes longer than {MAX_SECONDS} s; export the series again.") from None
    if unit is not Unit.HU:
        reason = (remarks.notes + remarks.warnings)[-1]
        raise ImageError(f"{reason.split('; it was')[0].split('; they were')[0].rstrip('.')}, so the series is no CT volume.")
    return values, window_of(dataset, remarks)


def _gather(said: list[Remarks], n: int, remarks: Remarks) -> None:
    """One sentence a kind for all slices: those that differ in numbers only are one kind."""
    for kind, add in (("notes", remarks.note), ("warnings", remarks.warn)):
        sentences = [sentence for each in said for sentence in getattr(each, kind)]
        kinds = Counter(re.sub(r"[\d.,]+", "#", sentence) for sentence in sentences)
        for pattern, count in kinds.items():
            example = next(sentence for sentence in sentences if re.sub(r"[\d.,]+", "#", sentence) == pattern)
            add(example if count == n and len(set(sentences)) == 1 else f"{count} of {n} slices, for example: {example}")


def _without_repeats(hu: np.ndarray, headers: list[SliceHeader], remarks: Remarks) -> list[int]:
    """Indices of the slices to keep: of several at one place the first, where they are the same picture. Raises where they differ."""
    normal = normal_of(headers[0].cosines or ())
    kept: list[int] = []
    for index, header in enumerate(headers):
        if kept and place_of(header, normal) - place_of(headers[kept[-1]], normal) < SAME_PLACE_MM:
            if not np.array_equal(hu[index], hu[kept[-1]]):
                raise ImageError(
                    "Two different slices lie at one place, and nothing in the files says which of them belong together (two acquisitions in one "
                    "series, perhaps); export one acquisition."
                )
            apart = np.linalg.norm(np.subtract(header.position or (), headers[kept[-1]].position or ()))
            if apart >= SAME_PLACE_MM:
                raise ImageError(
                    f"One picture is said to lie at two places {apart:.0f} mm apart, so where the series lies in the patient is unknown; export it again."
                )
            continue
        kept.append(index)
    if dropped := len(headers) - len(kept):
        remarks.note(f"{dropped} slice{'s are copies' if dropped > 1 else ' is a copy'} of another at the same place and were left out.")
    if len(kept) < 2:
        raise ImageError("All slices lie at one place, so the spacing between slices is zero; export the series again.")
    return kept


def _on_grid(hu: np.ndarray, layout: Layout) -> np.ndarray:
    """The slices on the layout's grid: as they are, or interpolated between two."""
    at = layout.at
    if len(at) == len(hu) and np.array_equal(at, np.arange(len(hu))):
        return hu
    out = np.empty((len(at), *hu.shape[1:]), dtype=np.int16)
    for slot, place in enumerate(at):
        below = min(int(place), len(hu) - 2)
        share = np.float32(place - below)
        out[slot] = hu[below] if share == 0 else np.rint(hu[below] * (1 - share) + hu[below + 1] * share)
    return out


def _affine(headers: list[SliceHeader], layout: Layout, remarks: Remarks) -> np.ndarray:
    """From (slot, row, column) to patient mm: a line through all positions, in steps along the normal."""
    positions = np.array([header.position for header in headers], dtype=float)
    normal = normal_of(headers[0].cosines or ())
    along = positions @ normal
    slope, origin = np.polyfit(along - along[0], positions, 1) if len(positions) > 2 else (
        (positions[1] - positions[0]) / (along[1] - along[0]), positions[0],
    )  # fmt: skip
    off = np.linalg.norm(positions - (origin + np.outer(along - along[0], slope)), axis=1).max()
    rows, columns = headers[0].pixel_spacing or (0.0, 0.0)
    if off > DRIFT_MM:
        raise ImageError(f"The slices do not lie on one line (one is {off:.0f} mm off), so they are no volume; export the series again.")
    if off > max(rows, columns):
        remarks.warn(f"The slices lie up to {off:.1f} mm beside the line through them all; positions across the slices are as uncertain.")
    affine = np.eye(4)
    affine[:3, 0] = slope * layout.step
    affine[:3, 1] = np.array(headers[0].cosines[3:]) * rows  # type: ignore[index]
    affine[:3, 2] = np.array(headers[0].cosines[:3]) * columns  # type: ignore[index]
    affine[:3, 3] = origin + slope * (layout.first - along[0])
    return np.asarray(affine.round(9))
