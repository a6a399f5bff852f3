"""Synthetic axial thorax slices in Hounsfield units with known lungs and a known lesion.

They exercise readers, geometry and explanations where no patient data may lie; :mod:`lungcad.datasets.phantoms` draws a data set of them.
Tissue values follow Kalender, "Computed Tomography", 3rd ed., 2011, figure 1.9.
"""

import io
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import numpy as np
import pydicom
import scipy  # its parts are imported when a phantom is drawn
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, generate_uid

from lungcad import paths
from lungcad.errors import ImageError
from lungcad.imaging.canvas import Canvas
from lungcad.imaging.image import SYNTHETIC_MARK, CTImage, Provenance, Unit
from lungcad.imaging.window import Window

AIR, LUNG, FAT, MUSCLE, BLOOD, SPONGY_BONE, CORTICAL_BONE, LESION = -1000, -860, -100, 50, 45, 220, 700, 35
FIELD_OF_VIEW_MM = 400.0


class Edge(StrEnum):
    """Outline of a lesion."""

    SMOOTH = "smooth"
    SPICULATED = "spiculated"


@dataclass(frozen=True)
class Lesion:
    """centre_mm: (down, right) from the middle of the slice. diameter_mm: of its core. opacity: 1 solid, less for ground glass, through
    which the lung shows. seed: draws its outline apart from all else, so that the slice with and without it differ in nothing more.
    within_lung: what would lie in the chest wall is cut off, so that the contour holds only what can be seen.
    """

    centre_mm: tuple[float, float]
    diameter_mm: float
    edge: Edge = Edge.SMOOTH
    opacity: float = 1.0
    seed: int | None = None
    within_lung: bool = False


@dataclass(frozen=True)
class Acquisition:
    """How the slice was taken. blur: of the scanner, in pixels (standard deviation). sharpening: of the reconstruction kernel, 0 for a soft
    one. noise_hu, grain: strength of the noise and its size in pixels.
    """

    field_of_view_mm: float = FIELD_OF_VIEW_MM
    blur: float = 0.6
    sharpening: float = 0.0
    noise_hu: float = 18.0
    grain: float = 0.7


@dataclass(frozen=True, eq=False)
class Phantom:
    """hu: float32 (n, n). lungs, lesion: bool masks of the same shape. spacing_mm: between pixels."""

    hu: np.ndarray
    lungs: np.ndarray
    lesion: np.ndarray
    spacing_mm: float
    seed: int

    def image(self) -> CTImage:
        """As read from a file, in Hounsfield units."""
        spacing = (self.spacing_mm, self.spacing_mm)
        return CTImage(self.hu, Unit.HU, Provenance("", "phantom", "HU", synthetic=True), spacing, Window.preset("lung"))

    def png(self, window: Window | None = None) -> bytes:
        """8-bit grey PNG in a display window (by default lung), marked as synthetic inside the file."""
        return self._marked_png((window or Window.preset("lung")).apply(self.hu))

    def nodule_crop(self, side: int = 128) -> bytes:
        """PNG of the square around the lesion, stretched from its own minimum to its own maximum, as LIDC-IDRI's nodules are published here."""
        row, column = (round(axis.mean()) - side // 2 for axis in np.nonzero(self.lesion))
        crop = NODULE_WINDOW.apply(self.hu)[row : row + side, column : column + side]
        return self._marked_png((crop - crop.min()) / (crop.max() - crop.min()))

    def _marked_png(self, grey: np.ndarray) -> bytes:
        info = PngInfo()
        info.add_text("Comment", f"{SYNTHETIC_MARK}, seed {self.seed}")
        buffer = io.BytesIO()
        Image.fromarray((grey * 255 + 0.5).astype(np.uint8)).save(buffer, "PNG", pnginfo=info)
        return buffer.getvalue()

    def dicom(self) -> bytes:
        """A CT Image Storage object (PS3.3 A.3), marked as synthetic; UIDs are derived from the seed."""
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = CTImageStorage
        meta.MediaStorageSOPInstanceUID = UID(self._uid("instance"))
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds = FileDataset(io.BytesIO(), {}, file_meta=meta, preamble=b"\0" * 128)
        ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
        ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = map(self._uid, ("study", "series", "frame"))
        ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientSex = "Synthetic^Phantom", f"PHANTOM-{self.seed}", "", "O"
        ds.StudyDate, ds.StudyTime, ds.StudyID, ds.AccessionNumber, ds.ReferringPhysicianName = "20260101", "000000", "1", "", ""
        ds.Modality, ds.Manufacturer, ds.ImageType = "CT", "lungcad", ["DERIVED", "SECONDARY", "AXIAL"]
        ds.ImageComments = SYNTHETIC_MARK
        ds.SeriesNumber, ds.InstanceNumber, ds.AcquisitionNumber, ds.PositionReferenceIndicator = 1, 1, 1, ""
        ds.PixelSpacing, ds.SliceThickness, ds.KVP = [self.spacing_mm] * 2, 1.0, 120
        ds.ImagePositionPatient, ds.ImageOrientationPatient = [-self.spacing_mm * len(self.hu) / 2] * 2 + [0], [1, 0, 0, 0, 1, 0]
        ds.Rows, ds.Columns = self.hu.shape
        ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PixelRepresentation = 1, "MONOCHROME2", 0
        ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, 12, 11
        ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = -1024, 1, "HU"
        ds.WindowCenter, ds.WindowWidth = -600, 1500
        ds.PixelData = np.clip(np.rint(self.hu) + 1024, 0, 4095).astype("<u2").tobytes()
        buffer = io.BytesIO()
        pydicom.dcmwrite(buffer, ds, enforce_file_format=True)
        return buffer.getvalue()

    def _uid(self, what: str) -> str:
        return generate_uid(entropy_srcs=["lungcad phantom", what, str(self.seed)])


def make_phantom(
    seed: int, *, size: int = 512, lesion: Lesion | None = None, body: float = 1.0, scars: int = 0, acquisition: Acquisition = Acquisition()
) -> Phantom:
    """A slice at mid-chest. Size, place and shape of the organs vary with the seed; so do vessels and noise.

    body: size of the patient, 1 for the usual one. scars: dense bands in the lungs that are no lesions.
    Raises :class:`ImageError` when the lesion's centre does not lie in a lung.
    """
    rng = np.random.default_rng(seed)
    field = acquisition.field_of_view_mm / body  # all that follows is in the millimetres of a usual body
    spacing = field / size
    canvas = Canvas(size, field)
    down, right, inside, paint = canvas.down, canvas.right, canvas.inside, canvas.paint

    def vary(value: float, share: float = 0.06) -> float:
        return value * (1 + rng.uniform(-share, share))

    hu = canvas.hu
    body_y, body_x = vary(112), vary(168)
    paint(inside(0, 0, body_y, body_x, power=2.4), FAT)
    paint(inside(2, 0, body_y - vary(14, 0.3), body_x - vary(16, 0.3), power=2.4), MUSCLE)

    lungs = np.zeros((size, size))
    for side in (-1, 1):  # the heart takes room from the lung on the image's right, the patient's left
        lung_x = vary(50 if side < 0 else 46)
        lungs = np.maximum(lungs, inside(vary(-4, 0.5), side * vary(76, 0.04), vary(78), lung_x, angle=side * vary(8, 0.5), power=2.3))
    heart = inside(-22, vary(22), vary(46), vary(56), angle=-20)
    mediastinum = inside(10, 0, 75, vary(26))
    lungs = lungs * (1 - np.maximum(heart, mediastinum))
    paint(lungs, LUNG)
    hu += lungs * scipy.ndimage.gaussian_filter(rng.normal(size=hu.shape), 6 / spacing * 0.78) * 120  # uneven aeration

    paint(_vessels(rng, lungs > 0.5, spacing, field), BLOOD)
    if scars:
        paint(_scars(np.random.default_rng([seed, scars]), scars, lungs > 0.5, down, right, spacing), MUSCLE)
    paint(np.maximum(heart, mediastinum), BLOOD - 5)
    paint(inside(30, vary(24), 12, 12), BLOOD + 100)  # descending aorta, with contrast
    paint(inside(-2, 0, 8, 9), AIR)  # trachea

    spine = 72 * body_y / 112
    paint(inside(spine, 0, 19, 22), CORTICAL_BONE)
    paint(inside(spine, 0, 16, 19), SPONGY_BONE)
    paint(inside(spine + 27, 0, 13, 6), CORTICAL_BONE * 0.7)
    paint(inside(spine + 18, 0, 7, 8), MUSCLE - 20)  # spinal canal
    paint(inside(-body_y + 26, 0, 7, 18), SPONGY_BONE + 100)  # sternum
    for angle in np.arange(20, 340, 27) + rng.uniform(-6, 6):  # ribs, cut obliquely
        theta = np.radians(angle)
        y, x = -np.cos(theta) * (body_y - 19), np.sin(theta) * (body_x - 24)
        tangent = np.degrees(np.arctan2(np.sin(theta) * (body_y - 19), np.cos(theta) * (body_x - 24)))
        paint(inside(y, x, 4.5, 11, angle=-tangent), CORTICAL_BONE)
        paint(inside(y, x, 2.5, 8.5, angle=-tangent), SPONGY_BONE)

    mask = np.zeros((size, size), dtype=bool)
    if lesion is not None:
        scaled = replace(lesion, centre_mm=(lesion.centre_mm[0] / body, lesion.centre_mm[1] / body), diameter_mm=lesion.diameter_mm / body)
        row, column = (int(np.clip((c + field / 2) / spacing, 0, size - 1)) for c in scaled.centre_mm)
        if lungs[row, column] < 0.5:
            raise ImageError(f"The lesion's centre {lesion.centre_mm} mm is not inside a lung of this phantom; move it.")
        own = rng if lesion.seed is None else np.random.default_rng(lesion.seed)
        coverage = _lesion(own, scaled, down, right, spacing)
        coverage = coverage * lungs if lesion.within_lung else coverage
        paint(coverage * lesion.opacity, LESION)
        mask = coverage > 0.5

    hu = scipy.ndimage.gaussian_filter(hu, acquisition.blur)
    noise = scipy.ndimage.gaussian_filter(rng.normal(size=hu.shape), acquisition.grain)
    hu += noise * acquisition.noise_hu * 2.2 * (acquisition.grain / 0.7)  # of about that standard deviation for any grain
    if acquisition.sharpening:
        hu += acquisition.sharpening * (hu - scipy.ndimage.gaussian_filter(hu, 1.5))
    return Phantom(np.clip(hu, -1024, 3071).astype(np.float32), lungs > 0.5, mask, acquisition.field_of_view_mm / size, seed)


def _scars(rng: np.random.Generator, n: int, lungs: np.ndarray, down: np.ndarray, right: np.ndarray, spacing: float) -> np.ndarray:
    """Thin bands of 10 to 30 mm, anywhere in the lungs: coverage in [0, 1]."""
    bands = np.zeros(lungs.shape)
    rows, columns = np.nonzero(lungs)
    for _ in range(n):
        pick = rng.integers(len(rows))
        angle, half, width = rng.uniform(0, np.pi), rng.uniform(5, 15), rng.uniform(0.6, 1.4)
        y, x = down - down[rows[pick], columns[pick]], right - right[rows[pick], columns[pick]]
        along, across = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
        beyond = np.maximum(np.abs(along) - half, 0)
        bands = np.maximum(bands, np.clip((width - np.hypot(across, beyond)) / spacing + 0.5, 0, 1))
    return np.asarray(bands * lungs)


def _lesion(rng: np.random.Generator, lesion: Lesion, down: np.ndarray, right: np.ndarray, spacing: float) -> np.ndarray:
    y, x = down - lesion.centre_mm[0], right - lesion.centre_mm[1]
    theta = np.arctan2(y, x)
    radius = np.full_like(theta, lesion.diameter_mm / 2)
    if lesion.edge is Edge.SPICULATED:
        for _ in range(rng.integers(9, 14)):
            direction, width, length = rng.uniform(-np.pi, np.pi), rng.uniform(0.06, 0.12), rng.uniform(0.4, 1.0)
            off = np.angle(np.exp(1j * (theta - direction)))
            radius += lesion.diameter_mm / 2 * length * np.exp(-((off / width) ** 2))
    radius *= 1 + 0.06 * np.sin(3 * theta + rng.uniform(0, 6)) + 0.04 * np.sin(5 * theta + rng.uniform(0, 6))
    return np.clip((radius - np.hypot(y, x)) / spacing + 0.5, 0, 1)


def _vessels(rng: np.random.Generator, lungs: np.ndarray, spacing: float, field: float) -> np.ndarray:
    """Branching tubes from both hila, thinner outwards: coverage in [0, 1]."""
    discs = []
    branches = []
    for side in (-1, 1):
        branches += [(5.0, side * 34.0, (90 - side * 90) + rng.uniform(-75, 75), rng.uniform(1.8, 2.9)) for _ in range(8)]
    while branches:
        y, x, heading, radius = branches.pop()
        for _ in range(int(rng.uniform(14, 26))):
            heading += rng.normal(0, 7)
            y, x = y + 1.6 * np.sin(np.radians(heading)), x + 1.6 * np.cos(np.radians(heading))
            radius *= 0.985
            discs.append(((y + field / 2) / spacing, (x + field / 2) / spacing, radius / spacing))
        if radius > 0.7:
            branches += [(y, x, heading + turn, radius * 0.72) for turn in (rng.uniform(15, 40), -rng.uniform(15, 40))]
    return _discs(lungs.shape, np.array(discs)) * scipy.ndimage.binary_erosion(lungs, iterations=2)


def _discs(shape: tuple[int, ...], discs: np.ndarray) -> np.ndarray:
    """discs: (n, 3), row, column and radius in pixels. Their coverage in [0, 1], the edge one pixel wide."""
    row, column, radius = (values[:, None] for values in discs.T)
    reach = int(np.ceil(radius.max())) + 1
    steps = np.arange(-reach, reach + 1)
    down, right = (offsets.ravel() for offsets in np.meshgrid(steps, steps, indexing="ij"))
    y, x = row.astype(int) + down, column.astype(int) + right
    coverage = np.clip(radius - np.hypot(y + 0.5 - row, x + 0.5 - column) + 0.5, 0, 1)
    shown = (coverage > 0) & (y >= 0) & (y < shape[0]) & (x >= 0) & (x < shape[1])
    canvas = np.zeros(shape)
    np.maximum.at(canvas, (y[shown], x[shown]), coverage[shown])
    return canvas


EXAMPLES = {
    "large-spiculated-lesion.png": (11, Lesion((-12.0, -78.0), 42.0, Edge.SPICULATED)),
    "small-smooth-lesion.png": (12, Lesion((8.0, 84.0), 14.0)),
    "no-lesion.png": (13, None),
    "spiculated-lesion.dcm": (14, Lesion((25.0, -70.0), 30.0, Edge.SPICULATED)),
    "spiculated-nodule-crop.png": (17, Lesion((-30.0, -82.0), 14.0, Edge.SPICULATED)),
}
"""The files in data/examples: name -> seed and lesion. ``python -m lungcad.imaging.phantom`` writes them anew."""


NODULE_WINDOW = Window(-100, 1800, "published nodules")
PICTURE_WINDOW = Window(200, 2500, "published pictures")
"""About the window of the pictures in Chest CT-Scan (see weights/*.yaml), so that the examples look like them."""


def write_examples(folder: Path) -> None:
    """The synthetic slices of ``data/examples``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (seed, lesion) in EXAMPLES.items():
        phantom = make_phantom(seed, lesion=lesion)
        as_png = phantom.nodule_crop() if "crop" in name else phantom.png(PICTURE_WINDOW)
        (folder / name).write_bytes(phantom.dicom() if name.endswith(".dcm") else as_png)


if __name__ == "__main__":
    write_examples(paths.to_write(paths.EXAMPLES))
