"""The series on screen to take away: as a report, and as DICOM objects for the archive."""

from collections.abc import Sequence

import streamlit as st

from lungcad.app.components.literal import literal
from lungcad.app.components.report import offer_formats
from lungcad.app.volume.source import Opened, content_of
from lungcad.errors import LungcadError
from lungcad.imaging.volume import opened as opened_study
from lungcad.report.formats import DICOM_OBJECTS, as_zip
from lungcad.report.series import SeriesCase, series_document
from lungcad.series.result import SeriesAnswer


def offer_series(opened: Opened, answer: SeriesAnswer, lesions: Sequence[tuple[str, tuple[float, float, float], float]]) -> None:
    """One control with everything that can be made of the answer."""
    stem = answer.file_stem(opened.volume)
    ratings = {nodule.label: nodule.malignancy for nodule in opened.marks.nodules} if opened.marks else {}
    case = SeriesCase(opened.volume, answer, lesions, "drawn lesions" if opened.phantom else "marked by readers", ratings)
    with st.popover(
        "Download report",
        icon=":material/description:",
        help="The series as a file to keep, print or send to the archive.",
        key="series_report",
    ):
        st.caption(
            "The answer, the curve, the positions as pictures, what is known to be there, the cards of network and data, versions and hashes. "
            "No name of a file or a patient is in it. It takes some seconds."
        )
        offer_formats(lambda: series_document(case), stem)
        if answer.prediction is None:
            st.caption("No DICOM objects: the gate declines most slices, so there is no answer to send.")
        else:
            _offer_objects(opened, answer, stem)


def _offer_objects(opened: Opened, answer: SeriesAnswer, stem: str) -> None:
    """As one zip; where the series' files cannot carry them, the sentence that says why."""
    from lungcad.report.dicom.series import check_source

    try:
        check_source(opened.volume)
    except LungcadError as error:
        st.caption(f"No DICOM objects: {literal(error)}")
        return
    st.download_button(
        "DICOM objects (zip), for the archive",
        lambda: _objects(opened, answer, stem),
        f"{stem}-dicom.zip",
        "application/zip",
        on_click="ignore",
        icon=":material/medical_services:",
        help=f"{'; '.join(DICOM_OBJECTS.values())}. They refer to your series and carry its patient's name and identifier, as the archive needs them.",
    )


def _objects(opened: Opened, answer: SeriesAnswer, stem: str) -> bytes:
    """The headers are read again from what was dropped. Runs outside the session; what cannot be made is said in a file of its own."""
    from lungcad.report.dicom.series import ExplainedSeries, series_headers
    from lungcad.report.dicom.table import series_objects

    try:
        with opened_study(content_of(opened.source)) as study:
            headers = series_headers(study, opened.volume)
        made = series_objects(list(DICOM_OBJECTS), ExplainedSeries.of(opened.volume, answer, headers))
    except LungcadError as error:
        return as_zip({"no-objects.txt": str(error).encode()})
    notes = {"notes.txt": "\n".join(made.notes).encode()} if made.notes else {}
    return as_zip(made.files(stem) | notes)
