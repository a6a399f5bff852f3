"""A CT series as one block of Hounsfield units that knows where it lies in the patient."""

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from lungcad.errors import ImageError
from lungcad.imaging.image import CTImage, Provenance, Unit
from lungcad.imaging.orientation import AS_USUAL, Orientation, Turn
from lungcad.imaging.window import Window

MAX_VOXELS = 400_000_000
"""Largest volume that is read: 800 MB as int16, about 1,500 slices of 512×512."""

MIN_SPACING_MM, MAX_SPACING_MM = 0.01, 50.0
MAX_POSITION_MM = 1e5


@dataclass(frozen=True)
class SliceSource:
    """Where a slice was acquired. file: index in the study's list of files. frame: from 0, in a file of several.

    sop_instance_uid: of the object in DICOM, for those that refer to it; never shown, logged or exported otherwise.
    """

    file: int
    frame: int = 0
    sop_instance_uid: str = ""


@dataclass(frozen=True, eq=False)
class CTVolume:
    """A series in the usual view: slices from the feet to the head, rows to the back, columns to the patient's left.

    hu: int16, (slices, rows, columns), read-only, Hounsfield units. affine: float64 (4, 4), from (slice, row, column, 1) to patient
    millimetres, DICOM's axes (x to the left, y to the back, z to the head; PS3.3 C.7.6.2.1.1); of a tilted gantry it is sheared.
    sources: of each slice the one it was acquired in, None for one that was interpolated over a gap or reformatted from another plane.
    turn: from the file's grid (rows, columns) to that of ``hu``. orientation: the plane of acquisition. sha256: of values and affine.
    notes, warnings: as in :class:`~lungcad.imaging.Provenance`.
    """

    hu: np.ndarray
    affine: np.ndarray
    sources: tuple[SliceSource | None, ...]
    format: str
    orientation: Orientation = Orientation.AXIAL
    turn: Turn = AS_USUAL
    window: Window | None = None
    synthetic: bool = False
    is_resampled: bool = False
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.hu.ndim != 3 or 0 in self.hu.shape or self.hu.dtype != np.int16:
            raise ImageError(f"Expected a volume of int16 (slices, rows, columns), got {self.hu.dtype} of shape {self.hu.shape}.")
        if self.affine.shape != (4, 4) or not np.isfinite(self.affine).all() or abs(np.linalg.det(self.affine)) < 1e-6:
            raise ImageError("The volume's position in the patient is not usable (its spacing is zero, or its axes coincide).")
        for spacing in np.linalg.norm(self.affine[:3, :3], axis=0):
            if not MIN_SPACING_MM <= spacing <= MAX_SPACING_MM:
                raise ImageError(
                    f"The volume's slices or pixels lie {spacing:,.3f} mm apart, which no CT's do ({MIN_SPACING_MM} to {MAX_SPACING_MM:.0f} mm); export it "
                    "again, whole and in millimetres."
                )
        if (away := np.abs(self.affine[:3, 3]).max()) > MAX_POSITION_MM:
            raise ImageError(f"The volume is said to lie {away / 1000:,.0f} m away from the scanner's middle; export it again.")
        if len(self.sources) != len(self.hu):
            raise ImageError(f"Expected a source for each of {len(self.hu)} slices, got {len(self.sources)}.")
        self.hu.setflags(write=False)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(slices, rows, columns)."""
        return self.hu.shape

    @property
    def spacing(self) -> tuple[float, float, float]:
        """mm between slices (along their normal), rows and columns."""
        rows, columns = np.linalg.norm(self.affine[:3, 1]), np.linalg.norm(self.affine[:3, 2])
        return abs(float(self.affine[:3, 0] @ self.normal)), float(rows), float(columns)

    @property
    def normal(self) -> np.ndarray:
        """The slices' normal, towards the head: unit vector in patient axes."""
        normal = np.cross(self.affine[:3, 2], self.affine[:3, 1])
        normal /= np.linalg.norm(normal)
        return normal if normal @ self.affine[:3, 0] > 0 else -normal

    @property
    def shear(self) -> tuple[float, float]:
        """(rows, columns) by which each slice lies off the one before, in pixels, measured across the normal; not 0 under a tilted gantry."""
        step = self.affine[:3, 0] - (self.affine[:3, 0] @ self.normal) * self.normal
        across = np.linalg.lstsq(self.affine[:3, 1:3], step, rcond=None)[0]
        return float(across[0]), float(across[1])

    @cached_property
    def sha256(self) -> str:
        """Of values and affine: what caches go by."""
        digest = hashlib.sha256((self.affine.round(3) + 0.0).tobytes() + repr(self.shape).encode())  # to a micrometre, without -0
        digest.update(np.ascontiguousarray(self.hu).data)
        return digest.hexdigest()

    def position_mm(self, index: int) -> float:
        """Of a slice along the normal, in mm; z where the slices are not tilted."""
        return float((self.affine[:3, 3] + index * self.affine[:3, 0]) @ self.normal)

    def point_mm(self, slice_index: float, row: float, column: float) -> tuple[float, float, float]:
        """(x, y, z) in patient mm of a voxel's middle."""
        x, y, z = (self.affine @ [slice_index, row, column, 1])[:3]
        return float(x), float(y), float(z)

    def voxel(self, point_mm: tuple[float, float, float]) -> tuple[float, float, float]:
        """(slice, row, column) of a point in patient mm, fractions included; perhaps outside."""
        slice_index, row, column = (np.linalg.inv(self.affine) @ [*point_mm, 1])[:3]
        return float(slice_index), float(row), float(column)

    def image(self, index: int) -> CTImage:
        """A slice as the networks read it."""
        _, rows, columns = self.spacing
        sha256 = hashlib.sha256(f"{self.sha256} {index}".encode()).hexdigest()
        provenance = Provenance(
            sha256, self.format, "HU 16-bit", synthetic=self.synthetic, warnings=self.warnings, frame=index + 1, frames=len(self.hu)
        )
        return CTImage(self.hu[index].astype(np.float32), Unit.HU, provenance, (rows, columns), self.window, orientation=Orientation.AXIAL)

    def to_dict(self) -> dict[str, object]:
        """What was read, for JSON: no identifiers."""
        return {
            "format": self.format,
            "shape": list(self.shape),
            "spacing_mm": [round(value, 6) for value in self.spacing],
            "affine": self.affine.tolist(),
            "sha256": self.sha256,
            "orientation": self.orientation.value,
            "resampled": self.is_resampled,
            "synthetic": self.synthetic,
            "notes": list(self.notes),
            "warnings": list(self.warnings),
        }

    def with_remarks(self, *, notes: tuple[str, ...] = (), warnings: tuple[str, ...] = ()) -> "CTVolume":
        """The same with more to say."""
        return replace(self, notes=(*self.notes, *notes), warnings=(*self.warnings, *warnings))
