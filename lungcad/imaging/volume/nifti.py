"""NIfTI-1 and NIfTI-2 files (nibabel reads the header), turned by their own affine; nothing is read on a header's word alone."""

import gzip
import io
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from nibabel.spatialimages import HeaderDataError

from lungcad.errors import ImageError
from lungcad.imaging.hounsfield import HIGHEST, LOWEST, doubt
from lungcad.imaging.landmarks import misplaced_tissue
from lungcad.imaging.remarks import Remarks
from lungcad.imaging.volume.axial import axes_of, is_oblique, tilt_of, to_axial
from lungcad.imaging.volume.ct_volume import CTVolume, SliceSource
from lungcad.imaging.volume.dicom_series import check_size
from lungcad.imaging.volume.in_memory import SeriesFile
from lungcad.imaging.volume.series import Series
from lungcad.progress import Progress

_HEADERS = {348: Nifti1Header, 540: Nifti2Header}
_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""NIfTI's axes are right, front, head; DICOM's left, back, head."""
_MM_OF_UNIT = {1: 1000.0, 3: 0.001}
"""Of xyzt_units: metres and micrometres; anything else is taken for millimetres, as those files have it that do not say."""
_ALIKE = 0.99
"""Cosine of two directions that are one."""
_SQUARE = 0.02
"""Cosine of two axes that count as square to each other: 1 degree."""
_HEAD = 544
MAX_OFFSET = 1 << 24


def looks_like_nifti(head: bytes) -> bool:
    """Whether a file that begins with these (544) bytes is NIfTI, plain or gzipped."""
    if head[:2] == b"\x1f\x8b":
        try:
            head = zlib.decompressobj(wbits=31).decompress(head, _HEAD)
        except zlib.error:
            return False
    return head[:4] in (b"\x5c\x01\x00\x00", b"\x00\x00\x01\x5c", b"\x1c\x02\x00\x00", b"\x00\x00\x02\x1c") and (
        head[344:348] in (b"n+1\0", b"ni1\0") or head[4:8] in (b"n+2\0", b"ni2\0")
    )


def nifti_series(path: SeriesFile, file: int) -> Series:
    """The file as a series, by its header alone."""
    header, _ = _header(path)
    try:
        affine = _affine(header)
        shape, spacing = _usual(_shape(header), affine)
    except ImageError:  # said when it is opened
        shape, spacing = (0, 0, 0), (0.0, 0.0, 0.0)
    return Series("NIfTI volume", "", shape, spacing, nifti_file=file)


def load_nifti(path: SeriesFile, on_progress: Progress | None = None, *, file: int = 0) -> CTVolume:
    """file: its index in the study's list, for the slices' sources.

    Raises :class:`ImageError` for four dimensions, no orientation, NaN, colours, values that are no Hounsfield units, a wrong size."""
    header, head_bytes = _header(path)
    shape, dtype = _shape(header), _dtype(header)
    affine, (slope, intercept) = _affine(header), _scaling(header)
    n, *plane = shape[::-1]  # (k, j, i): the first index runs fastest
    hu, rounded = np.empty((n, *plane), dtype=np.int16), False
    for index, data in enumerate(_planes(path, _offset(header, head_bytes), n, int(np.prod(plane)) * dtype.itemsize)):
        values = np.frombuffer(data, dtype).reshape(plane).astype(np.float64) * slope + intercept
        if not np.isfinite(values).all():
            raise ImageError("The NIfTI file holds NaN or infinite values; export it again with finite ones.")
        if values.min() < -32768 or values.max() > HIGHEST:
            raise ImageError("The NIfTI file's values are far outside any Hounsfield range; export the CT itself, in Hounsfield units.")
        hu[index] = np.rint(values)
        rounded |= dtype.kind == "f" and bool((hu[index] != values).any())
        if on_progress:
            on_progress(index + 1, n)
    remarks = Remarks()
    impossible = hu < LOWEST
    if impossible.any():
        remarks.note(f"{impossible.mean():.1%} of the values are below any that a CT gives; they were taken for padding and read as air.")
        np.copyto(hu, -1000, where=impossible)
    if why := doubt(hu) or misplaced_tissue(hu):
        remarks.warn(why)
    if why := _contradiction(header):
        remarks.warn(why)
    if rounded:
        remarks.note("The file holds fractions of a Hounsfield unit; they were rounded to whole ones.")
    swapped = affine[:, [2, 1, 0, 3]]
    hu, turned = to_axial(hu, swapped)
    if is_oblique(turned):
        remarks.warn(f"The slices are oblique ({tilt_of(turned):.0f}° off the axis of the body); sides are marked after the nearest axis.")
    if why := _sheared(turned):
        remarks.warn(why)
    remarks.note("NIfTI says nothing of how or of whom a volume was taken; its values were read as Hounsfield units.")
    sources = tuple(SliceSource(file, index) for index in range(len(hu)))
    return CTVolume(hu, turned, sources, "NIfTI", notes=tuple(remarks.notes), warnings=tuple(remarks.warnings))


def _header(path: SeriesFile) -> tuple[Nifti1Header, int]:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        try:
            head = gzip.GzipFile(fileobj=file).read(_HEAD) if packed else file.read(_HEAD)
        except (OSError, EOFError, zlib.error):
            raise ImageError("The NIfTI file is damaged or cut short; export it again.") from None
    size = int.from_bytes(head[:4], "little")
    size = size if size in _HEADERS else int.from_bytes(head[:4], "big")
    if size not in _HEADERS or len(head) < size:
        raise ImageError("The NIfTI file is damaged or cut short; export it again.")
    if (head[344:348] if size == 348 else head[4:8]).startswith(b"ni"):
        raise ImageError("The NIfTI header's values lie in a second file (.hdr and .img); export it as one .nii file.")
    try:
        return _HEADERS[size].from_fileobj(io.BytesIO(head[:size]), check=False), size
    except Exception:  # nibabel raises many types on a damaged header
        raise ImageError("The NIfTI file's header is damaged; export it again.") from None


def _offset(header: Nifti1Header, head_bytes: int) -> int:
    """Where the values begin: behind the header, right there where it says 0 (as the standard's own library reads it)."""
    try:
        offset = int(header.get_data_offset())
    except (ValueError, OverflowError):  # NIfTI-1 holds it as a float, which may be none
        raise ImageError("The NIfTI file's header is damaged (it does not say where its values begin); export it again.") from None
    if offset > MAX_OFFSET or (offset != 0 and offset < head_bytes):
        raise ImageError("The NIfTI file's header is damaged (its values begin inside it, or too far in); export it again.")
    return offset or head_bytes


def _shape(header: Nifti1Header) -> tuple[int, int, int]:
    try:
        shape = tuple(int(side) for side in header.get_data_shape())
    except HeaderDataError:  # FreeSurfer's long vectors, of no length
        raise ImageError("The NIfTI file's header is damaged; export it again.") from None
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) != 3 or min(shape) < 1:
        raise ImageError(f"The NIfTI file has {len(shape)} dimensions ({' × '.join(map(str, shape))}); give one volume of three.")
    check_size(shape)
    if min(shape) < 2:
        raise ImageError(f"The NIfTI file holds {' × '.join(map(str, shape))} values, which is no volume.")
    return shape


def _dtype(header: Nifti1Header) -> np.dtype[Any]:
    try:
        dtype: np.dtype[Any] = np.dtype(header.get_data_dtype())
    except (KeyError, TypeError):
        raise ImageError("The NIfTI file's header is damaged (it names no known type of values); export it again.") from None
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        raise ImageError("The NIfTI file holds colours or complex numbers, not Hounsfield units; export it as int16.")
    return dtype


def _affine(header: Nifti1Header) -> np.ndarray:
    if int(header["sform_code"]) <= 0 and int(header["qform_code"]) <= 0:
        raise ImageError("The NIfTI file does not say how it lies in the patient (no sform, no qform), so left and right are unknown.")
    try:
        affine = _TO_LPS @ np.asarray(header.get_best_affine(), dtype=np.float64)
        affine[:3] *= _MM_OF_UNIT.get(int(header["xyzt_units"]) % 8, 1.0)
    except Exception:  # nibabel raises many types on damaged quaternions
        raise ImageError("The NIfTI file's orientation is damaged; export it again.") from None
    if not np.isfinite(affine).all() or np.linalg.norm(affine[:3, :3], axis=0).min() < 1e-3 or abs(np.linalg.det(affine)) < 1e-6:
        raise ImageError("The NIfTI file's spacing is zero or its axes coincide, so its place in the patient is unknown; export it again.")
    return np.asarray(affine)


def _sheared(affine: np.ndarray) -> str | None:
    """What to know of an affine, in the usual view, whose axes are not square to each other. Raises :class:`ImageError` where its pixels are no rectangles."""
    slices, rows, columns = (affine[:3, axis] / np.linalg.norm(affine[:3, axis]) for axis in range(3))
    if abs(rows @ columns) > _SQUARE:
        raise ImageError(
            "The NIfTI file's affine is sheared: its rows and columns are not square to each other; resample it onto a plain grid."
        )
    off = np.degrees(np.arccos(min(abs(float(np.cross(columns, rows) @ slices)), 1.0)))
    if np.sin(np.radians(off)) <= _SQUARE:
        return None
    return (
        f"The NIfTI file's affine is sheared: each slice lies off the one before, by {off:.0f}° (as under a tilted gantry, or by a registration); coronal and "
        "sagittal cuts follow it, and nothing was interpolated."
    )


def _contradiction(header: Nifti1Header) -> str | None:
    """Where the header says two things of how the volume lies. By the standard the sform counts; a reader that takes the qform or pixdim sees it mirrored,
    turned or of another size.
    """
    if int(header["sform_code"]) <= 0:
        return None
    one = np.asarray(header.get_sform(), dtype=np.float64)[:3, :3]
    lengths = np.linalg.norm(one, axis=0)
    if int(header["qform_code"]) > 0:
        try:
            other = np.asarray(header.get_qform(), dtype=np.float64)[:3, :3]
        except Exception:  # a damaged quaternion; the sform is there
            return None
        cosines = (one * other).sum(axis=0) / (lengths * np.linalg.norm(other, axis=0) + 1e-9)
        if (cosines < _ALIKE).any():
            return "The NIfTI file gives two orientations that contradict each other (sform, qform); the sform was taken, so check left and right."
    sides = np.abs(np.asarray(header["pixdim"], dtype=np.float64)[1:4])
    if np.isfinite(sides).all() and (sides > 0).all() and (np.abs(lengths / sides - 1) > 1 - _ALIKE).any():
        return (
            f"The NIfTI file gives two sizes of a voxel that contradict each other ({_sides(lengths)} in its sform, {_sides(sides)} in pixdim); the sform was "
            "taken, so check lengths and volumes."
        )
    return None


def _sides(lengths: np.ndarray) -> str:
    return " × ".join(f"{length:.3g}" for length in lengths)


def _usual(shape: tuple[int, int, int], affine: np.ndarray) -> tuple[tuple[int, int, int], tuple[float, float, float]]:
    order, _ = axes_of(affine)
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    return tuple(shape[axis] for axis in order), tuple(float(lengths[axis]) for axis in order)  # type: ignore[return-value]


def _scaling(header: Nifti1Header) -> tuple[float, float]:
    """scl_slope and scl_inter; a slope of 0 means none (the standard's own rule)."""
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0 or not np.isfinite(slope):
        return 1.0, 0.0
    return slope, intercept if np.isfinite(intercept) else 0.0


def _planes(path: SeriesFile, offset: int, n: int, plane_bytes: int) -> Iterator[bytes]:
    """The planes that the header speaks of, one after the other; never more, however much the file unpacks to."""
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            stream = gzip.GzipFile(fileobj=file) if packed else file
            stream.read(offset)
            for index in range(n):
                data = stream.read(plane_bytes)
                if len(data) != plane_bytes:
                    came = index * plane_bytes + len(data)
                    raise ImageError(
                        f"The NIfTI file has fewer values than it claims ({came:,} of {n * plane_bytes:,} bytes); it is cut short."
                    )
                yield data
    except (OSError, EOFError, zlib.error):
        raise ImageError("The NIfTI file is damaged or cut short; export it again.") from None
