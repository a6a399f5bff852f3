"""The contour of a case: what its readers marked, or what was drawn."""

import numpy as np
from PIL import Image

from lungcad.datasets.case import Case
from lungcad.errors import DatasetError


def read_contour(case: Case, shape: tuple[int, ...]) -> np.ndarray | None:
    """Bool mask of what at least half of the readers marked; None where the case has no contour, or nothing of it is left.

    shape: (rows, columns) of the image. Raises :class:`DatasetError` for a contour that cannot be read or has another size.
    """
    if case.mask is None:
        return None
    try:
        votes = np.asarray(Image.open(case.mask))
    except OSError:
        raise DatasetError(f"The contour of {case.id} cannot be read; get it again from its publisher.") from None
    if votes.shape != shape:
        raise DatasetError(f"The contour of {case.id} has another size than its image.")
    readers = case.facts.get("n_readers", float(votes.max()))
    contour = votes >= max(readers / 2, 1)
    return contour if contour.any() else None
