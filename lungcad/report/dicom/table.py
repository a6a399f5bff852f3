"""The DICOM objects of explained slices, made together: those that refer to others know them."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from pydicom import dcmwrite
from pydicom.dataset import Dataset

from lungcad.errors import ImageError, lookup
from lungcad.report.dicom.explained import HIGHLIGHT, ExplainedSlice
from lungcad.report.dicom.header import with_names, without_names
from lungcad.report.dicom.parametric_map import parametric_map
from lungcad.report.dicom.secondary_capture import secondary_captures
from lungcad.report.dicom.segmentation import segmentation
from lungcad.report.dicom.series import ExplainedSeries
from lungcad.report.dicom.series_report import series_report
from lungcad.report.dicom.structured_report import structured_report
from lungcad.report.formats import DICOM_OBJECTS

FIRST_SERIES = 9001
"""Series numbers begin here, far from a scanner's own."""


@dataclass(frozen=True, eq=False)
class DicomObjects:
    """objects: by name, ``sc-1``, ``sc-2``, … where there are several. notes: what was left out and why, a sentence each."""

    objects: Mapping[str, Dataset]
    notes: Sequence[str]

    def files(self, stem: str) -> dict[str, bytes]:
        """File name -> content."""
        return {f"{stem}-{name}.dcm": _bytes_of(dataset) for name, dataset in self.objects.items()}


def dicom_objects(kinds: Sequence[str], slices: Sequence[ExplainedSlice], *, share: float = HIGHLIGHT) -> DicomObjects:
    """The objects of those kinds over slices of one series, in their order.

    share: of the map's peak, from which on it counts as highlighted. Raises :class:`~lungcad.errors.UnknownNameError` for another kind,
    :class:`~lungcad.errors.ImageError` where the source's header cannot carry them.
    """
    _check_kinds(kinds)
    nameless = _nameless(slices)
    return _made(kinds, nameless, nameless, lambda beside: structured_report(nameless, FIRST_SERIES + 3, beside), slices[0].header, share)


def series_objects(kinds: Sequence[str], explained: ExplainedSeries, *, share: float = HIGHLIGHT) -> DicomObjects:
    """The objects of a whole series: maps and segments of every slice shown, captures of the ranked positions, one report. Raises as :func:`dicom_objects`."""
    _check_kinds(kinds)
    captured = _nameless(explained.captured)
    nameless = replace(explained, slices=tuple(_nameless(explained.slices)), captured=tuple(captured))
    header = explained.slices[0].header
    return _made(kinds, nameless.slices, captured, lambda beside: series_report(nameless, FIRST_SERIES + 3, beside), header, share)


def _check_kinds(kinds: Sequence[str]) -> None:
    for kind in kinds:
        lookup(DICOM_OBJECTS, kind, "DICOM object")


def _nameless(slices: Sequence[ExplainedSlice]) -> list[ExplainedSlice]:
    _check_alike(slices)
    return [replace(each, header=without_names(each.header)) for each in slices]


def _made(
    kinds: Sequence[str],
    slices: Sequence[ExplainedSlice],
    captured: Sequence[ExplainedSlice],
    report: Callable[[Sequence[Dataset]], Dataset],
    header: Dataset,
    share: float,
) -> DicomObjects:
    """report: makes the structured report beside these objects. header: with the names, which the objects are given."""
    objects: dict[str, Dataset] = {}
    notes: list[str] = []
    try:
        if "sc" in kinds:
            captures = secondary_captures(captured, FIRST_SERIES)
            objects |= {"sc" if len(captures) == 1 else f"sc-{number}": each for number, each in enumerate(captures, 1)}
        if "pm" in kinds:
            objects["pm"] = parametric_map(slices, FIRST_SERIES + 1)
        if "seg" in kinds:
            made, notes = segmentation(slices, FIRST_SERIES + 2, share)
            objects |= {"seg": made} if made is not None else {}
        if "sr" in kinds:
            beside = [objects[name] for name in ("pm", "seg") if name in objects]
            objects["sr"] = report(beside)
    except ImageError:
        raise
    except (ValueError, TypeError, AttributeError, KeyError) as error:  # highdicom's messages may quote a patient's name
        raise ImageError(
            f"The DICOM file's header is not as the standard has it ({type(error).__name__} in what is copied of patient, study or place), "
            "so no object can be made; export the slice again from the archive."
        ) from None
    return DicomObjects({name: with_names(made, header) for name, made in objects.items()}, notes)


def _check_alike(slices: Sequence[ExplainedSlice]) -> None:
    if not slices:
        raise ImageError("There is no slice to make DICOM objects of.")
    first = slices[0].header
    if any((each.header.SeriesInstanceUID, each.values.shape) != (first.SeriesInstanceUID, slices[0].values.shape) for each in slices):
        raise ImageError("The slices are of several series or sizes; make the objects of one series at a time.")


def _bytes_of(dataset: Dataset) -> bytes:
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()
