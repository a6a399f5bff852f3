"""The last stage trained too, from drawing to answers: few patients, but nothing of it a stand-in."""

import numpy as np
import pytest
import safetensors.torch
import torch

from lungcad.evaluate.truth.scenes import image_of
from lungcad.lab import chunk, feature_store, frozen, run
from lungcad.lab.head import LESION, head_of_bytes, lesion_probability
from lungcad.lab.panel import trained_model
from lungcad.lab.patients import Lesions, Part, clean_picture
from lungcad.lab.run import TRAINED_CURVE
from lungcad.lab.settings import LabSettings, TrainedPart
from lungcad.models.predict import predict_batch
from lungcad.preprocess import normalise, to_grey

SETTINGS = LabSettings(patients=50, epochs=3, trained=TrainedPart.LAST_STAGE, shortcut="border")
FEW = 10


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    with pytest.MonkeyPatch.context() as small:
        folder = tmp_path_factory.mktemp("features")
        for module, name in ((chunk, "PATIENTS"), (feature_store, "CHUNK"), (run, "TESTED"), (run, "REGION_TESTED")):
            small.setattr(module, name, FEW)
        small.setattr(feature_store, "LAB_CACHE", folder)
        small.setattr(feature_store._write, "__defaults__", (folder,))
        progress = []
        trained = run.run(SETTINGS, on_progress=lambda done, total: progress.append((done, total)))
    return trained, progress


def test_it_trains_tests_and_tells_how_far_it_is(outcome):
    trained, progress = outcome
    assert [epoch.number for epoch in trained.epochs] == [1, 2, 3] and trained.epochs[-1].loss < trained.epochs[0].loss
    assert set(trained.epochs[-1].auc) >= {TRAINED_CURVE}
    assert progress[-1] == (SETTINGS.patients + 3 * FEW, SETTINGS.patients + 3 * FEW)
    results = trained.results
    assert results.n == FEW and all(
        0 <= each.value <= 1 for each in (results.clean, results.planted, results.swapped, results.no_lungs, results.lungs)
    )


def test_its_last_stage_is_no_longer_that_of_imagenet(outcome):
    before = frozen.LastStage().state_dict()
    after = outcome[0].head.last_stage.state_dict()
    assert any(not torch.equal(after[name], before[name]) for name in before if name.endswith("weight"))


def test_the_whole_network_that_it_is_answers_as_the_head_does(outcome):
    head = head_of_bytes(SETTINGS, safetensors.torch.save(outcome[0].head.state_dict()))
    picture = clean_picture(Part.TEST, 1, Lesions.of(SETTINGS))
    model = trained_model(SETTINGS, head)
    grey, _ = to_grey(image_of(picture), model.card.preprocess)
    whole = predict_batch(model, normalise(torch.from_numpy(grey[None]), model.card.preprocess))[0, LESION]
    by_head = lesion_probability(head, frozen.features_of(picture.grey[None], before_last=True))[0]
    assert float(whole) == pytest.approx(float(by_head), abs=0.02) and np.isfinite(float(whole))
