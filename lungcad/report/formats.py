"""A report as files: the table of formats, and several cases as one zip."""

import io
import zipfile
from collections.abc import Callable, Iterable, Mapping

from lungcad.errors import lookup
from lungcad.report.document import Document


def _pdf(document: Document) -> bytes:
    from lungcad.report.pdf import to_pdf  # reportlab is loaded only where a PDF is made

    return to_pdf(document)


def _html(document: Document) -> bytes:
    from lungcad.report.html import to_html

    return to_html(document).encode()


FORMATS: Mapping[str, Callable[[Document], bytes]] = {"pdf": _pdf, "html": _html}
"""Ending -> renderer."""
DICOM_OBJECTS = {
    "sc": "Secondary Capture of the overlay as shown",
    "pm": "Parametric Map of the raw values",
    "seg": "Segmentation of the highlighted part and of the lung field",
    "sr": "Structured Report with class, probabilities and trust measures",
}
"""Name -> what it is (:mod:`lungcad.report.dicom`, which takes a second to import)."""
MIME = {"pdf": "application/pdf", "html": "text/html"}


def chosen(names: str, table: Mapping[str, object], kind: str) -> list[str]:
    """``"pdf, html"`` -> its names, each once and in the table, in the order given. Raises :class:`UnknownNameError` for another."""
    asked = list(dict.fromkeys(name.strip().lower() for name in names.split(",")))
    for name in asked:
        lookup(table, name, kind)
    return asked


def rendered(document: Document, stem: str, formats: Iterable[str]) -> dict[str, bytes]:
    """File name -> content."""
    return {f"{stem}.{each}": lookup(FORMATS, each, "report format")(document) for each in formats}


def as_zip(files: Mapping[str, bytes]) -> bytes:
    """One archive; the same files give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        add_to_zip(archive, files)
    return buffer.getvalue()


def add_to_zip(archive: zipfile.ZipFile, files: Mapping[str, bytes]) -> None:
    """Without dates; a name that is there already is not written twice."""
    known = set(archive.namelist())
    for name, content in files.items():
        if name not in known:
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
