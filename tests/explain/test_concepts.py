"""A concept network's answer is the sum of its concepts, whatever the ratings."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from lungcad.analysis import analyse
from lungcad.datasets.concepts import CONCEPTS
from lungcad.errors import ModelError, UnknownNameError
from lungcad.explain.attribution import PreparedInput
from lungcad.explain.concepts import concept_answer
from lungcad.imaging import read_image
from lungcad.imaging.phantom import make_phantom
from lungcad.models import create_model
from lungcad.models.concept_head import ConceptHead, rating_loss
from lungcad.models.weights import ready
from lungcad.preprocess import PreprocessConfig
from tests.conftest import make_card

NAMES = tuple(CONCEPTS)


def make_head(seed=0, channels=6):
    torch.manual_seed(seed)
    head = ConceptHead(channels, NAMES, dropout=0.0)
    torch.nn.init.normal_(head.steps)
    torch.nn.init.normal_(head.linear.weight)
    return head.eval()


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(3)
    made = create_model("custom_cnn", "none", 2, concepts=NAMES)
    torch.nn.init.normal_(made.head.linear.weight)
    torch.nn.init.normal_(made.head.steps)
    made.head.compare_with(torch.rand(9, made.features.channels))
    card = make_card("concepts", "custom_cnn", "none", "", preprocess=PreprocessConfig(size=(64, 64)), temperature=1.7)
    return ready(
        made,
        card.model_copy(update={"classes": ("benign", "malignant"), "concepts": NAMES, "bias": (0.2, -0.3), "dataset": "lidc-nodules"}),
    )


@pytest.fixture(scope="module")
def image():
    return read_image(make_phantom(4, size=64).png())


def test_logits_are_the_bias_and_what_each_concept_adds():
    head, features = make_head(), torch.rand(4, 6, 3, 3)
    levels = head.levels(features)
    logits = head(features)
    by_hand = head.bias.detach().repeat(4)
    start = 0
    for concept, effects in zip(head.concepts, head.effects(), strict=True):
        probabilities = torch.softmax(levels[:, start : start + len(concept.levels)], 1)
        by_hand = by_hand + probabilities @ effects
        start += len(concept.levels)
    torch.testing.assert_close(logits[:, 1] - logits[:, 0], by_hand)


def test_effects_are_monotone_where_a_concept_has_a_direction():
    for seed in range(5):
        for concept, effects in zip(make_head(seed).concepts, make_head(seed).effects(), strict=True):
            if concept.direction:
                assert (concept.direction * effects.diff() > 0).all()


def test_comparing_with_the_average_changes_no_answer():
    head, pooled = make_head(), torch.rand(7, 6)
    before = head.of_pooled(pooled)
    head.compare_with(pooled)
    assert torch.equal(before, head.of_pooled(pooled))
    torch.testing.assert_close(head.contributions(head.linear(pooled)).mean(0), head.average)


def test_the_rating_loss_is_the_cross_entropy_and_passes_over_what_nobody_rated():
    levels, sizes = torch.randn(2, 5), [2, 3]
    ratings = torch.tensor([[1.0, 0, 0, 0.5, 0.5], [0, 0, 1, 0, 0]])
    first = -torch.log_softmax(levels[0, :2], 0)[0] / 2
    log_second = torch.log_softmax(levels[:, 2:], 1)
    second = (-(log_second[0, 1] + log_second[0, 2]) / 2 - log_second[1, 0]) / 2
    torch.testing.assert_close(rating_loss(levels, ratings, sizes), (first + second) / 2)


def test_the_answer_is_exactly_the_sum_of_the_shares(network, image):
    result = analyse(image, network, methods=["concepts"])
    answer = result.concepts
    assert answer.log_odds == answer.base + sum(rated.share for rated in answer.concepts.values())
    assert answer.probability == pytest.approx(result.prediction.probabilities["malignant"], abs=1e-6)
    assert tuple(answer.concepts) == NAMES and result.attributions == {}


def test_what_if_moves_the_answer_by_the_difference_of_the_effects(network, image):
    answer = concept_answer(network, PreparedInput.of(network, image))
    changed = answer.what_if({"spiculation": 2.5, "calcification": 6.0})
    spiculation, calcification = answer.concepts["spiculation"], answer.concepts["calcification"]
    wanted = (spiculation.effects[1] + spiculation.effects[2]) / 2 - spiculation.share + calcification.effects[5] - calcification.share
    assert changed.log_odds - answer.log_odds == pytest.approx(wanted)
    assert changed.what_if({}).log_odds == changed.log_odds and answer.what_if({}).probability == answer.probability
    assert changed.concepts["calcification"].word == "no calcification"


def test_bad_ratings_and_names_are_said(network, image):
    answer = concept_answer(network, PreparedInput.of(network, image))
    with pytest.raises(UnknownNameError, match="spikes"):
        answer.what_if({"spikes": 1.0})
    with pytest.raises(ModelError, match="from 1 to 5"):
        answer.what_if({"margin": float("nan")})
    for between_or_beyond in (2.5, 7.0):
        with pytest.raises(ModelError, match="a whole number from 1 to 6"):
            answer.what_if({"calcification": between_or_beyond})


def test_json_holds_ratings_words_and_shares_and_nothing_where_the_answer_is_hidden(network, image):
    result = analyse(image, network, methods=["concepts"])
    shown = dataclasses.replace(result, show_anyway=True).to_dict()["concepts"]
    json.dumps(shown, allow_nan=False)
    assert shown["shares_and_base"] == pytest.approx(shown["base"] + sum(each["share"] for each in shown["concepts"].values()))
    for name, each in shown["concepts"].items():
        assert each["word"] in CONCEPTS[name].words and sum(level["probability"] for level in each["levels"]) == pytest.approx(1)
    declined = dataclasses.replace(result.gate, outcome=type(result.gate.outcome).DECLINE)
    assert dataclasses.replace(result, gate=declined, show_anyway=False).to_dict()["concepts"] is None


def test_an_ordinary_network_has_no_concepts(toy, image):
    with pytest.raises(ModelError, match="has no concepts"):
        analyse(image, toy, methods=["concepts"])
    result = analyse(image, toy, methods=())
    assert result.concepts is None and "concepts" not in result.to_dict()


def test_heat_maps_still_explain_it(network, image):
    attribution = analyse(image, network, methods=["gradcam", "concepts"], target="malignant").attributions["gradcam"]
    assert np.isfinite(attribution.values).all()
