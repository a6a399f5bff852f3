"""The page of an evaluation run and the report of a data set, beside what they are made of."""

import base64
import io
import json
import re

import pypdf
import pytest
from PIL import Image

from lungcad.datasets import DATASETS, Protocol
from lungcad.datasets.audit import CHECKS, audit
from lungcad.datasets.stored_audits import read_stored_audit
from lungcad.evaluate.scoring import baselines, confusion, report
from lungcad.evaluate.stores.runs import read_run
from lungcad.report.dataset import dataset_document
from lungcad.report.formats import rendered
from lungcad.report.html import to_html
from lungcad.report.pdf import to_pdf
from lungcad.report.run import run_document
from tests.calls import caller
from tests.conftest import CLASSES, write_phantoms

RUN = "chest-resnet18"


def pages_of(data: bytes) -> list[str]:
    return [" ".join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(data)).pages]


@pytest.mark.parametrize("name", (RUN, "iq-efficientnet-lite0-folds", "lc-efficientnet-lite0-published"))
def test_a_run_fits_on_one_page_with_its_numbers_and_its_command(name):
    run = read_run(name)
    (text,) = pages_of(to_pdf(run_document(run)))
    found, trivial = report(run), baselines(run)
    for metric in ("accuracy", "macro F1", "ROC-AUC"):
        assert str(found[metric]) in text and all(str(values[metric]) in text for values in trivial.values())
    assert all(str(n) in text for n in confusion(run).ravel())
    command = f"python -m lungcad train weights/{run.recipe}.yaml --data FOLDER"
    assert command in text and f"python -m lungcad report run {name}" in text and str(run.facts["seed"]) in text
    assert ("--protocol published" in text) == (run.facts["protocol"] == Protocol.PUBLISHED) and ("--folds 5" in text) == (
        "fold" in run.test
    )


def test_copies_of_training_images_stand_before_the_numbers():
    run = read_run(RUN)
    html = to_html(run_document(run))
    copies = int(run.test.copy_of_training.sum())
    assert copies and html.index(f"{copies} copies of training images") < html.index("accuracy")
    assert str(report(run, without_copies=True)["accuracy"]) in html


def test_a_known_data_set_from_its_stored_audit():
    dataset = DATASETS["chest-ct-scan"]
    stored = read_stored_audit(dataset)
    html = to_html(dataset_document(stored.audit, dataset=dataset, counts=stored.counts, audited_on=stored.date))
    text = re.sub(r"&#x27;", "'", html)
    assert all(check.question in text for check in CHECKS.values())
    assert "Use the grouped split" in text and dataset.licence in text and stored.date in text
    for protocol in stored.counts["protocols"].values():
        assert all(f"<td>{part['groups']}</td>" in text for part in protocol["parts"])
    trivial = baselines(read_run("chest-efficientnet-lite0"))
    assert any(str(values["accuracy"]) in text for values in trivial.values()) and "<img" not in html


def test_copies_of_a_folder_are_drawn_side_by_side(tmp_path):
    write_phantoms(tmp_path, 2)
    (tmp_path / "test" / CLASSES[0] / "copy.png").write_bytes((tmp_path / "train" / CLASSES[0] / "0.png").read_bytes())
    document = dataset_document(audit(tmp_path), folder=tmp_path)
    html = to_html(document)
    pictures = [Image.open(io.BytesIO(base64.b64decode(data))) for data in re.findall(r"data:image/png;base64,([^\"]+)", html)]
    assert len(pictures) >= 2 and pictures[0].tobytes() == pictures[1].tobytes()
    assert "copy.png" in html and "keep all images of one patient" in html and str(tmp_path) not in html
    assert "copy.png" in " ".join(pages_of(to_pdf(document))).replace(" ", "")


def test_the_commands(tmp_path, monkeypatch, capsys):
    run = caller(monkeypatch, capsys)
    status, out, _ = run("report", "run", RUN, "--out", tmp_path / "new")
    assert status == 0 and len(out.splitlines()) == 2 and len(list((tmp_path / "new").iterdir())) == 2
    status, out, err = run("report", "run", "no-such-run", "--out", tmp_path / "other")
    assert status == 2 and "Unknown run" in err and not (tmp_path / "other").exists()
    status, out, _ = run("report", "dataset", "iq-oth-nccd", "--out", tmp_path / "new", "--format", "html")
    assert status == 0 and "lungcad-audit-iq-oth-nccd.html" in out
    status, _, err = run("report", "dataset", "nothing", "--out", tmp_path / "new")
    assert status == 2 and "chest-ct-scan" in err


def test_the_same_run_gives_the_same_bytes():
    first, second = (rendered(run_document(read_run("lidc-efficientnet-lite0"), date="2026-01-02"), "x", ("pdf", "html")) for _ in range(2))
    assert first == second and json.dumps(sorted(first)) == '["x.html", "x.pdf"]'
