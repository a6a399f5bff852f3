"""TCAV where the answer is known: a network that reads one channel; Captum's own TCAV, its own classifier and all, says what ours does."""

import numpy as np
import pytest
import torch
from torch import nn

from lungcad.datasets import Case
from lungcad.datasets.concepts import CONCEPTS
from lungcad.errors import DatasetError, ModelError
from lungcad.evaluate import tcav
from lungcad.evaluate.stores.tcav import write_tcav
from lungcad.evaluate.tcav import Directions, concept_row, control_row, directions, draw_of, examples_of
from lungcad.evaluate.tcav_run import tcav_facts, threshold_from
from lungcad.explain.concept_vectors import SCHEMA, ConceptVectors, concept_vectors, read_tcav
from lungcad.explain.middle_layer import BehindMiddle, MiddleLayer
from lungcad.explain.trust.check import Verdict
from lungcad.explain.trust.concepts import judged, pushes
from lungcad.models import Inputs
from lungcad.models.classifier import create_model
from lungcad.models.weights import ready
from lungcad.publish.tcav_tables import finding, tcav_table
from tests.conftest import make_card


class Reads(nn.Module):
    """Answers by channel 0, bent so that its slope depends on the image; channel 1 is there to be seen and means nothing."""

    class features(nn.Module):
        @staticmethod
        def after(maps, stages):
            return maps

    def classify(self, maps):
        score = torch.tanh(maps[:, 0].mean((1, 2))) + 0.2 * torch.sin(3 * maps[:, 2].mean((1, 2)))
        return torch.stack([-score, score], 1), None


@pytest.fixture
def four_classes():
    return ready(create_model("custom_cnn", "none", 4).eval(), make_card("four", "custom_cnn", "none", "0"))


@pytest.fixture(scope="module")
def toy():
    rng = np.random.default_rng(0)
    maps = rng.normal(size=(240, 6, 2, 2)).astype(np.float32) * 0.3
    maps[:80, 0] += 1  # 80 with what the network reads
    maps[80:160, 1] += 1  # 80 with what it does not
    return BehindMiddle(Reads(), 0), torch.from_numpy(maps), [f"P{number}" for number in range(240)]


@pytest.fixture(scope="module")
def found(toy):
    behind, maps, groups = toy
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tcav, "REPEATS", 8)
        patch.setattr(tcav, "EXAMPLES", 40)
        draws = [draw_of(np.arange(80), groups), draw_of(np.arange(80, 160), groups), draw_of(np.arange(240), groups)]
        return directions(behind, maps, maps[160:], draws)


@pytest.fixture(scope="module")
def slopes(toy):
    """Of the nodules that are asked about."""
    behind, maps, _ = toy
    averages = behind.pooled(maps[160:]).requires_grad_(True)
    return torch.autograd.grad(behind.answer(maps[160:], averages)[:, 1].sum(), averages)[0].numpy()


def test_what_the_network_reads_beats_the_control_and_what_it_does_not_read_does_not(found, slopes):
    read, unread, control = found
    assert read.scores.min() > 0.95 and read.accuracy.mean() > 0.8 and unread.accuracy.mean() > 0.7
    rows = [concept_row(CONCEPTS[name], each, control, 2, slopes) for name, each in (("spiculation", read), ("margin", unread))]
    assert rows[0]["beats_control"] and not rows[1]["beats_control"]
    assert (read.vectors[:, 0] > 0).all() and (unread.vectors[:, 1] > 0).all()


def test_captums_own_tcav_gives_the_same_scores(toy, found, slopes, tmp_path):
    from captum.concept import TCAV, Concept

    behind, maps, _ = toy
    pair = [Concept(0, "read", [maps[:40]]), Concept(1, "random", [maps[160:200]])]
    theirs = TCAV(behind, ["pooled"], model_id="toy", save_path=str(tmp_path))
    torch.manual_seed(0)
    np.random.seed(0)
    scores = theirs.interpret(maps[160:], [pair], target=1)["0-1"]["pooled"]["sign_count"]
    assert float(scores[0]) == pytest.approx(found[0].scores.mean(), abs=0.05)
    weights = theirs.cavs["0-1"]["pooled"].stats["weights"][0].float().numpy()
    assert float((slopes @ weights > 0).mean()) == pytest.approx(float(scores[0]), abs=1e-6)


def test_a_layer_whose_earlier_maps_go_with_it_has_directions_too():
    """They stand on the same averages; what follows the layer must still find the earlier maps finer than the last one."""
    torch.manual_seed(0)
    network = create_model("custom_cnn", "pyramid_gate", 2, inputs=Inputs.SLICE_AND_CROP).eval()
    card = make_card("pyramid", "custom_cnn", "pyramid_gate", "0").model_copy(
        update={"classes": ("no", "yes"), "inputs": Inputs.SLICE_AND_CROP}
    )
    layer = MiddleLayer(ready(network, card.model_copy(update={"preprocess": card.preprocess.model_copy(update={"size": (64, 64)})})))
    maps = layer.maps(torch.randn(24, 3, 64, 64))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tcav, "REPEATS", 1)
        patch.setattr(tcav, "EXAMPLES", 8)
        (found,) = directions(layer.behind, maps, maps[:4], [draw_of(np.arange(24), [f"P{number}" for number in range(24)])])
    assert found.vectors.shape == (1, maps.shape[1]) and np.isfinite(found.vectors).all()


def test_scores_from_slopes_are_captums(found, slopes):
    for each in found:
        np.testing.assert_allclose(each.on(slopes).scores, each.scores, atol=1e-6)


def test_the_check_asks_of_what_beats_its_control_on_validation_whatever_it_does_on_test(found, slopes):
    read, _, control = found
    assert concept_row(CONCEPTS["spiculation"], read, control, 2, slopes)["asked_of"]
    halved = slopes.repeat(2, axis=0) * np.resize([1.0, -1.0], (160, 1))  # half of the nodules rise, whatever the direction
    row = concept_row(CONCEPTS["spiculation"], read, control, 2, halved)
    assert row["beats_control"] and not row["asked_of"]


def facts_of(found, slopes, sha256: str = "0") -> dict:
    names = ("spiculation", "lobulation", "margin")
    rows = [
        concept_row(CONCEPTS[name], each, found[2], 3, slopes) for name, each in zip(names, (found[0], found[0], found[1]), strict=True)
    ]
    return {
        "schema": SCHEMA, "network": "toy", "weights_sha256": sha256, "classes": ["benign", "malignant"], "n_scored": 80, "repeats": 8, "examples": 40,
        "concepts": rows, "control": control_row(found[2]), "threshold": 0.4,
        "marks": {"n": 10, "heads": 5, "accused": {"value": 0.02, "low": 0, "high": 0.1}, "found": {"value": 0.1, "low": 0, "high": 0.2}},
    }  # fmt: skip


def test_what_is_stored_is_read_again_and_said(found, slopes, tmp_path):
    facts = facts_of(found, slopes)
    write_tcav(facts, tmp_path)
    [read] = read_tcav(tmp_path)
    assert read == facts
    assert "does not beat its control" in tcav_table(read) and "depends on it, as it should" in tcav_table(read)
    backwards = {**read["concepts"][0], "direction": -1}
    assert finding(backwards, read) == "depends on it, the other way"
    assert "hardly tell" in ConceptVectors.of(read).record
    telling = ConceptVectors.of(read | {"marks": read["marks"] | {"found": {"value": 0.3, "low": 0.2, "high": 0.4}}})
    assert "hardly tell" not in telling.record and not telling.hardly_tells
    write_tcav(facts | {"threshold": threshold_from(np.array([0.5] * 100))}, tmp_path)
    assert read_tcav(tmp_path)[0]["threshold"] == -1.0  # accuses nobody
    (tmp_path / "toy.json").write_text("{}")
    with pytest.raises(DatasetError, match="lungcad tcav"):
        read_tcav(tmp_path)


def test_only_the_very_weights_have_vectors(found, slopes, tmp_path):
    write_tcav(facts_of(found, slopes, "right"), tmp_path)
    card = type("Card", (), {"name": "toy", "sha256": "other"})
    assert concept_vectors(card, tmp_path) is None
    card.sha256 = "right"
    assert set(concept_vectors(card, tmp_path).expected) == {"spiculation", "lobulation"}


def test_the_check_counts_the_concepts_that_push_as_they_should(found, slopes):
    vectors = ConceptVectors.of(facts_of(found, slopes))
    towards = np.eye(6)[0]
    assert judged(pushes(towards, vectors), vectors, towards).verdict is not Verdict.CONTRADICTS
    against = judged(pushes(-towards, vectors), vectors, -towards)
    assert against.says_little  # found 0.1 of what means nothing, accused 0.02 of the network's own
    assert against.verdict is Verdict.CONTRADICTS and against.value == 0 and "spiculation, lobulation" in against.sentence


def test_the_threshold_accuses_few_and_can_accuse_nobody():
    assert threshold_from(np.array([0.0] * 4 + [0.5] * 96)) == 0.0
    assert threshold_from(np.array([0.5] * 100)) == -1.0


def test_examples_are_the_highest_rated_and_no_two_of_one_patient():
    cases = [Case(f"{n}", None, "benign", None, group=f"P{n // 2}", ratings={"margin": (1.0 + n % 5,)}) for n in range(400)]
    rows = examples_of(CONCEPTS["margin"], cases)
    assert {cases[row].ratings["margin"][0] for row in rows} == {4.0, 5.0}  # a fifth is rated 5, so the highest quarter takes in the 4s
    with_it, without = draw_of(rows, [case.group for case in cases])(np.random.default_rng(0))
    groups = [cases[row].group for row in (*with_it, *without)]
    assert len(with_it) == len(without) == tcav.EXAMPLES and len(set(groups)) == len(groups)
    with pytest.raises(DatasetError, match="too few"):
        examples_of(CONCEPTS["margin"], cases[:60])


def test_a_network_of_four_classes_is_refused_in_a_sentence(four_classes, tmp_path):
    with pytest.raises(ModelError, match="two classes"):
        tcav_facts(four_classes, tmp_path)


def test_directions_of_constant_scores_do_not_crash_the_test():
    same = Directions(np.eye(3), np.ones(3), np.ones(3))
    assert concept_row(CONCEPTS["margin"], same, same, 8, np.eye(3))["p"] == 1.0
