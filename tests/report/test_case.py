"""The report of a case: what stands in it, what does not, and that it can be made again."""

import base64
import io
import re
import zipfile
from dataclasses import replace
from html.parser import HTMLParser

import cv2
import numpy as np
import pypdf
import pytest
from PIL import Image

from lungcad.analysis import analyse
from lungcad.app.predict.report import _share_in_link
from lungcad.datasets import class_title
from lungcad.datasets.concepts import CONCEPTS
from lungcad.errors import UnknownNameError
from lungcad.explain.concepts import ConceptAnswer, RatedConcept
from lungcad.gate import Decision, Outcome
from lungcad.imaging.burnt_in import burnt_in_marks
from lungcad.report.case import HIDDEN, SHOWN_ANYWAY, Case, case_document
from lungcad.report.document import NOTICE, Document, Section, Table, Text
from lungcad.report.formats import as_zip, chosen, rendered
from lungcad.report.html import to_html
from lungcad.report.pdf import to_pdf
from tests.report.conftest import ID, NAME, PRIVATE

FORBIDDEN = (NAME, ID, PRIVATE, "Nemo", "Captain", "Nautilus", "19500102")


def pdf_text(data: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages)


def with_decision(case: Case, outcome: Outcome, *, shown: bool) -> Case:
    gate = Decision(outcome, ("It is a photograph.",)) if outcome is Outcome.DECLINE else Decision(outcome)
    return replace(case, result=replace(case.result, gate=gate, show_anyway=shown))


@pytest.fixture(scope="module")
def answered(case) -> Case:
    return with_decision(case, Outcome.ANSWER, shown=False)


@pytest.fixture(scope="module")
def texts(answered) -> dict[str, str]:
    document = case_document(answered, date="2026-01-02")
    return {"pdf": pdf_text(to_pdf(document)), "html": to_html(document)}


@pytest.mark.parametrize("form", ("pdf", "html"))
def test_it_says_what_the_result_says(answered, texts, form):
    text, result = " ".join(texts[form].split()), answered.result
    assert class_title(result.prediction.label) in text and f"{result.prediction.confidence:.1%}" in text
    for share in result.prediction.probabilities.values():
        assert f"{share:.1%}" in text
    for check in answered.checks:
        assert check.question in text and check.verdict in text
    assert NOTICE in text and "2026-01-02" in text and "python -m lungcad explain IMAGE" in text
    assert answered.result.image.provenance.sha256 in text.replace(" ", "") and answered.card.limits in text


def test_the_concepts_of_a_concept_network_are_in_it(answered):
    concept = next(iter(CONCEPTS.values()))
    levels = len(concept.levels)
    rated = RatedConcept(concept, np.eye(levels)[0], np.linspace(0.25, 2, levels))
    answer = ConceptAnswer("malignant", "benign", -1.5, {"one": rated})
    html = to_html(case_document(replace(answered, result=replace(answered.result, concepts=answer))))
    assert concept.title in html and rated.word in html and "+0.25" in html and "-1.50" in html and "-1.25" in html


@pytest.mark.parametrize("form", ("pdf", "html"))
def test_no_identifier_is_in_it(texts, form):
    assert not [word for word in FORBIDDEN if word in texts[form]]


def test_nothing_of_a_hidden_answer_is_in_it(case):
    hidden = with_decision(case, Outcome.DECLINE, shown=False)
    document = case_document(hidden)
    for text in (pdf_text(to_pdf(document)), to_html(document)):
        text = " ".join(text.split())
        assert HIDDEN in text and "It is a photograph." in text
        assert f"{hidden.result.prediction.confidence:.1%}" not in text and "Grad-CAM" not in text and "Calibrated probability" not in text
    assert to_html(document).count("<img") == 1 and hidden.name.endswith("-declined")


def test_a_declined_answer_that_is_shown_says_so(case):
    shown = with_decision(case, Outcome.DECLINE, shown=True)
    html = to_html(case_document(shown))
    assert SHOWN_ANYWAY in html and f"{shown.result.prediction.confidence:.1%}" in html and "--show-anyway" in html
    assert html.index(SHOWN_ANYWAY) < html.index("Calibrated probability")


def test_the_same_case_gives_the_same_bytes(answered):
    files = [rendered(case_document(answered, date="2026-01-02"), "a", ("pdf", "html")) for _ in range(2)]
    assert files[0] == files[1] and as_zip(files[0]) == as_zip(files[1])
    with zipfile.ZipFile(io.BytesIO(as_zip(files[0]))) as archive:
        assert archive.read("a.pdf") == files[0]["a.pdf"]


def test_pictures_hold_every_pixel_of_the_image(answered, texts):
    pictures = [Image.open(io.BytesIO(base64.b64decode(data))) for data in re.findall(r"data:image/png;base64,([^\"]+)", texts["html"])]
    assert [each.size for each in pictures[:2]] == [answered.result.image.shape[::-1]] * 2
    bare, drawn = (np.asarray(each.convert("RGB"), float) for each in pictures[:2])
    np.testing.assert_allclose(bare[..., 0] / 255, burnt_in_marks(answered.result.image).left_out(answered.result.image.grey()), atol=0.003)
    assert np.abs(bare - drawn).max() > 20


def test_text_beside_the_body_is_left_out_of_the_pictures(phantom, toy):
    result = analyse(phantom.image(), toy, methods=["gradcam"], show_anyway=True)
    letters = np.zeros(result.image.shape, np.uint8)
    cv2.putText(letters, "NEMO CAPT", (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.4, 255, 1)
    marked = replace(result, image=replace(result.image, pixels=np.where(letters > 0, 3000, result.image.pixels)))
    html = to_html(case_document(Case(marked, toy.card, "gradcam")))
    assert "it might be a name" in html
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(re.search(r"base64,([^\"]+)", html)[1]))).convert("L"))
    assert (picture[letters > 128] < 40).mean() > 0.95


def test_the_html_file_fetches_and_runs_nothing(texts):
    class Tags(HTMLParser):
        def handle_starttag(self, tag, attrs):
            assert tag not in {"script", "iframe", "link", "object", "embed", "form"}
            assert all(not (value or "").startswith(("http", "//")) for name, value in attrs if name in {"src", "href"})

    Tags().feed(texts["html"])
    assert "default-src 'none'" in texts["html"]


def test_words_from_outside_are_text_in_both():
    evil = "<script>alert(1)</script> & <b>bold</b>"
    document = Document(evil, evil, "2026-01-02", [Section(evil, [Text(evil), Table((evil,), [(evil,)])])])
    html = to_html(document)
    assert "<script" not in html and "&lt;script&gt;" in html
    assert " ".join(pdf_text(to_pdf(document)).split()).count(evil) == 6


def test_an_unknown_format_is_one_sentence():
    with pytest.raises(UnknownNameError, match="pdf, html"):
        chosen("pdf,docx", {"pdf": 1, "html": 1}, "report format")
    assert chosen("html, PDF,html", {"pdf": 1, "html": 1}, "report format") == ["html", "pdf"]


@pytest.mark.parametrize(
    ("link", "opacity"), [({}, 0.5), ({"opacity": "0.8"}, 0.8)] + [({"opacity": text}, 0.5) for text in ("nan", "7", "-1", "x")]
)
def test_the_report_has_the_viewers_settings_and_the_usual_ones_where_the_viewer_has(monkeypatch, link, opacity):
    monkeypatch.setattr("streamlit.query_params", link)
    assert _share_in_link("opacity", 0.5) == opacity
