"""Networks over whole series: which slices, in which order, pooled how, and where they point."""

import csv
import dataclasses
import gzip
import json
import statistics

import cv2
import nibabel as nib
import numpy as np
import pytest

from lungcad import cli
from lungcad.errors import ImageError, LungcadError, ModelError
from lungcad.gate import Decision, Outcome
from lungcad.imaging.phantom_volume import EXAMPLE_BALLS, example_volume, make_phantom_volume, write_series
from lungcad.imaging.volume import load, opened
from lungcad.models import load_model
from lungcad.series.answer import analyse_volume, pooled
from lungcad.series.heat_volume import heat_nifti
from lungcad.series.inside import find_lungs, longest_run
from lungcad.series.nodule import TRAINING_PIXEL_MM, crop_at, rate
from lungcad.series.pooling import POOLINGS, USUAL, suspicion_of
from lungcad.series.ranking import Hit, hits
from lungcad.series.readers import as_lesions, readers_marks
from lungcad.series.result import Position
from lungcad.series.stored_pooling import ChosenPooling, pooling_of


@pytest.fixture(scope="module")
def chest():
    return make_phantom_volume(7, size=96, spacing_mm=12, balls=EXAMPLE_BALLS)


@pytest.fixture(scope="module")
def taught():
    return load_model("phantom-honest-taught")


@pytest.fixture(scope="module")
def answer(chest, taught):
    return analyse_volume(chest.volume, taught)


def test_only_slices_inside_the_lungs_are_read_and_in_order(chest, answer):
    has_lung = chest.lungs.mean((1, 2)) > 0.03
    indices = [each.index for each in answer.slices]
    assert indices == sorted(indices) and has_lung[indices].all()
    assert set(np.flatnonzero(has_lung)[1:-1]) <= set(indices)  # the tips alone may be left out
    assert [each.position_mm for each in answer.slices] == sorted(each.position_mm for each in answer.slices)
    assert [each.source.file for each in answer.slices] == indices


def test_slices_are_answered_as_single_images_are(chest, taught, answer):
    from lungcad.analysis import analyse

    each = answer.slices[4]
    alone = analyse(chest.volume.image(each.index), taught, methods=["gradcam"], target=answer.target)
    assert list(each.prediction.probabilities.values()) == pytest.approx(list(alone.prediction.probabilities.values()), abs=0.02)
    assert each.gate.outcome is alone.gate.outcome
    index = taught.class_index(answer.target)
    assert np.corrcoef(each.maps[index].ravel(), alone.attributions["gradcam"].grid.ravel())[0, 1] > 0.98


def test_slices_that_were_interpolated_are_not_read(chest, taught):
    sources = tuple(None if index % 2 else source for index, source in enumerate(chest.volume.sources))
    half = dataclasses.replace(chest.volume, sources=sources)
    assert all(each.index % 2 == 0 for each in analyse_volume(half, taught).slices)
    with pytest.raises(ImageError, match="No slice inside the lungs was acquired"):
        analyse_volume(dataclasses.replace(chest.volume, sources=(None,) * len(sources)), taught)


def test_both_lesions_of_the_example_are_hit(taught):
    """The example of the page, at its own size: what its first result says."""
    example = example_volume()
    found = analyse_volume(example.volume, taught)
    ranks = hits(found.positions, [(str(index), ball.centre_mm, ball.diameter_mm) for index, ball in enumerate(example.balls)])
    assert all(hit.rank is not None and hit.rank <= 3 for hit in ranks)
    assert found.prediction.label == "lesion"


def test_a_hit_is_no_farther_than_the_radius():
    positions = [Position(1, 0, 0, 0, (0.0, 0.0, 0.0), 0.9), Position(2, 0, 0, 0, (20.0, 0.0, 5.0), 0.8)]
    lesions = [("a", (20.0, 0.0, 0.0), 10.1), ("b", (20.0, 0.0, 0.0), 9.9), ("c", (1.0, 0.0, 0.0), 4.0)]
    assert hits(positions, lesions) == [Hit("a", 2), Hit("b", None), Hit("c", 1)]


def test_positions_lie_apart(answer):
    heights = [position.point_mm[2] for position in answer.positions]
    assert min(abs(a - b) for i, a in enumerate(heights) for b in heights[:i]) >= 10
    assert [position.suspicion for position in answer.positions] == sorted((p.suspicion for p in answer.positions), reverse=True)


def declined(answer, n):
    gate = Decision(Outcome.DECLINE, ("A reason.",))
    return [dataclasses.replace(each, gate=gate) if index < n else each for index, each in enumerate(answer.slices)]


def test_declined_slices_are_left_out_and_most_of_them_leave_no_answer(chest, answer):
    few = pooled(chest.volume, answer.card, declined(answer, 3), answer.lungs)
    assert few.prediction is not None and few.declined == 3 and "left out of the answer" in few.warnings[0]
    assert few.slices[0].to_dict(show_anyway=False)["probabilities"] is None
    most = pooled(chest.volume, answer.card, declined(answer, len(answer.slices) - 2), answer.lungs)
    assert most.prediction is None and not most.positions and most.to_dict()["class"] is None
    shown = pooled(chest.volume, answer.card, declined(answer, len(answer.slices) - 2), answer.lungs, show_anyway=True)
    assert shown.prediction is not None and shown.to_dict()["overridden"]


def test_networks_of_crops_and_tiles_are_refused(chest):
    for name in ("lidc-efficientnet-lite0", "lc-efficientnet-lite0"):
        with pytest.raises(ModelError, match="does not read whole CT slices"):
            analyse_volume(chest.volume, load_model(name))
    with pytest.raises(ModelError, match="was not trained on nodules"):
        rate(chest.volume, (0, 0, 0), load_model("phantom-honest"))


def test_no_lungs(chest):
    empty = dataclasses.replace(chest.volume, hu=np.full(chest.volume.shape, 40, np.int16))
    with pytest.raises(ImageError, match="No slice of this series shows lungs"):
        find_lungs(empty)


def test_the_bowel_is_another_run():
    assert longest_run(np.array([1, 1, 0, 0, 0, 0, 1, 1, 0, 1, 1, 1], bool), bridged=2).nonzero()[0].tolist() == [6, 7, 8, 9, 10, 11]


@pytest.mark.parametrize("name", list(POOLINGS))
def test_poolings(name):
    probabilities = np.column_stack([np.linspace(0, 1, 40), 1 - np.linspace(0, 1, 40)])
    suspicion = probabilities[:, 0]
    value = POOLINGS[name].compute(probabilities, suspicion)[0]
    expected = {"mean": 0.5, "top tenth": suspicion[-4:].mean(), "top quarter": suspicion[-10:].mean(), "maximum": 1.0}
    assert value == pytest.approx(expected[name])
    shuffled = np.random.default_rng(0).permutation(40)
    assert POOLINGS[name].compute(probabilities[shuffled], suspicion[shuffled])[0] == pytest.approx(value)


def test_pooling_says_how_it_was_chosen(taught):
    chosen = pooling_of(taught.card)
    assert chosen.is_calibrated and "validation phantom volumes" in chosen.how_chosen and "test volumes" in chosen.how_chosen
    assert pooling_of(load_model("chest-resnet18").card).how_chosen.startswith("There are no validation series")
    other = pooling_of(taught.card.model_copy(update={"sha256": "0" * 64}))
    assert other.name == USUAL and not other.is_calibrated


def test_calibration_moves_the_suspicion_and_keeps_a_distribution(taught):
    probabilities = np.array([0.8, 0.2]) if taught.card.classes[1] == "none" else np.array([0.2, 0.8])
    calibrated = ChosenPooling("mean", "", slope=2.0, offset=0.5).calibrate(taught.card, probabilities)
    assert calibrated.sum() == pytest.approx(1)
    assert suspicion_of(taught.card, calibrated[None])[0] == pytest.approx(1 / (1 + np.exp(-(2 * np.log(4) + 0.5))))


def test_the_heat_volume_lies_on_the_ct(chest, answer, tmp_path):
    (tmp_path / "heat.nii").write_bytes(gzip.decompress(heat_nifti(chest.volume, answer)))
    image = nib.load(tmp_path / "heat.nii")
    heat = np.asarray(image.dataobj)
    assert np.isnan(heat[..., 0]).all() and not np.isnan(heat[..., answer.slices[0].index]).any()
    corner = image.affine @ [-0.5, -0.5, 0, 1]
    x, y, z = chest.volume.point_mm(0, -0.5, -0.5)
    assert corner[:3] == pytest.approx((-x, -y, z))


def test_a_crop_is_resampled_to_the_pixel_size_of_training(chest):
    ball = chest.balls[0]
    crop = crop_at(chest.volume, ball.centre_mm)
    assert crop.shape == (128, 128) and crop.pixels.min() == 0 and crop.pixels.max() == 255
    bright = crop.pixels[54:74, 54:74]
    assert bright.mean() > 1.5 * crop.pixels.mean() or bright.mean() > 200
    rows, _ = np.nonzero(crop_at(chest.volume, ball.centre_mm, side=64).pixels > 150)
    assert np.ptp(rows) * TRAINING_PIXEL_MM > 0.6 * ball.diameter_mm
    with pytest.raises(ImageError, match="outside the volume"):
        crop_at(chest.volume, (500.0, 0.0, 0.0))


def test_the_pixel_size_of_training_is_the_datas(shared_data):
    with (shared_data / "lidc-idri" / "attributes.csv").open() as file:
        assert statistics.median(float(row["pixel_spacing_mm"]) for row in csv.DictReader(file)) == TRAINING_PIXEL_MM


def test_readers_marks_lie_on_the_volume_and_the_network_agrees_with_them(shared_data):
    folder = shared_data / "lidc-idri" / "dicom" / "LIDC-IDRI-0001"
    with opened(folder) as study:
        volume = load(study, study.choose())
        marks = readers_marks(study, volume)
    (nodule,) = marks.nodules
    assert nodule.malignancy == (5, 5, 5, 4) and as_lesions(marks.nodules)[0][2] == 32.8
    index, row, column = (round(value) for value in volume.voxel(nodule.middle_mm))
    assert marks.votes[index, row, column] == 4
    assert rate(volume, nodule.middle_mm, load_model("lidc-efficientnet-lite0"), show_anyway=True).prediction.label == "malignant"


def test_a_folder_without_marks_has_none(chest, tmp_path):
    write_series(chest.volume, tmp_path)
    with opened(tmp_path) as study:
        assert readers_marks(study, load(study, study.choose())) is None


HEADER = "nodule,z_min_mm,z_max_mm,centroid_row,centroid_col,diameter_mm,n_readers,malignancy\n"


@pytest.mark.parametrize(
    "table",
    [HEADER + "0,0,0,48,48,9,4\n", HEADER + "0,nan,0,48,48,9,4,3\n", HEADER + "0,0,0,48,48,9,4," + "3" * 200_000 + "\n", HEADER * 20_000],
    ids=["short row", "no place", "long field", "too large"],
)
def test_a_damaged_table_of_marks_is_none(chest, tmp_path, table):
    write_series(chest.volume, tmp_path)
    (tmp_path / "nodules.csv").write_text(HEADER + "0,0,0,48,48,9,4,3 4\n")
    with opened(tmp_path) as study:
        volume = load(study, study.choose())
        assert [each.malignancy for each in readers_marks(study, volume).nodules] == [(3, 4)]
        (tmp_path / "nodules.csv").write_text(table)
        assert readers_marks(study, volume) is None


@pytest.mark.parametrize("mask", [b"", b"\x89PNG\r\n\x1a\n no", cv2.imencode(".png", np.ones((960, 96), np.uint8))[1].tobytes()])
def test_a_damaged_mask_leaves_the_table(chest, tmp_path, mask):
    write_series(chest.volume, tmp_path)
    (tmp_path / "nodules.csv").write_text(HEADER + "0,0,0,48,48,9,4,3 4\n")
    (tmp_path / "masks").mkdir()
    with opened(tmp_path) as study:
        volume = load(study, study.choose())
        path = tmp_path / "masks" / f"{study.files[volume.sources[5].file].stem}.png"
        path.write_bytes(cv2.imencode(".png", np.eye(96, dtype=np.uint8))[1].tobytes())
        assert readers_marks(study, volume).votes[5].sum() == 96
        path.write_bytes(mask)
        marks = readers_marks(study, volume)
    assert len(marks.nodules) == 1 and marks.votes is None


def test_marks_beside_another_series_are_not_a_niftis(chest, tmp_path):
    write_series(chest.volume, tmp_path / "a")
    (tmp_path / "a" / "nodules.csv").write_text(HEADER + "0,0,0,48,48,9,4,3 4\n")
    image = nib.Nifti1Image(np.transpose(chest.volume.hu), np.diag([-1.0, -1, 1, 1]) @ chest.volume.affine[:, [2, 1, 0, 3]])
    (tmp_path / "b.nii").write_bytes(image.to_bytes())
    with opened(tmp_path) as study:
        volume = load(study, study.choose(2))
        assert {study.files[source.file].name for source in volume.sources} == {"b.nii"}
        assert readers_marks(study, volume) is None


def run(monkeypatch, capsys, *arguments):
    monkeypatch.setattr("sys.argv", ["lungcad", "volume", *map(str, arguments)])
    code = 0
    try:
        cli.main()
    except SystemExit as error:
        code = error.code or 0
    return code, *capsys.readouterr()


def test_command_line(chest, tmp_path, monkeypatch, capsys):
    write_series(chest.volume, tmp_path / "in")
    code, out, _ = run(monkeypatch, capsys, tmp_path / "in", "--model", "phantom-honest-taught", "--out", tmp_path / "out", "--json")
    result = json.loads(out)
    assert code == 0 and set(result) == {"series", "slices", "answer"}
    positions = [each["position_mm"] for each in result["slices"]]
    assert positions == sorted(positions) and all(set(each["probabilities"]) == {"lesion", "none"} for each in result["slices"])
    files = sorted((tmp_path / "in").iterdir())
    assert len(files) == chest.volume.shape[0]
    assert json.loads((tmp_path / "out" / "answer.json").read_text()) == result
    with (tmp_path / "out" / "slices.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["file"]) for row in rows] == [each["file"] for each in result["slices"]]
    written = b"".join(path.read_bytes() for path in (tmp_path / "out").iterdir() if path.suffix != ".gz")
    assert b"PHANTOM-" not in written and b".dcm" not in written and b"Phantom volume" not in written


def test_command_line_refuses_in_a_sentence(tmp_path, monkeypatch, capsys):
    for arguments in (
        (tmp_path, "--model", "phantom-honest"),
        ("example", "--model", "lidc-efficientnet-lite0"),
        ("example", "--model", "lidc-efficientnet-lite0", "--point", "1,2"),
        ("example", "--model", "lidc-efficientnet-lite0", "--point", "nan,0,0"),
        ("example", "--model", "phantom-honest", "--method", "lime"),
        ("example", "--model", "phantom-honest", "--target", "bogus"),
    ):
        code, out, err = run(monkeypatch, capsys, *arguments)
        assert code == 2 and not out and err.count("lungcad: ") == 1 and "Traceback" not in err
    assert issubclass(ImageError, LungcadError)
