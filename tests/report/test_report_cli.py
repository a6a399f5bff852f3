"""Reports from the command line."""

import json
import zipfile

import pydicom
import pytest

from lungcad.gate import Decision, Outcome
from lungcad.imaging.phantom import make_phantom
from lungcad.report.case import HIDDEN
from tests.calls import caller, use_networks
from tests.report.conftest import NAME

MODEL = "toy-resnet18-none"


@pytest.fixture
def run(weights_folder, monkeypatch, capsys):
    """On the toy networks: (exit status, stdout, stderr)."""
    use_networks(monkeypatch, weights_folder)
    return caller(monkeypatch, capsys)


@pytest.fixture
def slice_path(tmp_path, dicom_bytes):
    path = tmp_path / "Nemo_Captain.dcm"
    path.write_bytes(dicom_bytes)
    return path


def test_explain_writes_reports(run, slice_path, tmp_path):
    out = tmp_path / "new" / "folder"
    status, text, _ = run("explain", slice_path, "--model", MODEL, "--show-anyway", "--report", "pdf,html", "--out", out, "--json")
    files = json.loads(text)["files"]
    assert status == 0 and sorted(map(str, out.iterdir())) == sorted(files) and len(files) == 2
    assert not any("Nemo" in path.name for path in out.iterdir())


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--report", "pdf"), "--out"),
        (("--report", "docx", "--out", "folder"), "pdf, html"),
        (("--report", "", "--out", "folder"), "--report is empty"),
        (("--report", "pdf", "--out", "picture.png"), "folder"),
        (("--dicom", "rtss", "--out", "folder"), "sc, pm, seg, sr"),
        (("--dicom", "sr"), "--out"),
    ],
)
def test_what_cannot_be_written_is_one_sentence(run, slice_path, words, expected):
    status, out, err = run("explain", slice_path, "--model", MODEL, *words)
    assert status == 2 and not out and expected in err and len(err.strip().splitlines()) == 1


def test_explain_writes_dicom_objects(run, slice_path, tmp_path):
    out = tmp_path / "objects"
    status, text, _ = run("explain", slice_path, "--model", MODEL, "--show-anyway", "--dicom", "sc,pm,seg,sr", "--out", out)
    assert status == 0 and len(text.splitlines()) >= 5
    made = {path.stem.rsplit("-", 1)[1]: pydicom.dcmread(path) for path in out.iterdir()}
    assert set(made) == {"sc", "pm", "seg", "sr"} and all(each.PatientName == NAME for each in made.values())
    assert not any("Nemo" in path.name for path in out.iterdir())


def test_dicom_objects_of_a_picture_are_refused_before_any_work(run, tmp_path):
    picture, out = tmp_path / "slice.png", tmp_path / "objects"
    picture.write_bytes(make_phantom(2, size=96).png())
    status, text, err = run("explain", picture, "--model", "no-such-network", "--dicom", "sr", "--out", out)
    assert status == 2 and not text and "made from a DICOM slice" in err and not out.exists()


def test_a_declined_slice_has_a_report_without_answer_and_no_object(run, slice_path, tmp_path, monkeypatch):
    declined = Decision(Outcome.DECLINE, ("It is a photograph.",))
    monkeypatch.setattr("lungcad.analysis.decide", lambda *_: declined)
    out = tmp_path / "objects"
    status, _, err = run("explain", slice_path, "--model", MODEL, "--report", "html", "--dicom", "sr", "--out", out)
    (report,) = out.iterdir()
    assert (
        status == 0 and "no DICOM object was made" in err and report.name.endswith("-declined.html") and HIDDEN in report.read_text("utf-8")
    )


def test_many_cases_in_one_zip(run, slice_path, tmp_path):
    other, bad, out = tmp_path / "other.png", tmp_path / "bad.png", tmp_path / "cases.zip"
    other.write_bytes(make_phantom(2, size=96).png())
    bad.write_bytes(b"nothing")
    status, _, err = run("report", "cases", slice_path, other, bad, "--model", MODEL, "--out", out, "--format", "html")
    assert status == 2 and "bad.png" in err
    with zipfile.ZipFile(out) as archive:
        names = archive.namelist()
        assert len(names) == 2 and all(name.endswith(".html") and "Nemo" not in name for name in names)
        assert all(b"Nemo" not in archive.read(name) for name in names)
