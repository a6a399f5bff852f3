"""Mixed slices sorted into series that can each be shown as one volume, and what is left aside, with its reason."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from lungcad.imaging.volume.headers import SliceHeader
from lungcad.imaging.volume.layout import SAME_PLACE_MM


@dataclass(frozen=True)
class Series:
    """Slices of one block of voxels, in order along their normal (or one NIfTI file, without headers).

    description, kernel: as the scanner wrote them. spacing: mm between slices, rows and columns, the first the median. remarks: what was
    noticed while sorting, a sentence each.
    """

    description: str
    kernel: str
    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    headers: tuple[SliceHeader, ...] = ()
    nifti_file: int | None = None
    remarks: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Names the series without its identifiers."""
        named = [(header.series, header.sop_instance_uid, header.frame) for header in self.headers]
        return hashlib.sha256(repr(named or (self.nifti_file, self.shape)).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Sorted:
    """series: those with most slices first. left_aside: reason -> how many files or slices."""

    series: tuple[Series, ...]
    left_aside: dict[str, int] = field(default_factory=dict)


def sort_slices(headers: Iterable[SliceHeader]) -> Sorted:
    """Every slice in a series or left aside with a reason; whatever the order of the headers."""
    aside: Counter[str] = Counter()
    stacks: dict[tuple[object, ...], list[SliceHeader]] = defaultdict(list)
    for header in headers:
        if reason := _unfit(header):
            aside[reason] += 1
        else:
            stacks[(header.series, header.stack)].append(header)
    of_uid = Counter(series for series, _ in stacks)
    all_series: list[Series] = []
    for (series_key, _), members in stacks.items():
        shared = of_uid[series_key]
        remarks = (f"{shared} different stacks of slices carry one series UID; each is listed for itself.",) if shared > 1 else ()
        for part in _acquisitions(members):
            if len(part) < 2:
                aside["a single slice, which is no volume; the page Predict reads it"] += 1
            else:
                all_series.append(_series(part, remarks, n_parts=len(_acquisitions(members))))
    all_series.sort(key=lambda series: (-series.shape[0], series.description, series.id))
    return Sorted(tuple(all_series), dict(aside))


def _unfit(header: SliceHeader) -> str:
    """Why a slice can be in no volume; "" where it can."""
    if header.modality not in ("CT", ""):
        named = header.modality if header.modality.isalnum() and len(header.modality) <= 8 else "unknown"
        return f"of another modality ({named})"
    if header.is_localizer:
        return "a localizer (scout view)"
    if not header.rows or not header.columns:
        return "without an image"
    if header.cosines is None or not _are_directions(header.cosines):
        return "without a usable orientation (ImageOrientationPatient)"
    if header.position is None:
        return "without a usable position (ImagePositionPatient)"
    if header.pixel_spacing is None:
        return "without a usable pixel spacing (PixelSpacing)"
    return ""


def _are_directions(cosines: tuple[float, ...]) -> bool:
    along, down = np.array(cosines[:3]), np.array(cosines[3:])
    return bool(0.9 < np.linalg.norm(along) < 1.1 and 0.9 < np.linalg.norm(down) < 1.1 and abs(along @ down) < 0.05)


def normal_of(cosines: Sequence[float]) -> np.ndarray:
    """Unit normal of a slice; positions are sorted along it."""
    normal = np.cross(np.array(cosines[:3]), np.array(cosines[3:]))
    return np.asarray(normal / np.linalg.norm(normal))


def place_of(header: SliceHeader, normal: np.ndarray) -> float:
    """mm along the normal."""
    return float(np.array(header.position) @ normal)


def _acquisitions(members: list[SliceHeader]) -> list[list[SliceHeader]]:
    """The stack, or its repeated scans apart, where one part of the headers tells them apart without a repeated place left over."""
    if not _repeats(members):
        return [members]
    for index in range(len(members[0].acquisition)):
        parts = _by(members, lambda header, index=index: header.acquisition[index])  # type: ignore[misc]
        if len(parts) > 1 and not any(_repeats(part) for part in parts):
            return parts
    return [members]


def _by(members: list[SliceHeader], key: Callable[[SliceHeader], str]) -> list[list[SliceHeader]]:
    groups: dict[str, list[SliceHeader]] = defaultdict(list)
    for header in members:
        groups[key(header)].append(header)
    return [groups[name] for name in sorted(groups)]


def _repeats(members: list[SliceHeader]) -> bool:
    """Whether two slices lie at one place."""
    normal = normal_of(members[0].cosines or ())
    places = np.sort([place_of(header, normal) for header in members])
    return bool((np.diff(places) < SAME_PLACE_MM).any())


def _series(members: list[SliceHeader], remarks: tuple[str, ...], n_parts: int) -> Series:
    first = members[0]
    normal = normal_of(first.cosines or ())
    ordered = sorted(members, key=lambda header: (place_of(header, normal), header.file, header.frame))
    steps = np.diff([place_of(header, normal) for header in ordered])
    apart = steps[steps >= SAME_PLACE_MM]
    rows, columns = first.pixel_spacing or (0.0, 0.0)
    if n_parts > 1:
        remarks = (*remarks, f"The series holds {n_parts} acquisitions of the same places; each is listed for itself.")
    return Series(
        first.description,
        first.kernel,
        (len(ordered), first.rows, first.columns),
        (float(np.median(apart)) if len(apart) else 0.0, rows, columns),
        tuple(ordered),
        remarks=remarks,
    )
