"""A place of a series read by a network of nodules, alone and together with one of whole slices."""

import json
from dataclasses import replace

import numpy as np
import pytest

from lungcad.analysis import contour_check
from lungcad.errors import ImageError, ModelError
from lungcad.gate import Decision, Outcome
from lungcad.imaging.phantom_volume import EXAMPLE_BALLS, make_phantom_volume, write_series
from lungcad.models import load_model
from lungcad.series.hybrid import HOW, hybrid, pool
from lungcad.series.marked import mean_energy, rate_marked
from lungcad.series.nodule import TRAINING_PIXEL_MM, contour_at, grade_of, read_nodule
from lungcad.series.readers import MarkedNodule, ReadersMarks
from tests.calls import caller

POINT = EXAMPLE_BALLS[0].centre_mm


@pytest.fixture(scope="module")
def chest():
    return make_phantom_volume(7, size=96, spacing_mm=12, balls=EXAMPLE_BALLS)


def test_the_pool_is_the_geometric_mean_of_the_odds():
    assert pool(0.2, 0.2) == pytest.approx(0.2) and pool(0.9, 0.1) == pytest.approx(0.5)
    assert pool(0.8, 0.5) == pytest.approx(2 / 3)  # odds 4 and 1
    assert 0 < pool(0.0, 0.5) < 0.05 and pool(1.0, 0.0) == pytest.approx(0.5)


def test_both_networks_alone_and_together(chest):
    crop, slices = load_model("lidc-efficientnet-lite0-concepts"), load_model("phantom-honest-taught")
    reading = read_nodule(chest.volume, POINT, crop, beside=slices, show_anyway=True)
    both, answer = reading.hybrid, reading.answer
    assert both.crop_alone == pytest.approx(answer.prediction.probabilities["malignant"])
    assert both.together == pytest.approx(pool(both.slice_alone, both.crop_alone))
    assert answer.concepts is not None and reading.grade is None and len(reading.nearest.neighbours) == 6
    assert reading.to_dict()["hybrid"]["how"] == HOW and "nothing was chosen on any, and the number is not calibrated" in HOW
    assert reading.to_dict()["slice"] == round(chest.volume.voxel(POINT)[0]) + 1
    hidden = replace(answer, gate=Decision(Outcome.DECLINE, ("A reason.",)), show_anyway=False)
    assert hybrid(chest.volume, hidden, crop.card, reading.slice_index, slices) is None
    graded = crop.card.model_copy(update={"task": "malignancy"})  # no class without a finding
    assert hybrid(chest.volume, answer, graded, reading.slice_index, slices) is None
    with pytest.raises(ModelError, match="does not read whole CT slices"):
        read_nodule(chest.volume, POINT, crop, beside=crop, show_anyway=True)
    scale = crop.card.model_copy(update={"classes": ("1", "2", "3", "4", "5")})
    rated = replace(answer, prediction=replace(answer.prediction, probabilities=dict(zip("12345", (0, 0, 0.5, 0, 0.5), strict=True))))
    assert grade_of(scale, rated) == 4


def test_a_place_on_the_command_line_is_written_to_out(chest, tmp_path, monkeypatch, capsys):
    write_series(chest.volume, tmp_path / "in")
    words = (
        "--model",
        "lidc-efficientnet-lite0",
        "--point=" + ",".join(map(str, POINT)),
        "--show-anyway",
        "--out",
        tmp_path / "out",
        "--json",
    )
    status, out, _ = caller(monkeypatch, capsys)("volume", tmp_path / "in", *words)
    assert status == 0 and sorted(path.name for path in (tmp_path / "out").iterdir()) == ["nodule.json", "nodule.png"]
    assert json.loads((tmp_path / "out" / "nodule.json").read_text()) == json.loads(out)


def test_that_two_networks_say_nothing_together_is_said(chest, tmp_path, monkeypatch, capsys):
    write_series(chest.volume, tmp_path / "in")
    monkeypatch.setattr("lungcad.series.nodule.hybrid", lambda *_: None)
    words = (
        "--model",
        "lidc-efficientnet-lite0",
        "--with",
        "phantom-honest",
        "--point=" + ",".join(map(str, POINT)),
        "--show-anyway",
        "--json",
    )
    status, out, err = caller(monkeypatch, capsys)("volume", tmp_path / "in", *words)
    assert status == 0 and json.loads(out)["hybrid"] is None and "phantom-honest and lidc-efficientnet-lite0 say nothing together" in err


def test_every_marked_nodule_is_rated_beside_its_readers_and_localised(chest):
    votes = 2 * (chest.lesions > 0).astype(np.uint8)
    contour = contour_at(chest.volume, votes, POINT, least=2)
    rows, columns = np.nonzero(contour)
    assert (rows.mean(), columns.mean()) == pytest.approx((63.5, 63.5), abs=4) and not contour_at(chest.volume, votes, POINT, least=3).any()
    area_mm2 = np.pi / 4 * EXAMPLE_BALLS[0].diameter_mm ** 2
    assert contour.sum() * TRAINING_PIXEL_MM**2 == pytest.approx(area_mm2, rel=0.35)  # pixels of 4 mm, a slice beside the middle
    marks = ReadersMarks((MarkedNodule("nodule 1", (4, 5), 26.0, POINT), MarkedNodule("nodule 2", (2,), 5.0, (60.0, 0.0, 0.0))), votes)
    model = load_model("lidc-efficientnet-lite0")
    one, other = rate_marked(chest.volume, marks, model, show_anyway=True)
    check = contour_check(one.reading.answer.image, model, one.reading.answer, "gradcam", contour)
    assert one.to_dict()["energy_inside"] == round(check.value, 4) and one.to_dict()["malignancy_by_reader"] == [4, 5]
    assert other.localisation is None and other.to_dict()["class"] in ("benign", "malignant")
    assert mean_energy([one, other]) == (check.value, check.control, 1) and mean_energy([other]) is None
    with pytest.raises(ImageError, match="No reader's nodules lie beside this series"):
        rate_marked(chest.volume, None, model)
