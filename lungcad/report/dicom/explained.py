"""What is said of one slice, ready to be written as DICOM: on the file's own grid, beside the header that it refers to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

from lungcad.datasets import class_title
from lungcad.errors import LungcadError
from lungcad.explain import METHODS
from lungcad.explain.trust import Check
from lungcad.imaging.burnt_in import burnt_in_marks
from lungcad.imaging.lungs import lung_field
from lungcad.imaging.orientation import Orientation
from lungcad.models.card import ModelCard
from lungcad.report.case import SHOWN_ANYWAY, Case
from lungcad.report.dicom.header import letters_of, source_header
from lungcad.report.pictures import colour_bar, drawn_map

HIGHLIGHT = 0.5
"""Share of a map's peak from which on it counts as highlighted, by default."""


@dataclass(frozen=True, eq=False)
class ExplainedSlice:
    """header: of the source slice (:func:`~lungcad.report.dicom.header.source_header`). probabilities: by class. target: the class explained.

    values: float32, the raw map on the file's grid. picture: uint8 (rows, columns, 3), the overlay as shown, in the usual view; letters: its PatientOrientation;
    spacing: between its rows and columns in mm, or None. bar: PNG of the colour bar, or None. lungs: bool on the file's grid. warnings: reasons to doubt.
    declined: whether the gate declined the slice, and its answer is written all the same.
    """

    header: Dataset
    card: ModelCard
    method: str
    target: str
    probabilities: Mapping[str, float]
    values: np.ndarray
    picture: np.ndarray
    letters: tuple[str, str]
    spacing: tuple[float, float] | None
    lungs: np.ndarray
    bar: bytes | None = None
    checks: Sequence[Check] = ()
    warnings: Sequence[str] = ()
    declined: bool = False
    seed: int = 0

    @classmethod
    def of(cls, source: bytes | Dataset, case: Case) -> "ExplainedSlice":
        """Of a case and the file it was read from. Raises :class:`LungcadError` for an answer that is hidden, and as :func:`source_header`."""
        result = case.result
        if result.is_hidden:
            raise LungcadError("The gate declined the image, so there is no answer to write; --show-anyway writes it all the same.")
        header, image = source_header(source), result.image
        attribution = result.attributions[case.method]
        usual = ("L", "P") if image.orientation is Orientation.AXIAL else letters_of(header)
        return cls(
            header,
            case.card,
            case.method,
            result.target,
            result.prediction.probabilities,
            result.values_in_file(case.method),
            drawn_map(image, attribution, burnt_in_marks(image), case.opacity, case.threshold),
            usual,
            image.spacing_mm,
            np.ascontiguousarray(image.turn.to_file(lung_field(image).lungs)),
            colour_bar(attribution, threshold=case.threshold),
            case.checks,
            (*([SHOWN_ANYWAY] if result.gate.is_declined else []), *result.warnings),
            result.gate.is_declined,
            case.options.seed,
        )

    @property
    def answer(self) -> str:
        """The most probable class."""
        return max(self.probabilities, key=self.probabilities.__getitem__)

    @property
    def map_title(self) -> str:
        """Method and class, for people."""
        return METHODS[self.method].title + (f" for {class_title(self.target)}" if METHODS[self.method].for_class else "")
