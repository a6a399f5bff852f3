"""Trust runs: made on made-up data whose answers are known, written, read, and told from damaged ones."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lungcad.datasets.lidc_dicom import read_marked_slices
from lungcad.errors import DatasetError, LungcadError, UnknownNameError
from lungcad.evaluate.trust import run_trust
from lungcad.explain.trust import MEASURES
from lungcad.explain.trust.stability import shifted
from lungcad.imaging.phantom import Lesion, make_phantom
from tests.conftest import CLASSES


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Phantoms laid out as Chest CT-Scan, a damaged one among them, and a DICOM series with contours."""
    root = tmp_path_factory.mktemp("data")
    for index, label in enumerate(CLASSES):
        class_folder = root / "chest" / "test" / label
        class_folder.mkdir(parents=True)
        (class_folder / "a.png").write_bytes(make_phantom(index, size=96).png())
    (class_folder / "damaged.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing")
    series = root / "dicom" / "P1"
    (series / "masks").mkdir(parents=True)
    phantom = make_phantom(9, size=96, lesion=Lesion((-10.0, -78.0), 40.0))
    for number, mask in enumerate((phantom.lesion, np.zeros_like(phantom.lesion))):
        (series / f"{number:04}.dcm").write_bytes(phantom.dicom())
        Image.fromarray(mask.astype(np.uint8) * 4).save(series / "masks" / f"{number:04}.png")
    pd.DataFrame({"file": ["0000.dcm", "0001.dcm"], "marked_px": [int(phantom.lesion.sum()), 0]}).to_csv(series / "slices.csv")
    return root


@pytest.fixture(scope="module")
def run(toy_gate, folder):
    return run_trust(
        toy_gate, folder / "chest", "chest-ct-scan", n=100, methods=["gradcam", "attention", "ablationcam", "random", "centre"]
    )


def test_a_run_has_a_row_a_case_and_method_and_names_what_it_skipped(run):
    assert len(run.cases) == 4 * 5 and run.facts["n"] == 4
    assert [fault["case"] for fault in run.facts["skipped"]] == ["test/squamous.cell.carcinoma/damaged.png"]
    assert any("no contours" in note for note in run.facts["notes"])
    values = run.to_dict()
    assert {"model", "n", "methods"} <= set(values) and set(values["methods"][0]) == {"method", "intervals", *MEASURES}
    json.dumps(values, allow_nan=False)
    row_by_method = {row["method"]: row for row in values["methods"]}
    assert row_by_method["gradcam"]["iou"] is None and row_by_method["gradcam"]["pointing_game"] is None
    assert (
        row_by_method["centre"]["sanity"] == 1
        and row_by_method["centre"]["stability"] > 0.95
        and row_by_method["ablationcam"]["stability"] is None
    )
    assert row_by_method["random"]["faithfulness"] == pytest.approx(
        row_by_method["random"]["insertion_auc"] - row_by_method["random"]["deletion_auc"], abs=1e-3
    )


def test_the_same_seed_gives_the_same_run(run, toy_gate, folder):
    again = run_trust(toy_gate, folder / "chest", "chest-ct-scan", n=100, methods=run.facts["methods"])
    pd.testing.assert_frame_equal(again.cases, run.cases, rtol=1e-4, atol=1e-5)


def test_contours_in_dicom_series_are_used(toy, folder):
    cases = read_marked_slices(folder / "dicom")
    assert [case.id for case in cases] == ["P1/0000.dcm"] and cases[0].group == "P1"
    run = run_trust(toy, folder / "dicom", "lidc-dicom", methods=["gradcam", "random", "centre"])
    assert run.cases.energy_inside.notna().all() and run.name == "toy-resnet18-none--lidc-dicom"
    with pytest.raises(DatasetError, match="no DICOM series with contours"):
        read_marked_slices(folder / "chest")


def test_a_nodule_crop_is_moved_and_its_contour_with_it():
    picture = np.arange(25.0).reshape(5, 5)
    assert shifted(picture, 1, -2, "reflect")[2, 1] == picture[1, 3]
    contour = np.zeros((5, 5), bool)
    contour[0, 0] = True
    assert not shifted(contour, -1, 0, "constant").any()


def test_unsuitable_methods_and_layouts_are_refused(toy, folder):
    with pytest.raises(LungcadError, match="no attention"):
        run_trust(toy, folder / "chest", "chest-ct-scan", methods=["attention"])
    with pytest.raises(DatasetError, match="no task of lidc-nodules"):
        run_trust(toy, folder / "chest", "lidc-nodules")
    with pytest.raises(UnknownNameError):
        run_trust(toy, folder / "chest", "chest-ct-scan", methods=["magic"])
