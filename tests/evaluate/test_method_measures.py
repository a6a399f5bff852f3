"""How maps are measured where the truth is known: on made-up maps, and on networks behind a wall."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from lungcad.datasets import Split
from lungcad.evaluate.truth import published, walls
from lungcad.evaluate.truth.networks import KNOWN_NETWORKS, KnownNetwork, Role
from lungcad.evaluate.truth.parts import PARTS, Part, measured
from lungcad.evaluate.truth.published import confounder_sensitivity, correlation
from lungcad.evaluate.truth.scenes import Shown, draw_scenes
from lungcad.evaluate.truth.variants import Variant, affordable, spread, variant_title, variants_of
from lungcad.evaluate.truth.walls import share_behind, walled
from lungcad.explain import Layer, PreparedInput, explain
from lungcad.explain.engine import logits_of_inputs
from lungcad.models.weights import ready
from lungcad.preprocess import PreprocessConfig
from lungcad.publish.method_tables import published_table, small_lesion_words, wall_table, wall_words


@pytest.fixture(scope="module")
def scenes():
    return draw_scenes(Split.TEST, 4)


def mark_of(pixels):
    mark = np.zeros((10, 10), bool)
    mark.flat[:pixels] = True
    return mark


def test_confounder_sensitivity_is_the_share_of_the_mark_among_the_top_tenth():
    values = np.arange(100.0)[::-1].reshape(10, 10) + 1  # the mark's pixels are the largest
    assert confounder_sensitivity(values, mark_of(5)) == 1 and confounder_sensitivity(values, mark_of(20)) == 0.5
    assert confounder_sensitivity(values[::-1], mark_of(10)) == 0
    assert confounder_sensitivity(np.ones((10, 10)), mark_of(7)) == pytest.approx(0.1)  # all alike: as by chance
    assert confounder_sensitivity(-values, mark_of(7)) == 0  # nothing speaks for the class
    blocks = np.zeros((10, 10))
    blocks[:2] = 1.0  # twenty alike, of which half fit in
    assert confounder_sensitivity(blocks, mark_of(10)) == pytest.approx(0.5)


def test_correlation_is_pearsons_and_of_a_flat_map_nothing():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 9, 7))
    assert correlation(first, second) == pytest.approx(np.corrcoef(first.ravel(), second.ravel())[0, 1])
    assert correlation(first, 3 * first + 2) == pytest.approx(1) and correlation(first, -first) == pytest.approx(-1)
    assert correlation(first, np.ones((9, 7))) == 0


def test_a_control_never_follows_the_answer(toy, scenes):
    whole_picture = PreprocessConfig(size=(96, 96), crop="none", fit="stretch")
    card = toy.card.model_copy(update={"classes": ("lesion", "none", "a", "b"), "preprocess": whole_picture})
    model = dataclasses.replace(toy, card=card)
    shown = Shown(scenes[0], "marker")
    (random, gradcam) = published.measure(model, shown, [Variant("random", "random"), Variant("gradcam", "gradcam")])
    assert random["spc"] == pytest.approx(1) and random["cheat"] == "marker" and random["cs_at_most"] == 1
    assert 0 <= gradcam["cs"] <= 1 and -1 <= gradcam["spc"] < 1 - 1e-6
    (row, _) = published.rows(pd.DataFrame([{"network": "c", "case": f"p{i}"} | each for i in range(2) for each in (random, gradcam)]))
    assert row["n"] == 2 and row["spc"] == pytest.approx(1) and row["cs_at_most"] == 1


def loud(model):
    """A random head adds about 1e-6 to the logits, less than a float32 beside the bias can hold."""
    network = model.unfolded()
    with torch.no_grad():
        network.head.linear.weight.mul_(1e4)
    return ready(network.eval(), model.card)


def test_nothing_below_the_wall_reaches_the_answer(toy_gate, phantom):
    model = loud(toy_gate)
    behind, prepared = walled(model), PreparedInput.of(model, phantom.image())
    below, above = prepared.inputs.clone(), prepared.inputs.clone()
    seen = round(below.shape[2] * walls.SEEN)
    below[:, :, seen:] = torch.randn_like(below[:, :, seen:])
    above[:, :, seen - 1] = 3.0
    assert torch.equal(logits_of_inputs(behind, prepared.inputs), logits_of_inputs(behind, below))
    assert not torch.equal(logits_of_inputs(behind, prepared.inputs), logits_of_inputs(behind, above))
    assert not torch.equal(logits_of_inputs(model, prepared.inputs), logits_of_inputs(model, below))


def test_what_is_not_averaged_has_no_gradient(toy, phantom):
    """Of a network without attention; grad-cam averages gradients over all cells, so it may light up all the same."""
    behind = walled(toy)
    prepared = PreparedInput.of(behind, phantom.image())
    for method in ("hirescam", "smoothgrad"):
        grid = explain(behind, prepared, method, 1).grid
        assert np.abs(grid[round(len(grid) * walls.SEEN) :]).max() == 0 < np.abs(grid).max()


def test_the_share_behind_a_wall_counts_positive_evidence():
    grid = np.full((8, 2), -1.0)
    grid[0, 0], grid[7, 1], grid[6, 0] = 3.0, 0.5, 0.5
    assert share_behind(grid) == 0.25 and share_behind(-np.ones((4, 4))) == 0 and share_behind(np.ones((4, 4))) == 1 - walls.SEEN


def test_a_few_cases_are_spread_and_more_keep_them():
    assert sorted(spread(11)) == list(range(11)) and spread(1) == [0] and spread(8)[:4] == [0, 4, 2, 6]
    slow, medium, fast = Variant("lime", "lime"), Variant("occlusion", "occlusion"), Variant("gradcam", "gradcam")
    assert affordable(fast, 40, 0) == 40 and affordable(slow, 40, 0) == 0
    assert affordable(slow, 40, 3) == 3 and affordable(medium, 40, 3) == 6 and affordable(medium, 5, 3) == 5
    finer = Variant("gradcam, before", "gradcam", Layer.BEFORE)
    assert affordable(finer, 40, 0) == affordable(fast, 40, 0, 5) == 40 and affordable(finer, 40, 0, 5) == 5


def test_finer_grids_are_measured_under_their_own_names(toy):
    titles = [variant_title(variant.name) for variant in variants_of(toy)]
    assert {"Grad-CAM, layer before", "Grad-CAM, input enlarged twice", "Layer-CAM, scales fused", "Random map"} <= set(titles)
    assert "Attention map" not in titles and len(set(titles)) == len(titles)


def test_work_that_was_broken_off_goes_on_where_it_stopped(scenes, monkeypatch, toy):
    asked = []

    def measure(model, shown, variants):
        for variant in variants:
            asked.append((shown.scene.name, variant.name))
            yield {"method": variant.name, "value": 1.0}

    module = SimpleNamespace(pictures=lambda model, known, scenes: [Shown(scene, None) for scene in scenes], measure=measure)
    monkeypatch.setattr("lungcad.evaluate.truth.parts.load_model", lambda name: toy)
    part, networks = Part("made up", module, lambda known: True), [KnownNetwork(name, Role.HONEST) for name in ("a", "b")]
    kept = []
    whole = measured(part, networks, scenes, slow_cases=0, before=pd.DataFrame(), on_rows=kept.append)
    assert len(whole) == len(asked) == 2 * 4 * len([variant for variant in variants_of(toy) if variant.cost == "fast"])
    assert kept[-1].equals(whole)
    asked.clear()
    lacks = whole[(whole.network != "b") | (whole.case != scenes[1].name)]
    assert measured(part, networks, scenes, slow_cases=0, before=lacks).equals(whole) and {case for case, _ in asked} == {scenes[1].name}
    asked.clear()
    more = measured(part, networks, scenes, slow_cases=1, before=whole)
    assert {method for _, method in asked} >= {"lime", "occlusion"} and "gradcam" not in {method for _, method in asked}
    asked.clear()
    measured(part, networks, scenes, slow_cases=2, before=more)
    assert len(asked) == 2 * len(set(asked)) and sum(method == "lime" for _, method in asked) == 2  # one more of each network


def test_each_part_suits_the_networks_it_asks_about():
    suited = {name: [known.name for known in KNOWN_NETWORKS.values() if part.suits(known)] for name, part in PARTS.items()}
    assert suited["walls"] == suited["localisation"] == ["phantom-honest", "phantom-honest-gate", "phantom-honest-taught"]
    assert len(suited["published_measures"]) == 5 and "phantom-cheat-texture" not in suited["published_measures"]


def wall_row(method, behind, n=200):
    values = {"behind": behind, "lights_up": 0.5, "accuracy": 0.7}
    intervals = {name: [value, value] for name, value in values.items()}
    return {"network": "net", "method": method, "n": n, "area": 0.25, **values, "intervals": intervals}


def test_words_name_the_methods_that_see_through_the_wall():
    facts = {"walls": [wall_row("gradcam", 0.3), wall_row("hirescam", 0.0), wall_row("eigencam", 0.1), wall_row("random", 0.25)]}
    (line,) = wall_words(facts).splitlines()
    assert "or more: Grad-CAM (0.3, 200 cases); less than a thousandth: HiRes-CAM (0, 200 cases)." in line and "0.70" in line
    assert wall_table(facts).count("\n") == 5 and wall_words({"walls": []}) == "Not measured yet."


def small_row(method, pointing, low, high):
    values = {"pointing_game": pointing, "energy_inside": 0.1, "iou": 0.1, "called": 0.5}
    intervals = {name: [value, value] for name, value in values.items()} | {"pointing_game": [low, high]}
    return {"network": "net", "method": method, "size_mm": "4–8", "n": 24, **values, "intervals": intervals}


def test_words_name_the_methods_above_both_controls_for_small_lesions():
    rows = [small_row("random", 0.02, 0.0, 0.1), small_row("centre", 0.0, 0.0, 0.0), small_row("gradcam", 0.1, 0.05, 0.2)]
    assert "peak lies inside more often: no method; the share of the evidence inside is larger: no method. So no map" in small_lesion_words(
        {"localisation": rows}
    )
    rows += [small_row("layercam", 0.3, 0.2, 0.4), small_row("gradcam, before", 0.5, 0.3, 0.7)]
    words = small_lesion_words({"localisation": rows})
    best = "Grad-CAM, layer before (at most 0.5), Layer-CAM (at most 0.3);"
    assert words.startswith(f"In every honest network, above both controls: the peak lies inside more often: {best}")
    assert "often: Grad-CAM, layer before (0.5, 24 cases), Layer-CAM (0.3, 24 cases); the share" in words and words.endswith(
        "larger: no method."
    )
    assert small_lesion_words({"localisation": [row | {"size_mm": "all"} for row in rows]}) == "Not measured yet."


def test_the_published_measures_are_a_row_a_method():
    row = {
        "network": "phantom-cheat-dot",
        "cheat": "dot",
        "method": "gradcam, enlarged",
        "n": 3,
        "cs": 0.5,
        "spc": None,
        "intervals": {"cs": [0.4, 0.6]},
    }
    table = published_table({"published_measures": [row]})
    assert (
        "| `phantom-cheat-dot` | dot | Grad-CAM, input enlarged twice | 3 | 0.50 [0.40, 0.60] | – |\n\nNot measured yet: `phantom-cheat-marker`"
        in table
    )
