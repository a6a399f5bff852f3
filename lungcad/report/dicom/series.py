"""What is said of a whole series, ready to be written as DICOM: the slices that were answered, and the positions among them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from pydicom.dataset import Dataset

from lungcad.errors import ImageError, LungcadError
from lungcad.imaging.burnt_in import burnt_in_marks
from lungcad.imaging.dicom.parse import parse
from lungcad.imaging.volume import CTVolume, Study
from lungcad.report.case import SHOWN_ANYWAY
from lungcad.report.dicom.explained import ExplainedSlice
from lungcad.report.dicom.header import letters_of, source_header
from lungcad.report.pictures import colour_bar, drawn_map
from lungcad.series.result import Position, SeriesAnswer, SliceAnswer

MAX_BYTES = 512 << 20
"""Of a parametric map: four bytes a pixel of every slice that was read."""


@dataclass(frozen=True, eq=False)
class ExplainedSeries:
    """answer: of the network. slices: those whose answer may be shown, in order along the normal. captured: of each ranked position, its slice with the
    picture to capture. points: of each position (column, row) on the file's grid, from the corner of its first pixel.
    """

    answer: SeriesAnswer
    slices: tuple[ExplainedSlice, ...]
    captured: tuple[ExplainedSlice, ...]
    points: tuple[tuple[float, float], ...]

    @classmethod
    def of(cls, volume: CTVolume, answer: SeriesAnswer, headers: Mapping[int, Dataset]) -> "ExplainedSeries":
        """headers: as :func:`series_headers` gives them. Raises :class:`LungcadError` for an answer that the gate declines, or too much to write."""
        if answer.prediction is None:
            raise LungcadError("The gate declined most slices, so there is no answer to write; --show-anyway writes it all the same.")
        shown = {each.index: each for each in answer.shown}
        if 4 * len(shown) * volume.hu[0].size > MAX_BYTES:
            raise ImageError(
                f"Objects over {len(shown)} slices of this size would take more than {MAX_BYTES >> 20} MiB each; give a part of the series, or take heat.nii.gz."
            )
        slices = tuple(_slice(volume, answer, each, headers[index]) for index, each in shown.items())
        captured = tuple(_captured(volume, answer, shown[position.slice_index], headers) for position in answer.positions)
        return cls(answer, slices, captured, tuple(_in_file(volume, position) for position in answer.positions))


def series_headers(study: Study, volume: CTVolume) -> dict[int, Dataset]:
    """Slice -> header of its file, of every slice that was acquired so; the study must still be open.

    Raises :class:`ImageError` for a series that is not a DICOM file a slice, and where a file is no longer the one that was read.
    """
    check_source(volume)
    found = {}
    for index, source in enumerate(volume.sources):
        if source is None:
            continue
        try:
            header = source_header(parse(study.files[source.file].read_bytes(), headers_only=True))
        except (OSError, IndexError):
            raise ImageError("A file of the series is no longer there; open the series again.") from None
        if header.SOPInstanceUID != source.sop_instance_uid:
            raise ImageError("The files of the series have changed since they were read; open the series again.")
        found[index] = header
    return found


def check_source(volume: CTVolume) -> None:
    """Raises :class:`ImageError` for a volume that no DICOM object can refer to, slice by slice."""
    if volume.format != "DICOM":
        what = "is made up" if volume.synthetic else f"was read as {volume.format}"
        raise ImageError(
            f"DICOM objects refer to the DICOM files of a patient's series; this one {what} and has none. A report can be made of it."
        )
    if any(source is not None and source.frame for source in volume.sources):
        raise ImageError(
            "DICOM objects are made of a file a slice; this series is one file of many. Export it as single slices (CT Image Storage)."
        )


def _slice(volume: CTVolume, answer: SeriesAnswer, each: SliceAnswer, header: Dataset) -> ExplainedSlice:
    declined = each.gate.is_declined
    return ExplainedSlice(
        header,
        answer.card,
        answer.method,
        answer.target,
        each.prediction.probabilities,
        np.ascontiguousarray(volume.turn.to_file(each.geometry.to_original(answer.grid(each)))),
        np.zeros((0, 0, 3), np.uint8),
        ("", ""),
        None,
        np.ascontiguousarray(volume.turn.to_file(answer.lungs.on_slice(each.index, volume.shape[1:]))),
        warnings=(*([SHOWN_ANYWAY] if declined else []), *each.gate.reasons, *answer.warnings),
        declined=declined,
    )


def _captured(volume: CTVolume, answer: SeriesAnswer, each: SliceAnswer, headers: Mapping[int, Dataset]) -> ExplainedSlice:
    """With the overlay as the viewer and the report show it."""
    image, attribution = volume.image(each.index), answer.attribution(each)
    plain = _slice(volume, answer, each, headers[each.index])
    usual = ("L", "P") if volume.orientation == "axial" else letters_of(plain.header)
    return replace(
        plain,
        picture=drawn_map(image, attribution, burnt_in_marks(image)),
        letters=usual,
        spacing=image.spacing_mm,
        bar=colour_bar(attribution),
    )


def _in_file(volume: CTVolume, position: Position) -> tuple[float, float]:
    _, rows, columns = volume.shape
    row = rows - 1 - position.row if volume.turn.rows_reversed else position.row
    column = columns - 1 - position.column if volume.turn.columns_reversed else position.column
    if volume.turn.transposed:
        row, column = column, row
    return column + 0.5, row + 0.5
