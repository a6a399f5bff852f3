"""A folder, a zip or several files -> the CT series in them, and one of them as a volume."""

import io
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lungcad.errors import ImageError
from lungcad.imaging.deadline import TimeIsUp, deadline
from lungcad.imaging.dicom.elements import text
from lungcad.imaging.dicom.parse import looks_like_dicom, parse
from lungcad.imaging.io import MAX_SECONDS
from lungcad.imaging.volume.ct_volume import CTVolume
from lungcad.imaging.volume.dicom_series import in_threads, load_dicom
from lungcad.imaging.volume.headers import SliceHeader, headers_of
from lungcad.imaging.volume.in_memory import MemoryFile, SeriesFile
from lungcad.imaging.volume.nifti import load_nifti, looks_like_nifti, nifti_series
from lungcad.imaging.volume.series import Series, sort_slices
from lungcad.private_folder import private_folder
from lungcad.progress import Progress
from lungcad.unpack import Limits, read_zip, take_files, unpack_zip

MAX_FILES = 10_000
LIMITS = Limits(total=4 << 30, files=MAX_FILES)
MAX_FILE_BYTES = 2 << 30
ZIP = (b"PK\x03\x04", b"PK\x05\x06")
"""How a zip begins; the second one is empty."""
_PLAIN = re.compile(r"(?:(?!\.+/)[\w .()-]{1,100}/){0,7}(?!\.+$)[\w .()-]{1,100}", re.ASCII)


@dataclass(frozen=True)
class Study:
    """What was found. files: that were read, in the order of their names. left_aside: reason -> how many."""

    files: tuple[SeriesFile, ...]
    series: tuple[Series, ...]
    left_aside: dict[str, int] = field(default_factory=dict)

    def choose(self, number: int | None = None) -> Series:
        """The only series, or the one of that number, from 1. Raises :class:`ImageError` that lists them where it must be chosen."""
        listed = "; ".join(f"{i + 1}: {describe(series)}" for i, series in enumerate(self.series))
        if not self.series:
            raise ImageError("There is no CT series in it" + (f" ({self.aside_text()})." if self.left_aside else "."))
        if number is None and len(self.series) > 1:
            raise ImageError(f"There are {len(self.series)} series; choose one by its number. {listed}.")
        if number is not None and not 1 <= number <= len(self.series):
            raise ImageError(f"There is no series {number}; choose one of: {listed}.")
        return self.series[(number or 1) - 1]

    def aside_text(self) -> str:
        """What was left aside, as a list in words."""
        return "; ".join(f"{count:,} left aside: {reason}" for reason, count in self.left_aside.items())


def describe(series: Series) -> str:
    """In a line: description, slices, spacing, kernel."""
    n, rows, columns = series.shape
    apart, down, _ = series.spacing
    named = [series.description or "without description", f"{n} slices of {columns}×{rows}", f"{apart:.2f} mm apart, pixels {down:.2f} mm"]
    return ", ".join([*named, *([f"kernel {series.kernel}"] if series.kernel else [])])


@contextmanager
def opened(source: Path | Sequence[tuple[str, bytes]], on_progress: Progress | None = None) -> Iterator[Study]:
    """The study in a folder, a zip, a single file, or in files dropped at once (name, content), which are unpacked for as long as the
    block lasts.

    Raises a :class:`~lungcad.errors.LungcadError` in one sentence for what cannot be read at all.
    """
    with private_folder() as temporary:
        yield find_series(_files(source, temporary), on_progress)


def study_in_memory(data: bytes, limits: Limits, on_progress: Progress | None = None) -> Study:
    """The study in the bytes of a zip or of a single file; nothing of it is written to the disk. Raises as :func:`opened` does."""
    contents = read_zip(io.BytesIO(data), limits=limits) if data.startswith(ZIP) else [data]
    return find_series([MemoryFile(content) for content in contents], on_progress)


def read_volume(source: Path | str, *, series: int | None = None, on_progress: Progress | None = None) -> CTVolume:
    """The only series of a folder, zip or file, or the one of that number (from 1)."""
    with opened(Path(source)) as study:
        return load(study, study.choose(series), on_progress)


def load(study: Study, series: Series, on_progress: Progress | None = None) -> CTVolume:
    """One series of the study as a volume; the study must still be open."""
    if series.nifti_file is not None:
        return load_nifti(study.files[series.nifti_file], on_progress, file=series.nifti_file)
    return load_dicom(series, study.files, on_progress)


def _files(source: Path | Sequence[tuple[str, bytes]], temporary: Path) -> list[Path]:
    if not isinstance(source, Path):
        if len(source) == 1 and source[0][1].startswith(ZIP):
            unpack_zip(io.BytesIO(source[0][1]), temporary, limits=LIMITS)
        elif len(source) == 1:  # a NIfTI file may be gzipped
            (temporary / "file").write_bytes(source[0][1])
        else:
            names = _paths_inside([name for name, _ in source])
            take_files(((name, data) for name, (_, data) in zip(names, source, strict=True)), temporary, limits=LIMITS)
        return _walk(temporary)
    try:
        if source.is_dir():
            return _walk(source)
        if not source.is_file():
            raise ImageError("There is no such file or folder; check the path.")
        with source.open("rb") as file:
            if file.read(4) not in ZIP:
                return [source]
            unpack_zip(file, temporary, limits=LIMITS)
            return _walk(temporary)
    except (OSError, ValueError) as error:
        if isinstance(error, ValueError) and type(error) is not ValueError:
            raise  # an error of ours
        raise ImageError("The file or folder cannot be read; check the path and its permissions.") from None


def _paths_inside(names: Sequence[str]) -> list[str]:
    """As the files were called, by which readers' marks find their slices; by their number where a name is no path for every system, or two are one."""
    is_plain = all(_PLAIN.fullmatch(name) for name in names) and len({name.lower() for name in names}) == len(names)
    return list(names) if is_plain else [f"{index:06d}" for index in range(len(names))]


def _walk(folder: Path) -> list[Path]:
    paths: list[Path] = []
    for parent, folders, names in os.walk(folder):
        folders.sort()
        paths += [Path(parent, name) for name in sorted(names) if not name.startswith(".")]
        if len(paths) > MAX_FILES:
            raise ImageError(f"There are more than {MAX_FILES:,} files; give the folder of one study.")
    return paths


def find_series(files: Sequence[SeriesFile], on_progress: Progress | None = None) -> Study:
    """Reads every file's header; what is no CT slice is left aside with its reason."""
    if not files:
        raise ImageError("There are no files in it; give a folder or zip of DICOM files, or a NIfTI file.")
    headers: list[SliceHeader] = []
    nifti: list[Series] = []
    aside: Counter[str] = Counter()

    def read(indices: range) -> list[list[SliceHeader] | Series | str]:
        return [_read_header(files[index], index) for index in indices]

    done = 0
    for read_files in in_threads(read, [range(start, min(start + 16, len(files))) for start in range(0, len(files), 16)], lambda _: ""):
        for one in read_files:
            if isinstance(one, Series):
                nifti.append(one)
            elif isinstance(one, str):
                aside[one] += 1
            else:
                headers.extend(one)
        done += len(read_files)
        if on_progress:
            on_progress(done, len(files))
    ordered = sort_slices(headers)
    return Study(tuple(files), (*ordered.series, *nifti), {**ordered.left_aside, **aside})


def _read_header(path: SeriesFile, index: int) -> list[SliceHeader] | Series | str:
    """The file's slices, its NIfTI volume, or why it is left aside."""
    try:
        if not path.is_file():  # a pipe would be waited for
            return "a file that cannot be read"
        with path.open("rb") as file:
            head = file.read(1024)
            if looks_like_nifti(head):
                return nifti_series(path, index)
            if not looks_like_dicom(head):
                return "a file that is neither DICOM nor NIfTI"
            if file.seek(0, os.SEEK_END) > MAX_FILE_BYTES:
                return f"a file of more than {MAX_FILE_BYTES >> 30} GiB"
            file.seek(0)
            data = file.read()
        with deadline(MAX_SECONDS):
            dataset = parse(data, headers_only=True)
            if text(dataset, "Modality") == "" and "Rows" not in dataset:
                return "without an image"
            return headers_of(dataset, index)
    except OSError:
        return "a file that cannot be read"
    except ImageError as error:
        return _small(str(error))
    except TimeIsUp:
        return f"a file that takes longer than {MAX_SECONDS} s to read"


def _small(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].rstrip(".")
