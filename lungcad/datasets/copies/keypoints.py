"""Keypoints of an image: what stays the same when it is turned, zoomed, cropped or made brighter."""

from dataclasses import dataclass

import cv2
import numpy as np

from lungcad.imaging import CTImage

SIDE = 256
"""Longest side, in pixels, of the grey picture on which copies are looked for."""
MOST_KEYPOINTS = 300
"""Of an image; the strongest are kept."""

# A mirrored patch has the same descriptor with its rows of cells in reverse order and its gradient directions negated.
_MIRRORED = np.arange(128).reshape(4, 4, 8)[::-1][:, :, [0, 7, 6, 5, 4, 3, 2, 1]].ravel()


@dataclass(frozen=True, eq=False)
class Keypoints:
    """Strongest first. xy: float32 (n, 2) in pixels of ``grey``. angle: float32 (n,) in degrees. log_size: float32 (n,), base 2.

    descriptors: uint8 (n, 128), RootSIFT (Lowe, IJCV 2004; Arandjelović & Zisserman, CVPR 2012), 255 times its value.
    grey: uint8, the picture, at most :data:`SIDE` pixels long.
    """

    grey: np.ndarray
    xy: np.ndarray
    angle: np.ndarray
    log_size: np.ndarray
    descriptors: np.ndarray

    @classmethod
    def of(cls, image: CTImage) -> "Keypoints":
        """Of the image in grey."""
        return cls.of_grey(working_picture(image))

    @classmethod
    def of_grey(cls, grey: np.ndarray) -> "Keypoints":
        """grey: uint8 (rows, columns)."""
        # a low threshold on contrast: smooth and dark pictures have keypoints too, and the strongest come first
        points, descriptors = cv2.SIFT.create(nfeatures=MOST_KEYPOINTS, contrastThreshold=0.01).detectAndCompute(grey, None)
        order = np.argsort([-point.response for point in points], kind="stable")[:MOST_KEYPOINTS]
        points = [points[i] for i in order]
        if not points:
            none = np.zeros(0, np.float32)
            return cls(grey, none.reshape(0, 2), none, none, np.zeros((0, 128), np.uint8))
        kept = descriptors[order]
        root = np.sqrt(kept / (kept.sum(1, keepdims=True) + 1e-6))
        return cls(
            grey,
            np.array([point.pt for point in points], np.float32),
            np.array([point.angle for point in points], np.float32),
            np.log2(np.array([point.size for point in points], np.float32)),
            np.rint(root * 255).astype(np.uint8),
        )

    def mirrored(self) -> "Keypoints":
        """Those of the picture with left and right exchanged."""
        xy = self.xy.copy()
        xy[:, 0] = self.grey.shape[1] - 1 - xy[:, 0]
        return Keypoints(
            np.ascontiguousarray(self.grey[:, ::-1]), xy, (180 - self.angle) % 360, self.log_size, mirrored_descriptors(self.descriptors)
        )


def mirrored_descriptors(descriptors: np.ndarray) -> np.ndarray:
    """Descriptors (n, 128) of the same points in the mirrored picture."""
    return np.ascontiguousarray(descriptors[:, _MIRRORED])


def working_picture(image: CTImage) -> np.ndarray:
    """The image in grey, uint8, shrunk to at most :data:`SIDE` pixels."""
    grey = image.grey()
    scale = SIDE / max(grey.shape)
    if scale < 1:
        size = (max(round(grey.shape[1] * scale), 1), max(round(grey.shape[0] * scale), 1))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    picture: np.ndarray = np.rint(grey * 255).astype(np.uint8)
    return picture
