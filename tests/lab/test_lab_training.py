"""Training, results and their words, on the shipped features; a few patients and epochs."""

import numpy as np
import pytest
import safetensors.torch
import torch

from lungcad.app.lab import move_marker
from lungcad.errors import LungcadError
from lungcad.lab import feature_store, frozen
from lungcad.lab.chunk import CLEAN, Chunk
from lungcad.lab.feature_store import CHUNK, load_patients, n_missing, seconds_to_draw
from lungcad.lab.head import head_of_bytes, lesion_probability
from lungcad.lab.patients import TESTED, Lesions, Part, clean_picture, has_lesion, with_shortcut
from lungcad.lab.presets import PRESETS
from lungcad.lab.results import Results
from lungcad.lab.run import CLEAN_CURVE, TRAINED_CURVE, WATCHED, run, watched_features
from lungcad.lab.settings import LabSettings, TrainedPart
from lungcad.lab.training import Sample, new_head, train
from lungcad.lab.worker import Worker

SMALL = LabSettings(patients=50, epochs=2)


def test_every_preset_finds_its_features_shipped():
    assert {name: n_missing(preset.settings) for name, preset in PRESETS.items()} == dict.fromkeys(PRESETS, 0)


def test_shipped_features_are_those_of_the_pictures(monkeypatch, tmp_path):
    """Drawn here again; the last digit or two differ between machines and precisions."""
    shipped = load_patients(LabSettings(), Part.TEST, 2)
    clean = [clean_picture(Part.TEST, index, Lesions.of(LabSettings())) for index in range(2)]
    planted = [with_shortcut(each, "marker", Part.TEST, index) for index, each in enumerate(clean)]
    for stored, pictures in ((shipped.clean, clean), (shipped.planted, planted)):
        drawn = frozen.features_of(np.stack([each.grey for each in pictures]))
        difference = (frozen.from_steps(stored) - drawn).abs()
        assert float(difference.mean()) < 0.5 * float(drawn.std())
    assert np.array_equal(shipped.lesions, np.stack([each.lesion for each in clean]))
    assert np.array_equal(shipped.marks, np.stack([each.shortcut for each in planted]))


def test_the_watched_patients_are_one_with_a_lesion_and_one_without():
    lesion = has_lesion(2)
    assert [bool(lesion[patient]) for patient, _ in WATCHED] == [True, True, False, False]


def test_a_watched_picture_has_the_answer_that_it_has_where_the_letter_is_moved():
    torch.manual_seed(0)
    head = new_head(SMALL)
    for weights in head.parameters():
        weights.data *= 8  # or every answer is near one half
    watched = lesion_probability(head, watched_features(SMALL)).tolist()
    moved = [move_marker.answer("key", head, patient, Lesions.of(SMALL), None) for patient, carries in WATCHED if not carries]
    assert moved == pytest.approx([watched[0], watched[2]], abs=0.002) and max(moved) - min(moved) > 0.01


@pytest.fixture
def drawn(monkeypatch, tmp_path):
    """What was drawn: (part, first patient, variant); all in a folder of the test."""
    calls = []

    def draw(chunk):
        calls.append((chunk.part, chunk.start, chunk.variant))
        planted = chunk.variant != CLEAN
        return np.full((CHUNK, 128, 8, 8), planted, np.int8), np.full((CHUNK, 256, 256), planted)

    monkeypatch.setattr(Chunk, "draw", draw)
    monkeypatch.setattr(feature_store, "LAB_CACHE", tmp_path)
    monkeypatch.setattr(feature_store._write, "__defaults__", (tmp_path,))
    return calls


def test_missing_patients_are_drawn_once_and_kept(drawn, tmp_path):
    settings = LabSettings(smallest_mm=20)
    seen = []
    for _ in range(2):
        patients = load_patients(settings, Part.TRAIN, 70, lambda done, total: seen.append((done, total)))
    assert drawn == [(Part.TRAIN, start, variant) for start in (0, 50) for variant in (CLEAN, "marker")]
    assert seen == [(50, 70), (70, 70)] * 2
    assert len(patients.clean) == 70 and patients.marks.all() and not patients.lesions.any()
    for path in tmp_path.glob("*.npz"):
        path.write_bytes(b"damaged")
    load_patients(settings, Part.TRAIN, 50)
    assert len(drawn) == 6


def test_another_shortcut_draws_no_clean_picture_again(drawn):
    before = seconds_to_draw(LabSettings(shortcut="marker", smallest_mm=20, patients=50))
    load_patients(LabSettings(shortcut="marker", smallest_mm=20), Part.TRAIN, 50)
    load_patients(LabSettings(shortcut="dot", smallest_mm=20), Part.TRAIN, 50)
    assert [variant for *_, variant in drawn] == [CLEAN, "marker", "dot"]
    assert seconds_to_draw(LabSettings(shortcut="dot", smallest_mm=20, patients=50)) == pytest.approx(before - 2 * CHUNK * 0.0525)


def test_a_damaged_shipped_file_is_drawn_once(drawn, monkeypatch, tmp_path):
    settings, shipped = LabSettings(smallest_mm=20), tmp_path / "shipped"
    load_patients(settings, Part.TRAIN, 50)
    shipped.mkdir()
    for path in tmp_path.glob("*.npz"):
        (shipped / path.name).write_bytes(b"damaged")
        path.unlink()
    monkeypatch.setattr(feature_store, "LAB", shipped)
    for _ in range(2):
        load_patients(settings, Part.TRAIN, 50)
    assert len(drawn) == 4


def test_old_features_go(monkeypatch, tmp_path):
    monkeypatch.setattr(feature_store, "LAB_CACHE", tmp_path)
    monkeypatch.setattr(feature_store, "MOST_FILES", 3)
    for number in range(6):
        feature_store._write(f"{number}.npz", np.zeros((1, 1), np.int8), np.zeros((1, 8), bool), tmp_path)
    assert len(list(tmp_path.glob("*.npz"))) == 3


@pytest.fixture(scope="module")
def outcome():
    epochs = []
    return run(SMALL, on_epoch=epochs.append), epochs


def test_every_epoch_tells_what_a_student_sees(outcome):
    trained, told = outcome
    assert [each.number for each in told] == [1, 2] and tuple(told) == trained.epochs
    assert np.asarray(told[0].maps).shape == (4, 8, 8)
    assert set(told[0].auc) == {CLEAN_CURVE, TRAINED_CURVE}
    assert all(0 <= value <= 1 for value in [*told[1].probabilities, *told[1].auc.values()])


def test_the_same_settings_give_the_same_training(outcome):
    again = run(SMALL)
    assert again.results == outcome[0].results
    assert all(
        torch.equal(one, other) for one, other in zip(again.head.state_dict().values(), outcome[0].head.state_dict().values(), strict=True)
    )


def test_what_a_progress_raises_stops_it():
    class Stop(Exception):
        pass

    def stop(*_):
        raise Stop

    with pytest.raises(Stop):
        run(SMALL, on_progress=stop)
    with pytest.raises(Stop):
        run(SMALL, on_epoch=stop)


def test_the_last_stage_trains_too():
    """Its weights move, and batch normalisation keeps its statistics."""
    settings = SMALL.model_copy(update={"trained": TrainedPart.LAST_STAGE, "epochs": 1})
    head, before = new_head(settings), frozen.LastStage().state_dict()
    features = torch.randn(8, 192, 8, 8, generator=torch.Generator().manual_seed(0))
    sample = Sample(features, np.array([True, False] * 4))
    (epoch,) = train(head, settings, sample, {CLEAN_CURVE: sample}, features[:4])
    after = head.last_stage.state_dict()
    moved = {name for name, tensor in after.items() if not torch.equal(tensor, before[name])}
    assert any("weight" in name for name in moved) and not any("running" in name for name in moved)
    assert np.asarray(epoch.maps).shape == (4, 8, 8)
    again = head_of_bytes(settings, safetensors.torch.save(head.state_dict()))
    assert torch.equal(lesion_probability(again, features), lesion_probability(head, features))


def test_a_process_of_its_own_trains_stops_and_trains_again():
    class Stop(Exception):
        pass

    worker, epochs = Worker(), []

    def stop_after_one_epoch() -> None:
        if epochs:
            raise Stop

    with pytest.raises(Stop):
        worker.train(LabSettings(patients=50, epochs=100), on_progress=lambda *_: None, on_epoch=epochs.append, check=stop_after_one_epoch)
    assert not worker.is_alive
    try:
        epochs.clear()
        answer = worker.train(SMALL, on_progress=lambda *_: None, on_epoch=epochs.append, check=lambda: None)
        assert [each["number"] for each in epochs] == [1, 2]
        assert Results.of_dict(answer["results"]).n == TESTED
        with pytest.raises(LungcadError, match="smallest lesion"):  # in its own process too
            worker.train(
                SMALL.model_copy(update={"smallest_mm": 40, "largest_mm": 10}),
                on_progress=lambda *_: None,
                on_epoch=epochs.append,
                check=lambda: None,
            )
    finally:
        worker.stop()
