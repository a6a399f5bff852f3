"""Made-up pictures that are no CT slices: what a gate is fitted against, beside other data sets. uint8, (rows, columns)."""

import string
from collections.abc import Callable

import cv2
import numpy as np

Make = Callable[[np.random.Generator, int], np.ndarray]
"""From a generator and a side: one picture."""


def to_bytes(values: np.ndarray) -> np.ndarray:
    """Values in any range, stretched to a random part of 0 to 255 beforehand: clipped, uint8."""
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)


def _stretched(rng: np.random.Generator, values: np.ndarray) -> np.ndarray:
    low, high = sorted(rng.uniform(0, 255, 2))
    high = max(high, low + 60)
    spread = max(float(np.ptp(values)), 1e-6)
    return to_bytes(low + (values - values.min()) / spread * (high - low))


def coloured_noise(rng: np.random.Generator, side: int) -> np.ndarray:
    """Noise whose power falls as a power of the frequency: from almost white (exponent 0.3) to clouds (3)."""
    exponent = rng.uniform(0.3, 3.0)
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None])
    frequency[0, 0] = 1
    waves = np.fft.rfft2(rng.normal(size=(side, side))) / frequency ** (exponent / 2)
    return _stretched(rng, np.fft.irfft2(waves, s=(side, side)))


def dead_leaves(rng: np.random.Generator, side: int) -> np.ndarray:
    """Discs and boxes that cover each other, sizes by an inverse cube: the statistics of photographs (Lee, Mumford & Huang, IJCV 2001)."""
    canvas = np.full((side, side), rng.uniform(0, 255), np.float32)
    for _ in range(int(rng.integers(60, 500))):
        size = min(int(2 / np.sqrt(rng.uniform(1e-4, 1))) + 1, side // 3)
        x, y = (int(each) for each in rng.integers(0, side, 2))
        grey = float(rng.uniform(0, 255))
        if rng.random() < 0.6:
            cv2.ellipse(canvas, (x, y), (size, max(int(size * rng.uniform(0.4, 1)), 1)), rng.uniform(0, 180), 0, 360, grey, -1, cv2.LINE_AA)
        else:
            box = cv2.boxPoints(((x, y), (2.0 * size, 2.0 * size * rng.uniform(0.3, 1)), float(rng.uniform(0, 180))))
            cv2.fillPoly(canvas, [box.astype(np.int32)], grey, cv2.LINE_AA)
    if rng.random() < 0.5:
        canvas *= 1 + 0.3 * cv2.resize(rng.normal(size=(6, 6)).astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC)
    return to_bytes(cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.3, 2.0)) + rng.normal(0, rng.uniform(0, 6), canvas.shape))


def shapes(rng: np.random.Generator, side: int) -> np.ndarray:
    """A few large shapes and lines on a plain ground."""
    canvas = np.full((side, side), rng.uniform(0, 255), np.float32)
    for _ in range(int(rng.integers(1, 12))):
        a, b = rng.integers(0, side, 2).tolist(), rng.integers(0, side, 2).tolist()
        grey, thick = float(rng.uniform(0, 255)), int(rng.choice([-1, -1, 1, 3]))
        kind = rng.integers(0, 3)
        if kind == 0:
            cv2.circle(canvas, a, int(rng.integers(3, side // 2)), grey, thick, cv2.LINE_AA)
        elif kind == 1:
            cv2.rectangle(canvas, a, b, grey, thick)
        else:
            cv2.line(canvas, a, b, grey, int(rng.integers(1, 8)), cv2.LINE_AA)
    return to_bytes(canvas + rng.normal(0, rng.uniform(0, 4), canvas.shape))


def waves(rng: np.random.Generator, side: int) -> np.ndarray:
    """Gradients, gratings, rings and chequers."""
    y, x = np.mgrid[0:side, 0:side] / side - rng.uniform(0, 1, (2, 1, 1))
    angle, frequency = rng.uniform(0, np.pi), np.exp(rng.uniform(np.log(0.5), np.log(40)))
    along = np.cos(angle) * x + np.sin(angle) * y
    kind = rng.integers(0, 4)
    if kind == 0:
        values = along
    elif kind == 1:
        values = np.sin(2 * np.pi * frequency * along)
    elif kind == 2:
        values = np.sin(2 * np.pi * frequency * np.hypot(x, y))
    else:
        values = np.sign(np.sin(2 * np.pi * frequency * x) * np.sin(2 * np.pi * frequency * y))
    return to_bytes(_stretched(rng, values) + rng.normal(0, rng.uniform(0, 5), values.shape))


def fractal(rng: np.random.Generator, side: int) -> np.ndarray:
    """A Julia set: how long z² + c stays small."""
    c = 0.7885 * np.exp(1j * rng.uniform(0, 2 * np.pi))
    zoom = rng.uniform(0.4, 1.6)
    y, x = np.mgrid[-zoom : zoom : side * 1j, -zoom : zoom : side * 1j]
    z, steps = x + 1j * y, np.zeros((side, side))
    for _ in range(40):
        inside = np.abs(z) < 4
        steps += inside
        z = np.where(inside, z * z + c, z)
    return _stretched(rng, np.log(steps + 1))


def writing(rng: np.random.Generator, side: int) -> np.ndarray:
    """Lines of random words in OpenCV's strokes."""
    paper, ink = (255, 0) if rng.random() < 0.7 else (0, 255)
    canvas = np.full((side, side), paper, np.uint8)
    size = rng.uniform(0.35, 1.2) * side / 256
    step = max(int(36 * size), 5)
    letters = np.array(list(string.ascii_letters + string.digits))
    font = int(rng.choice([cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_SCRIPT_SIMPLEX]))
    for row in range(step, side, step):
        words = " ".join("".join(rng.choice(letters, rng.integers(2, 9))) for _ in range(12))
        cv2.putText(
            canvas, words[: int(rng.integers(3, 70))], (int(rng.integers(0, 12)), row), font, size, ink, 1 + int(size > 0.9), cv2.LINE_AA
        )
    return canvas


MADE_UP: dict[str, Make] = {
    "coloured noise": coloured_noise, "dead leaves": dead_leaves, "shapes": shapes, "waves": waves, "fractals": fractal, "writing": writing,
}  # fmt: skip
