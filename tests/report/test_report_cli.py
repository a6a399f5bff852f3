"""Reports from the command line."""

import json
import zipfile

import pytest

import lungcad.models.card
import lungcad.models.weights
from lungcad.imaging.phantom import make_phantom
from tests.calls import caller

MODEL = "toy-resnet18-none"


@pytest.fixture
def run(weights_folder, monkeypatch, capsys):
    """On the toy networks: (exit status, stdout, stderr)."""
    for function in (lungcad.models.weights.load_model, lungcad.models.card.list_cards):
        monkeypatch.setitem(function.__kwdefaults__ or {}, "folder", weights_folder)
    monkeypatch.setattr(lungcad.models.card.list_cards, "__defaults__", (weights_folder,))
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
        (("--report", "", "--out", "folder"), "pdf, html"),
        (("--report", "pdf", "--out", "picture.png"), "folder"),
    ],
)
def test_what_cannot_be_written_is_one_sentence(run, slice_path, words, expected):
    status, out, err = run("explain", slice_path, "--model", MODEL, *words)
    assert status == 2 and not out and expected in err and len(err.strip().splitlines()) == 1


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
