"""Marks outside the body that may be burnt-in text, a name perhaps: found to warn of them, and to leave them out of what is exported.

Letters over the body cannot be told from anatomy; who makes use of this says so.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from lungcad.imaging.image import CTImage, Unit
from lungcad.imaging.lungs import lung_field

LETTER = 0.08
"""A letter is no higher than this share of the image's longer side."""
WORD = 0.5
"""Letters that touch are one mark, no longer than this share of the longer side; the table is."""
BRIGHTER = 0.2
"""A mark is brighter than what surrounds it by this share of the grey scale (-1024 to 400 HU)."""
FEWEST = 3
"""So many marks beside each other, of one height, look like a word."""


@dataclass(frozen=True, eq=False)
class BurntIn:
    """mask: bool on the image's grid, every small bright mark outside the body. words: (top, left, bottom, right) of those that stand in a line."""

    mask: np.ndarray
    words: tuple[tuple[int, int, int, int], ...]

    def left_out(self, grey: np.ndarray) -> np.ndarray:
        """The picture (rows, columns or rows, columns, channels) with the marks and a pixel around them black."""
        out = grey.copy()
        out[cv2.dilate(self.mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0] = 0
        return out


def burnt_in_marks(image: CTImage) -> BurntIn:
    """Looked for at the image's own resolution: thin letters vanish on a small copy."""
    grey = np.clip((image.pixels + 1024) / 1424, 0, 1) if image.unit is Unit.HU else image.grey()
    side = max(grey.shape)
    around = cv2.dilate(lung_field(image).body.astype(np.uint8), np.ones((2 * (side // 100) + 3,) * 2, np.uint8)) > 0
    background = cv2.medianBlur((grey * 255).astype(np.uint8), 2 * (side // 40) + 3).astype(np.float32) / 255
    marks = ((grey - background) > BRIGHTER) & ~around
    count, labels, stats, _ = cv2.connectedComponentsWithStats(marks.astype(np.uint8), connectivity=8)
    boxes = stats[:, [cv2.CC_STAT_TOP, cv2.CC_STAT_LEFT, cv2.CC_STAT_HEIGHT, cv2.CC_STAT_WIDTH]]
    small = [
        i
        for i in range(1, count)
        if stats[i, cv2.CC_STAT_AREA] > 2 and boxes[i, 2] < LETTER * side and boxes[i, 3] < WORD * side  # pieces of the table among them
    ]
    letters = [i for i in small if boxes[i, 3] < LETTER * side]
    joined = [i for i in small if i not in letters and _strokes(labels, i, boxes[i]) >= FEWEST]
    mask = np.isin(labels, small) if small else np.zeros(grey.shape, bool)
    return BurntIn(mask, (*_words(boxes[letters]), *map(_box, boxes[joined, None])))


def _strokes(labels: np.ndarray, index: int, box: np.ndarray) -> float:
    """How many strokes a row of the mark crosses, on average: letters that touch have many, an edge of the table one or two."""
    top, left, height, width = box
    inside = np.pad(labels[top : top + height, left : left + width] == index, ((0, 0), (1, 0)))
    return float((np.diff(inside.astype(np.int8), axis=1) == 1).sum(1).mean())


def _words(boxes: np.ndarray) -> tuple[tuple[int, int, int, int], ...]:
    """Runs of neighbours whose middles lie on one line, not further apart than they are high."""
    words: list[list[np.ndarray]] = []
    tall = [box for box in boxes if box[2] >= 4]
    for box in sorted(tall, key=lambda box: (box[1], box[0])):
        for word in words:
            last = word[-1]
            height = max(last[2], box[2])
            on_line = abs((last[0] + last[2] / 2) - (box[0] + box[2] / 2)) < 0.5 * height
            is_near = box[1] - (last[1] + last[3]) < 1.5 * height
            if on_line and is_near and min(last[2], box[2]) > 0.5 * height:
                word.append(box)
                break
        else:
            words.append([box])
    return tuple(_box(np.array(word)) for word in words if len(word) >= FEWEST)


def _box(boxes: np.ndarray) -> tuple[int, int, int, int]:
    """Around boxes (n, 4) of top, left, height, width."""
    ends = boxes[:, :2] + boxes[:, 2:]
    return int(boxes[:, 0].min()), int(boxes[:, 1].min()), int(ends[:, 0].max()), int(ends[:, 1].max())
