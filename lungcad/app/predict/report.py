"""The case on screen to take away: as a report, and for a DICOM slice as objects for the archive."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from lungcad.analysis import Analysis, nearest_or_none
from lungcad.app import session, store
from lungcad.app.components.literal import literal
from lungcad.app.components.report import offer_formats
from lungcad.app.predict.trust import known_checks
from lungcad.errors import LungcadError
from lungcad.explain import Options
from lungcad.report.document import Document
from lungcad.report.formats import DICOM_OBJECTS, as_zip

if TYPE_CHECKING:
    from lungcad.report.case import Case


def offer_case(result: Analysis, network: str, method: str, options: Options) -> None:
    """One control with everything that can be made of the result; of a hidden answer a report without it."""
    model, truth = store.model(network), store.truth()
    checks = [] if result.is_hidden else known_checks(result, network, method, options)

    stem = result.file_stem("gate" if result.is_hidden else method)
    opacity, threshold = _share_in_link("opacity", 0.5), _share_in_link("threshold", 0.2)

    def case() -> "Case":
        from lungcad.report.case import Case  # matplotlib's figures come with it, for which the page does not wait

        nearest = None if result.is_hidden else nearest_or_none(result.image, model)
        return Case(result, model.card, method, options, checks, nearest, truth, opacity, threshold)

    def document() -> Document:
        from lungcad.report.case import case_document

        return case_document(case())

    with st.popover(
        "Download report",
        icon=":material/description:",
        help="The case as a file to keep, print or send to the archive.",
        key="case_report",
    ):
        st.caption(
            "The slice, the gate's reasons, the cards of network and data, versions and hashes."
            if result.is_hidden
            else "Slice and map at full size, probabilities, every check with its record, nearest cases, cards, versions, hashes and settings. "
            "No name of a file or a patient is in it. It takes a few seconds."
        )
        offer_formats(document, stem)
        source = session.source()
        if source is not None and source.data is not None and result.image.provenance.format == "DICOM" and not result.is_hidden:
            _offer_objects(source.data, case, stem)


def _offer_objects(data: bytes, case: "Callable[[], Case]", stem: str) -> None:
    """The DICOM objects as one zip; where the file's header cannot carry them, the sentence that says why."""
    from lungcad.report.dicom.header import check_plane, source_header

    kinds = list(DICOM_OBJECTS)
    try:
        header = source_header(data)
    except LungcadError as error:
        st.caption(f"No DICOM objects: {literal(error)}")
        return
    try:
        check_plane(header)
    except LungcadError as error:
        st.caption(literal(error))
        kinds = ["sc", "sr"]

    def objects() -> bytes:
        from lungcad.report.dicom.explained import ExplainedSlice
        from lungcad.report.dicom.table import dicom_objects

        made = dicom_objects(kinds, [ExplainedSlice.of(data, case())])
        notes = {"notes.txt": "\n".join(made.notes).encode()} if made.notes else {}
        return as_zip(made.files(stem) | notes)

    st.download_button(
        "DICOM objects (zip), for the archive",
        objects,
        f"{stem}-dicom.zip",
        "application/zip",
        on_click="ignore",
        icon=":material/medical_services:",
        help=f"{'; '.join(DICOM_OBJECTS[kind] for kind in kinds)}. They carry the patient's name and identifier of your file, as the archive needs them.",
    )


def _share_in_link(name: str, usual: float) -> float:
    """A setting of the viewer, which it keeps in the link; the usual one where it would not take what stands there."""
    try:
        value = float(st.query_params.get(name, usual))
    except ValueError:
        return usual
    return value if 0 <= value <= 1 else usual
