"""De-identifies a DICOM file, or every DICOM image of a folder, into a new place."""

import io
import secrets
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ImplicitVRLittleEndian

from lungcad.errors import ImageError, LungcadError, OutputError
from lungcad.files import check_can_make, check_can_write, write_whole
from lungcad.imaging import read_image
from lungcad.imaging.burnt_in import burnt_in_marks
from lungcad.imaging.dicom import looks_like_dicom
from lungcad.imaging.dicom.elements import pixel_element, text
from lungcad.imaging.dicom.parse import parse
from lungcad.imaging.io import read_file
from lungcad.names import printable
from lungcad.progress import Progress
from lungcad.report.deidentify.profile import Changes, without_identity
from lungcad.report.deidentify.pseudonyms import Pseudonyms

OVER_BODY = "Letters over the body, and faces in a scan of the head, are not found: look at the pictures before you hand them on."


@dataclass
class Deidentified:
    """files: written, relative to the output. changes: what was done, by element, never a value. left_aside: why -> number of files.

    burnt_in: files of the output with what looks like text beside the body. unseen: those whose pixels could not be looked at.
    """

    files: list[str] = field(default_factory=list)
    changes: Changes = field(default_factory=Changes)
    left_aside: Counter[str] = field(default_factory=Counter)
    burnt_in: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)

    def add(self, name: str, cleaned: "_Cleaned") -> None:
        """One more file."""
        self.files.append(name)
        self.changes.update(cleaned.changes)
        if cleaned.has_text is None:
            self.unseen.append(name)
        elif cleaned.has_text:
            self.burnt_in.append(name)

    def to_dict(self) -> dict[str, Any]:
        """For JSON: keywords and counts, no value of any element and no name of an input file."""
        by_action: dict[str, dict[str, int]] = {}
        for (action, keyword), n in sorted(self.changes.items()):
            by_action.setdefault(action, {})[keyword] = n
        return {
            "files": self.files,
            "changes": by_action,
            "left_aside": dict(self.left_aside),
            "burnt_in_text": self.burnt_in,
            "pixels_not_looked_at": self.unseen,
            "warnings": self.warnings,
        }

    @property
    def warnings(self) -> list[str]:
        """What the user must look at, a sentence each."""
        sentences = [OVER_BODY]
        if self.burnt_in:
            sentences.insert(
                0,
                f"Burnt-in text beside the body in {len(self.burnt_in)} of {len(self.files)} files: {', '.join(self.burnt_in[:5])}. It is still there.",
            )
        if self.unseen:
            sentences.append(f"The pixels of {len(self.unseen)} files could not be looked at: {', '.join(self.unseen[:5])}.")
        return sentences


def deidentify(source: Path, out: Path, *, key: str | None = None, on_progress: Progress | None = None) -> Deidentified:
    """A file into a new file, or a folder into a new or empty one, as ``0001.dcm``, ``0002.dcm``, … in one folder a series.

    key: the same word maps the same UIDs, patients and dates alike another time; by default a random one. The input is never written to. Raises
    :class:`LungcadError` for what is no DICOM image, and where the output would overwrite something.
    """
    names, result = Pseudonyms(key.encode() if key else secrets.token_bytes(32)), Deidentified()
    if not source.is_dir():
        _check_new_file(source, out)
        cleaned = _cleaned(read_file(source), names)
        write_whole(out, cleaned.data)
        result.add(out.name, cleaned)
        return result
    _check_new_folder(source, out)
    paths = sorted(path for path in source.rglob("*") if path.is_file())
    n_of_series: Counter[str] = Counter()
    for done, path in enumerate(paths):
        if on_progress:
            on_progress(done, len(paths))
        try:
            cleaned = _cleaned(read_file(path), names)
        except ImageError as error:
            result.left_aside[_why(error)] += 1
            continue
        n_of_series[cleaned.series] += 1
        name = f"series-{list(n_of_series).index(cleaned.series) + 1:02d}/{n_of_series[cleaned.series]:04d}.dcm"
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        write_whole(out / name, cleaned.data)
        result.add(name, cleaned)
    if not result.files:
        raise ImageError(f"The folder {printable(source)!r} holds no DICOM image, so nothing was written.")
    return result


@dataclass(frozen=True)
class _Cleaned:
    """data: the new file. series: its new UID. has_text: whether text seems to be burnt in, None where the pixels could not be looked at."""

    data: bytes
    series: str
    changes: Changes
    has_text: bool | None


def _cleaned(data: bytes, names: Pseudonyms) -> _Cleaned:
    if not looks_like_dicom(data):
        raise ImageError("This is no DICOM file; only DICOM files are de-identified.")
    dataset = parse(data)
    if pixel_element(dataset) is None:
        raise ImageError("The DICOM file holds no pixels: a report or a plan, whose text may name the patient, is not de-identified.")
    if not (text(dataset, "SOPClassUID") and text(dataset, "SOPInstanceUID")):
        raise ImageError("The DICOM file lacks SOPClassUID or SOPInstanceUID, so it cannot be written again; export it from the archive.")
    changes = without_identity(dataset, names)
    try:
        cleaned = _bytes_of(dataset)
    except Exception:  # pydicom raises many types on a damaged element, and its messages quote values
        raise ImageError("The DICOM file is damaged and cannot be written again; export it from the archive.") from None
    return _Cleaned(cleaned, text(dataset, "SeriesInstanceUID"), changes, _has_text(cleaned, dataset))


def _has_text(data: bytes, dataset: Dataset) -> bool | None:
    if text(dataset, "BurnedInAnnotation") == "YES":
        return True
    try:
        return bool(burnt_in_marks(read_image(data)).words)
    except LungcadError:
        return None


def _bytes_of(dataset: Dataset) -> bytes:
    """With file meta information of its own: that of the input names who sent it, and its preamble may hold anything."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = getattr(dataset, "file_meta", Dataset()).get("TransferSyntaxUID", ImplicitVRLittleEndian)
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = dataset.SOPClassUID, dataset.SOPInstanceUID
    dataset.file_meta, dataset.preamble = meta, b"\0" * 128
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def _check_new_file(source: Path, out: Path) -> None:
    if out.exists():
        which = "the input itself" if source.exists() and out.samefile(source) else "there already"
        raise OutputError(f"The output {printable(out)!r} is {which}; name a new file.")
    check_can_write(out)


def _check_new_folder(source: Path, out: Path) -> None:
    inside = out.resolve()
    if inside.is_relative_to(source.resolve()) or source.resolve().is_relative_to(inside):
        raise OutputError("The output folder lies in the input, or the input in it; name a folder elsewhere.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputError(f"The output {printable(out)!r} is there already and not empty; name a new folder.")
    check_can_make(out)


def _why(error: ImageError) -> str:
    """The sentence's first part, to be counted."""
    return str(error).split(";")[0].split(",")[0].rstrip(".")
