"""Occlusion: squares of the image hidden in turn, everywhere or, coarse to fine, closely only where it matters."""

import numpy as np
import torch

from lungcad.explain.attribution import Cost, Fill, Options, PreparedInput, register
from lungcad.explain.engine import masked_probabilities, replacement_grey
from lungcad.models import TrainedModel
from lungcad.models.predict import calibrated
from lungcad.progress import Progress

WINDOWS = 7
"""Windows side by side along one side of the input; they overlap by half, so there are 13 positions each way."""
MATTERS = 0.1
"""Share of the largest change from which a coarse window is looked at more closely."""


@register(
    name="occlusion",
    title="Occlusion",
    what="How much the class's probability falls when a square of the image is replaced by its mean grey.",
    paper="Zeiler & Fergus, Visualizing and understanding convolutional networks, ECCV 2014",
    cost=Cost.MEDIUM,
    signed=True,
    for_class=True,
    takes=("coarse",),
)
def occlusion(
    model: TrainedModel, prepared: PreparedInput, target: int, options: Options, on_progress: Progress | None = None
) -> tuple[np.ndarray, dict[str, float]]:
    """Fall of the calibrated probability, averaged over the windows that cover a pixel, at the input's resolution.

    options.coarse: windows side by side first; those between only beside one that changes the probability by at least a tenth of the largest change.
    The others take the mean of the windows beside them.
    """
    rows, columns = prepared.grey.shape[-2:]
    side = max(columns // WINDOWS, 2)
    stride = side // 2
    grid = tuple(-(-(length - side) // stride) + 1 for length in (rows, columns))
    replacement = replacement_grey(prepared.grey, Fill.MEAN)
    with torch.no_grad():
        whole = float(calibrated(model, model.network.classify(prepared.features)[0])[0, target])
    falls, done = np.full(grid, np.nan, np.float32), 0

    def ask(places: np.ndarray) -> None:
        """places: (n, 2) of windows on the grid."""
        nonlocal done
        before = done
        if not len(places):
            return

        def masks(start: int, stop: int) -> torch.Tensor:
            shown = torch.ones(stop - start, rows, columns, dtype=torch.bool)
            for mask, (row, column) in zip(shown, places[start:stop] * stride, strict=True):
                mask[row : row + side, column : column + side] = False
            return shown

        def report(asked: int, _: int) -> None:
            if on_progress:
                on_progress(before + asked, falls.size)

        probabilities = masked_probabilities(model, prepared, masks, replacement, n=len(places), on_progress=report)
        falls[tuple(places.T)] = whole - probabilities[:, target].numpy()
        done += len(places)

    if options.coarse:
        coarse = np.zeros(grid, bool)
        coarse[::2, ::2] = True
        ask(np.argwhere(coarse))
        changes = np.abs(np.nan_to_num(falls))
        ask(np.argwhere(_beside(changes >= MATTERS * changes.max()) & ~coarse))
        falls = _filled(falls)
    else:
        ask(np.argwhere(np.isnan(falls)))
    return _painted(falls, side, stride, (rows, columns)), {"window": side, "stride": stride, "windows_tried": done}


def _beside(places: np.ndarray) -> np.ndarray:
    """Those places (bool) and the eight around each."""
    padded = np.pad(places, 1)
    rows, columns = places.shape
    return np.asarray(np.any([padded[row : row + rows, column : column + columns] for row in range(3) for column in range(3)], axis=0))


def _filled(falls: np.ndarray) -> np.ndarray:
    """What was not asked for (NaN) as the mean of the coarse windows beside it."""
    filled = falls.copy()
    for row, column in np.argwhere(np.isnan(falls)):
        filled[row, column] = np.nanmean(falls[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2])
    return filled


def _painted(falls: np.ndarray, side: int, stride: int, shape: tuple[int, int]) -> np.ndarray:
    """Mean over the windows that cover a pixel; 0 where none does."""
    total, count = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for (row, column), fall in np.ndenumerate(falls):
        window = np.s_[row * stride : row * stride + side, column * stride : column * stride + side]
        total[window] += fall
        count[window] += 1
    return np.asarray(total / np.maximum(count, 1))
