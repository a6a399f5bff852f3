"""A synthetic thorax in three dimensions, with known lungs and known lesions: the example of page and tests where no patient's series may lie.

Its middle slices are drawn like those of :mod:`lungcad.imaging.phantom`; vessels branch within layers, ribs slant, the right lung stands on
the liver's dome, and the lowest slices hold no lung. No two of its sides are alike, so that a flip is seen.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pydicom
from pydicom.uid import UID, generate_uid
from scipy import ndimage

from lungcad.errors import ImageError
from lungcad.imaging.canvas import Canvas
from lungcad.imaging.phantom import BLOOD, CORTICAL_BONE, FAT, LESION, LUNG, MUSCLE, SPONGY_BONE, Edge, Lesion, Phantom, _lesion, _vessels
from lungcad.imaging.volume.ct_volume import CTVolume, SliceSource
from lungcad.imaging.window import Window

HALF_HEIGHT_MM = 120.0
"""Of the lungs, from their middle to the apex."""
TREE_MM = 6.0
"""Height of a layer of vessels: each lies within its layer, as in the slices that the phantom networks were trained on."""
TOP_MM, BOTTOM_MM = 132.0, -132.0


@dataclass(frozen=True)
class Ball:
    """A lesion in space. centre_mm: (x to the left, y to the back, z to the head) from the middle of the chest."""

    centre_mm: tuple[float, float, float]
    diameter_mm: float
    edge: Edge = Edge.SMOOTH
    opacity: float = 1.0


@dataclass(frozen=True, eq=False)
class PhantomVolume:
    """volume: the CT. lungs: bool, of its shape. lesions: of its shape, 0 or the number of the ball from 1. balls: as given."""

    volume: CTVolume
    lungs: np.ndarray
    lesions: np.ndarray
    balls: tuple[Ball, ...]
    seed: int

    @property
    def drawn_lesions(self) -> list[tuple[str, tuple[float, float, float], float]]:
        """(label, middle in patient mm, diameter in mm) of each ball."""
        return [(f"lesion {number}", ball.centre_mm, ball.diameter_mm) for number, ball in enumerate(self.balls, 1)]


def make_phantom_volume(
    seed: int, *, size: int = 256, spacing_mm: float = 3.0, balls: Sequence[Ball] = (), field_mm: float = 380.0, body: float = 1.0
) -> PhantomVolume:
    """Raises :class:`ImageError` for a ball whose middle does not lie in a lung."""
    rng = np.random.default_rng([seed, 3])
    heights = np.arange(BOTTOM_MM, TOP_MM + 1e-6, spacing_mm)
    chest = _Chest.drawn(rng)
    aeration = ndimage.zoom(rng.normal(size=(max(len(heights) // 4, 2), 32, 32)), (len(heights) / max(len(heights) // 4, 2), 1, 1), order=1)
    shape = (len(heights), size, size)
    hu, lungs, lesions = np.empty(shape, np.int16), np.empty(shape, bool), np.zeros(shape, np.uint8)
    pixel = field_mm / size
    for index, z in enumerate(heights):
        canvas = Canvas(size, field_mm / body)
        in_lung = chest.paint(canvas, z)
        canvas.hu += in_lung * ndimage.zoom(aeration[index], size / 32, order=1)[:size, :size] * 14
        tree = np.random.default_rng([seed, int(np.floor((z - BOTTOM_MM) / TREE_MM))])
        canvas.paint(_vessels(tree, in_lung > 0.5, canvas.spacing, field_mm / body), BLOOD)
        chest.paint_middle(canvas, z)
        for number, ball in enumerate(balls, start=1):
            coverage = _ball(ball, z, canvas, seed + number, body) * in_lung
            canvas.paint(coverage * ball.opacity, LESION)
            lesions[index][coverage > 0.5] = number
        noisy = ndimage.gaussian_filter(canvas.hu, 0.6) + ndimage.gaussian_filter(rng.normal(size=canvas.hu.shape), 0.7) * 40
        hu[index] = np.rint(np.clip(noisy, -1024, 3071))
        lungs[index] = in_lung > 0.5
    for number, ball in enumerate(balls, start=1):
        if not (lesions == number).any():
            raise ImageError(f"The lesion's middle {ball.centre_mm} mm is not inside a lung of this phantom; move it.")
    affine = np.array(
        [[0, 0, pixel, -field_mm / 2 + pixel / 2], [0, pixel, 0, -field_mm / 2 + pixel / 2], [spacing_mm, 0, 0, BOTTOM_MM], [0, 0, 0, 1]]
    )
    sources = tuple(SliceSource(index) for index in range(len(heights)))
    volume = CTVolume(hu, affine, sources, "phantom", window=Window.preset("lung"), synthetic=True)
    return PhantomVolume(volume, lungs, lesions, tuple(balls), seed)


EXAMPLE_BALLS = (Ball((-78.0, -8.0, 30.0), 26.0, Edge.SPICULATED), Ball((84.0, 18.0, -36.0), 15.0))
"""One in the patient's right lung, one in the left, lower."""


@lru_cache(maxsize=1)
def example_volume() -> PhantomVolume:
    """The example of the page Volume and of the command line: always the same, drawn once a process."""
    return make_phantom_volume(7, balls=EXAMPLE_BALLS)


@dataclass(frozen=True)
class _Chest:
    """What varies between patients, mm."""

    body_y: float
    body_x: float
    lung_y: float
    lung_x: tuple[float, float]
    heart: tuple[float, float]
    ribs: float

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "_Chest":
        def vary(value: float) -> float:
            return value * (1 + float(rng.uniform(-0.05, 0.05)))

        return cls(vary(112), vary(168), vary(78), (vary(50), vary(46)), (vary(46), vary(56)), float(rng.uniform(0, 27)))

    def paint(self, canvas: Canvas, z: float) -> np.ndarray:
        """Wall, bones and lungs at a height; the lungs' coverage in [0, 1]."""
        narrow = 1 - 0.18 * max(z / TOP_MM, 0) ** 2  # shoulders apart, the chest narrows to the top
        inside, paint = canvas.inside, canvas.paint
        paint(inside(0, 0, self.body_y * narrow, self.body_x * narrow, power=2.4), FAT)
        paint(inside(2, 0, (self.body_y - 14) * narrow, (self.body_x - 16) * narrow, power=2.4), MUSCLE)
        lungs = np.zeros(canvas.hu.shape)
        for side, width, bottom in ((-1, self.lung_x[0], -78.0), (1, self.lung_x[1], -100.0)):  # the liver lifts the right lung
            reach = HALF_HEIGHT_MM if z > 0 else -bottom
            grown = np.sqrt(max(1 - (z / reach) ** 2, 0)) ** (0.8 if z > 0 else 0.45)
            if grown > 0.15:
                lungs = np.maximum(
                    lungs,
                    inside(-4, side * (76 - 10 * (1 - grown)), self.lung_y * grown * narrow, width * grown, angle=side * 8, power=2.3),
                )
        lungs = lungs * (1 - self._middle(canvas, z))
        paint(lungs, LUNG)
        spine = 72 * self.body_y / 112
        disc = abs((z % 32) - 16) < 4
        paint(inside(spine, 0, 19, 22), CORTICAL_BONE if not disc else MUSCLE + 30)
        paint(inside(spine, 0, 16, 19), SPONGY_BONE if not disc else MUSCLE + 40)
        paint(inside(spine + 27, 0, 13, 6), CORTICAL_BONE * 0.7)
        paint(inside(spine + 18, 0, 7, 8), MUSCLE - 20)
        if z > -60:
            paint(inside(-self.body_y * narrow + 26, 0, 7, 18), SPONGY_BONE + 100)
        for angle in np.arange(20, 340, 27) + self.ribs + 0.9 * z:
            theta = np.radians(angle)
            if abs(np.sin(theta)) < 0.3:
                continue
            y, x = -np.cos(theta) * (self.body_y - 19) * narrow, np.sin(theta) * (self.body_x - 24) * narrow
            tangent = np.degrees(np.arctan2(np.sin(theta) * (self.body_y - 19), np.cos(theta) * (self.body_x - 24)))
            paint(inside(y, x, 4.5, 11, angle=-tangent), CORTICAL_BONE)
            paint(inside(y, x, 2.5, 8.5, angle=-tangent), SPONGY_BONE)
        return np.asarray(lungs)

    def _middle(self, canvas: Canvas, z: float) -> np.ndarray:
        middle = canvas.inside(10, 0, 75, 26)
        beat = 1 - ((z + 30) / 62) ** 2  # the heart, left of the middle, below it
        if beat > 0.05:
            middle = np.maximum(middle, canvas.inside(-22, 22, self.heart[0] * np.sqrt(beat), self.heart[1] * np.sqrt(beat), angle=-20))
        return middle

    def paint_middle(self, canvas: Canvas, z: float) -> None:
        """Heart, great vessels, airway, and what lies below the lungs."""
        canvas.paint(self._middle(canvas, z), BLOOD - 5)
        canvas.paint(canvas.inside(30, 24, 12, 12), BLOOD + 100)  # descending aorta, left of the spine
        if z > 0:
            canvas.paint(canvas.inside(-2, 0, 8, 9), -1000)
        if z < -90:
            canvas.paint(canvas.inside(-25, 95, 38, 34), -850 if z < -100 else BLOOD)  # the stomach's bubble, on the left


def _ball(ball: Ball, z: float, canvas: Canvas, seed: int, body: float) -> np.ndarray:
    x, y, height = ball.centre_mm
    reach = 1.7 if ball.edge is Edge.SPICULATED else 1.1
    cut = (ball.diameter_mm / 2) ** 2 - (z - height) ** 2
    if cut <= 0 or abs(z - height) > reach * ball.diameter_mm / 2:
        return np.zeros(canvas.hu.shape)
    flat = Lesion((y / body, x / body), 2 * np.sqrt(cut) / body, ball.edge)
    return _lesion(np.random.default_rng(seed), flat, canvas.down, canvas.right, canvas.spacing)


def write_series(volume: CTVolume, folder: Path, *, seed: int = 0, reverse: tuple[bool, bool, bool] = (False, False, False)) -> None:
    """A DICOM file a slice. reverse: store slices, rows or columns the other way round; position and orientation say so, the patient is
    the same.
    """
    folder.mkdir(parents=True, exist_ok=True)
    hu = volume.hu[tuple(slice(None, None, -1 if back else 1) for back in reverse)]
    _, rows, columns = (np.array(volume.affine[:3, axis]) * (-1 if reverse[axis] else 1) for axis in range(3))
    uid = generate_uid(entropy_srcs=["lungcad phantom volume", volume.sha256, repr(reverse)])
    for index, plane in enumerate(hu):
        at = len(hu) - 1 - index if reverse[0] else index
        corner = volume.point_mm(at, hu.shape[1] - 1 if reverse[1] else 0, hu.shape[2] - 1 if reverse[2] else 0)
        blank = np.zeros(plane.shape, dtype=bool)
        dataset = pydicom.dcmread(io.BytesIO(Phantom(plane.astype(np.float32), blank, blank, volume.spacing[2], seed).dicom()))
        dataset.SeriesInstanceUID, dataset.InstanceNumber, dataset.SeriesDescription = uid, index + 1, "Phantom volume"
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = UID(f"{uid[:50]}.{index + 1}")
        dataset.ImagePositionPatient = [round(value, 6) for value in corner]
        dataset.ImageOrientationPatient = [*(columns / np.linalg.norm(columns)).tolist(), *(rows / np.linalg.norm(rows)).tolist()]
        dataset.PixelSpacing, dataset.SliceThickness = list(volume.spacing[1:]), volume.spacing[0]
        dataset.save_as(folder / f"{index * 3700 % 10007:05d}.dcm")  # names in another order than the slices, each once (10007 is a prime)
