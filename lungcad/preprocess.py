"""A slice -> what the network sees, and a heat map -> back onto the slice.

Every preprocessing is one box in the original pixel grid (it may reach outside the image) resized to the network's
input, so the way back is exact: resize to the box, then cut it to the image.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from lungcad.imaging import CTImage, Window
from lungcad.imaging.fills import FILLS
from lungcad.imaging.regions import REGIONS, MarkedImage
from lungcad.preprocess_config import Contrast, Crop, Fit, PreprocessConfig, See

__all__ = ["Contrast", "Crop", "Fit", "Geometry", "PreprocessConfig", "See", "normalise", "preprocess", "to_grey"]


@dataclass(frozen=True)
class Geometry:
    """Where the network's input lies in the original image.

    original: (rows, columns) of the image. box: (top, left, bottom, right) in original pixels, half-open; parts outside
    the image were filled with black.
    """

    original: tuple[int, int]
    box: tuple[int, int, int, int]

    def to_original(self, heat_map: np.ndarray, *, cells: bool = False) -> np.ndarray:
        """A map over the input (any resolution, e.g. 7×7) on the original grid: float32, bilinear, 0 where not seen.

        cells: as blocks, not smoothed.
        """
        top, left, bottom, right = self.box
        interpolation = cv2.INTER_NEAREST_EXACT if cells else cv2.INTER_LINEAR
        in_box = cv2.resize(np.ascontiguousarray(heat_map, dtype=np.float32), (right - left, bottom - top), interpolation=interpolation)
        on_original = np.zeros(self.original, dtype=np.float32)
        rows, columns = self._inside()
        on_original[rows, columns] = in_box[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
        return on_original

    def visible_mask(self) -> np.ndarray:
        """Bool mask on the original grid: what lies inside the box."""
        mask = np.zeros(self.original, dtype=bool)
        mask[self._inside()] = True
        return mask

    def labels_to_input(self, labels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """A label image on the original grid, seen at the input's size (nearest neighbour; outside the image 0)."""
        return cv2.resize(self._cut(labels), size[::-1], interpolation=cv2.INTER_NEAREST_EXACT)

    def _inside(self) -> tuple[slice, slice]:
        top, left, bottom, right = self.box
        rows, columns = self.original
        return slice(max(top, 0), min(bottom, rows)), slice(max(left, 0), min(right, columns))

    def _cut(self, array: np.ndarray) -> np.ndarray:
        """The box's content, 0 outside the image."""
        top, left, bottom, right = self.box
        rows, columns = self._inside()
        out = np.zeros((bottom - top, right - left), dtype=array.dtype)
        out[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] = array[rows, columns]
        return out


def to_grey(image: CTImage, config: PreprocessConfig, *, seen_as: Geometry | None = None) -> tuple[np.ndarray, Geometry]:
    """(grey in [0, 1] of shape ``config.size``, or (3, *size) in colour, float32; its geometry): all but the normalisation.

    seen_as: the geometry to keep; an image with a part taken away is seen through the box of the whole one. Raises
    :class:`~lungcad.errors.ImageError` where the configuration shows a region only, and no lungs are found that it could be told by.
    """
    grey = image.grey(Window(*config.window))
    rows, columns = grey.shape
    if seen_as is not None:
        geometry = seen_as
    else:
        box = _crop_box(grey, config, image.aspect)
        if config.fit is Fit.PAD:
            box = _widen(box, (config.size[0] / image.aspect, config.size[1]))
        geometry = Geometry((rows, columns), box)
    if config.see is not See.ALL:
        grey = only(image, config.see).grey(Window(*config.window))
    if config.colour:
        channels = [_resized(geometry._cut(channel), config.size) for channel in np.moveaxis(image.rgb(), 2, 0)]
        return np.stack(channels), geometry
    return _with_contrast(_resized(geometry._cut(grey), config.size), config.contrast), geometry


def only(image: CTImage, see: See) -> CTImage:
    """The slice with nothing but what is to be seen of it; the rest is black, whatever it was: its grey would tell something too."""
    return image if see is See.ALL else FILLS["black"].apply(MarkedImage.of_slice(image), REGIONS[see.value])


def _resized(content: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    shrinks = content.shape[0] >= size[0] and content.shape[1] >= size[1]
    return cv2.resize(content, size[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def _crop_box(grey: np.ndarray, config: PreprocessConfig, aspect: float) -> tuple[int, int, int, int]:
    rows, columns = grey.shape
    if config.crop is Crop.BODY:
        return body_box(grey)
    if config.crop is Crop.CENTRE:
        height, width = max(round(config.centre / max(aspect, 1)), 1), max(round(config.centre * min(aspect, 1)), 1)
        top, left = (rows - height) // 2, (columns - width) // 2
        return top, left, top + height, left + width
    return 0, 0, rows, columns


_NEARLY_FLAT = 0.01
"""Standard deviation of the grey level below which CLAHE would only blow up noise."""


def _with_contrast(grey: np.ndarray, contrast: Contrast) -> np.ndarray:
    if contrast is Contrast.CLAHE and grey.std() > _NEARLY_FLAT:
        equalised = cv2.createCLAHE(clipLimit=2.0, tileGridSize=(8, 8)).apply((grey * 255).round().astype(np.uint8))
        return equalised.astype(np.float32) / 255
    if contrast is Contrast.SIGMOID:
        return (1 / (1 + np.exp(-10 * (grey - 0.5)))).astype(np.float32)
    return grey


def normalise(grey: torch.Tensor, config: PreprocessConfig) -> torch.Tensor:
    """Grey (N, H, W) or colour (N, 3, H, W) in [0, 1] -> network input (N, 3, H, W): (x - mean) / std; grey three times."""
    scaled = (grey - config.mean) / config.std
    return scaled if scaled.ndim == 4 else scaled.unsqueeze(1).expand(-1, 3, -1, -1)


def preprocess(image: CTImage, config: PreprocessConfig) -> tuple[torch.Tensor, Geometry]:
    """(input of shape (1, 3, H, W), geometry)."""
    grey, geometry = to_grey(image, config)
    return normalise(torch.from_numpy(grey).unsqueeze(0), config), geometry


def body_box(grey: np.ndarray) -> tuple[int, int, int, int]:
    """Bounding box (top, left, bottom, right) of the body: the largest bright region after a small opening.

    The opening cuts thin bridges to the table. Without a region of at least a tenth of the image, the whole image.
    """
    rows, columns = grey.shape
    scale = min(1.0, 256 / max(rows, columns))  # found on a small copy: the same at every resolution, and fast
    small = cv2.resize(grey, (max(round(columns * scale), 1), max(round(rows * scale), 1)), interpolation=cv2.INTER_AREA)
    level, _ = cv2.threshold((small * 255).astype(np.uint8), 0, 255, cv2.THRESH_OTSU)
    bright = (small * 255 > level / 2).astype(np.uint8)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    bright = np.asarray(
        cv2.morphologyEx(bright, cv2.MORPH_OPEN, cross, iterations=3, borderType=cv2.BORDER_CONSTANT, borderValue=0), np.uint8
    )
    count, _, stats, _ = cv2.connectedComponentsWithStats(bright, connectivity=4)
    if count == 1:
        return 0, 0, rows, columns
    left, top, width, height, area = stats[1:][stats[1:, cv2.CC_STAT_AREA].argmax()]
    if area < 0.1 * small.size:
        return 0, 0, rows, columns
    fy, fx = rows / small.shape[0], columns / small.shape[1]
    return (
        max(int(top * fy), 0),
        max(int(left * fx), 0),
        min(int(np.ceil((top + height) * fy)), rows),
        min(int(np.ceil((left + width) * fx)), columns),
    )


def _widen(box: tuple[int, int, int, int], size: tuple[float, float]) -> tuple[int, int, int, int]:
    """The smallest box around ``box``, with the same centre, that has the aspect ratio of ``size``."""
    top, left, bottom, right = box
    height, width = bottom - top, right - left
    wanted_height, wanted_width = max(height, round(width * size[0] / size[1])), max(width, round(height * size[1] / size[0]))
    top -= (wanted_height - height) // 2
    left -= (wanted_width - width) // 2
    return top, left, top + wanted_height, left + wanted_width
