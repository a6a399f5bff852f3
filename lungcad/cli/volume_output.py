"""What ``volume`` writes into the folder ``--out``: tables, heat maps, reports, DICOM objects; no name of a file, and of the patient only in the objects."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lungcad.cli.common import complain
from lungcad.cli.report import wanted, write_files
from lungcad.errors import LungcadError
from lungcad.files import check_can_make

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from lungcad.imaging.volume import CTVolume, Study
    from lungcad.report.series import SeriesCase
    from lungcad.series.marked import MarkedReading
    from lungcad.series.nodule import NoduleReading


@dataclass(frozen=True)
class SeriesOutputs:
    """folder: None writes nothing. formats: of the report. kinds: of DICOM objects."""

    folder: Path | None
    formats: list[str]
    kinds: list[str]

    @classmethod
    def of(cls, out: Path | None, report: str | None, dicom: str | None, *, is_point: bool) -> "SeriesOutputs":
        """Asked before any work. Raises :class:`LungcadError` for what cannot be written there. is_point: of one nodule, not the series."""
        formats, kinds = wanted(report, dicom, out)
        if (formats or kinds) and is_point:
            raise LungcadError(
                "--report and --dicom are of a whole series; leave --point out, or take nodule.json and nodule.png of --out."
            )
        if out:
            check_can_make(out)
        return cls(out, formats, kinds)

    def headers(self, study: "Study", volume: "CTVolume") -> "dict[int, Dataset]":
        """What the objects copy of the source, where objects are wanted; the study must be open."""
        if not self.kinds:
            return {}
        from lungcad.report.dicom.series import series_headers

        return series_headers(study, volume)

    def check(self, volume: "CTVolume") -> None:
        """Raises :class:`LungcadError` where objects are wanted and cannot refer to the volume's files."""
        if self.kinds:
            from lungcad.report.dicom.series import check_source

            check_source(volume)

    def write(self, case: "SeriesCase", result: dict[str, Any], headers: "Mapping[int, Dataset]") -> list[str]:
        """The paths written. Of an answer that is declined no DICOM object is made, which is said."""
        if self.folder is None:
            return []
        from lungcad.report.formats import rendered
        from lungcad.report.series import series_document
        from lungcad.series.heat_volume import heat_nifti

        stem = case.answer.file_stem(case.volume)
        files = {
            "answer.json": json.dumps(result, indent=2, allow_nan=False).encode(),
            "slices.csv": _table(result["slices"], case.answer.card.classes),
            "heat.nii.gz": heat_nifti(case.volume, case.answer),
        }
        if self.formats:
            files |= rendered(series_document(case), stem, self.formats)
        if self.kinds and case.answer.prediction is None:
            complain("the gate declined most slices, so no DICOM object was made; --show-anyway makes them all the same")
        elif self.kinds:
            from lungcad.report.dicom.series import ExplainedSeries
            from lungcad.report.dicom.table import series_objects

            made = series_objects(self.kinds, ExplainedSeries.of(case.volume, case.answer, headers))
            for note in made.notes:
                complain(note)
            files |= made.files(stem)
        return write_files(files, self.folder)

    def write_nodule(self, reading: "NoduleReading") -> list[str]:
        """The paths written: what was said of the place, and its crop with the map where it may be shown."""
        if self.folder is None:
            return []
        files = {"nodule.json": json.dumps(reading.to_dict(), indent=2, allow_nan=False).encode()}
        if not reading.answer.is_hidden:
            (method,) = reading.answer.attributions
            files["nodule.png"] = reading.answer.overlay_png(method)
        return write_files(files, self.folder)

    def write_marked(self, readings: "Sequence[MarkedReading]") -> list[str]:
        """The paths written: what was said of each nodule."""
        if self.folder is None:
            return []
        from lungcad.series.marked import marked_report

        return write_files({"nodules.json": json.dumps(marked_report(readings), indent=2, allow_nan=False).encode()}, self.folder)


def _table(rows: list[dict[str, Any]], classes: tuple[str, ...]) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(["slice", "position_mm", "file", "frame", "gate", *classes])
    for row in rows:
        writer.writerow([row["slice"], row["position_mm"], row["file"], row["frame"], row["gate"], *(row["probabilities"] or {}).values()])
    return buffer.getvalue().encode()
