"""The marking of the trust checks: on made-up verdicts and networks whose truth is known by construction."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from lungcad.datasets import Split
from lungcad.errors import DatasetError, UnknownNameError
from lungcad.evaluate.stores.truth import read_truth, write_thresholds
from lungcad.evaluate.stores.truth_facts import SCHEMA
from lungcad.evaluate.truth import counterfactuals
from lungcad.evaluate.truth.counterfactuals import cheats, counterfactual_row, lesion_probabilities
from lungcad.evaluate.truth.marks import ALL, ANSWER_CHECKS, accusations, choose_thresholds, marks
from lungcad.evaluate.truth.networks import KNOWN_NETWORKS, KnownNetwork, Role
from lungcad.evaluate.truth.run import known_networks
from lungcad.evaluate.truth.scenes import IN_TURN, draw_scenes, in_turn
from lungcad.evaluate.truth.verdicts import judge, judged_pictures
from lungcad.explain.trust import CHECKS
from lungcad.explain.trust.thresholds import UNMARKED, _read, thresholds_in_use
from lungcad.publish.truth_tables import record, truth_readme

CHEATER = KnownNetwork("reads the marker", Role.CHEATER, "marker")


@pytest.fixture(scope="module")
def scenes():
    return draw_scenes(Split.TEST, 24)


@pytest.fixture
def reads_the_marker(monkeypatch, toy):
    """Every picture is called a lesion where its upper left corner holds something white."""

    def probabilities(model, images):
        shown = np.array([float(image.pixels[:40, :60].max() > 250) for image in images])
        return np.stack([0.1 + 0.8 * shown, 0.9 - 0.8 * shown], 1)

    monkeypatch.setattr(counterfactuals, "probabilities_of", probabilities)
    return dataclasses.replace(toy, card=toy.card.model_copy(update={"classes": ("lesion", "none")}))


def test_counterfactuals_show_what_a_network_reads(reads_the_marker, scenes):
    table = lesion_probabilities(reads_the_marker, CHEATER, scenes)
    row = counterfactual_row(CHEATER, table)
    assert row["as_trained"]["value"] > 0.85 and row["swapped"]["value"] == 0.0 and row["without"]["value"] == pytest.approx(0.5)
    assert row["still_called_lesion"]["value"] > 0.8
    assert row["cheats_on"] == cheats(table).sum() == sum(scene.planned.carries for scene in scenes)


def test_a_scene_differs_from_its_counterfactual_only_where_it_should(scenes):
    scene = next(scene for scene in scenes if scene.has_lesion)
    marked, clean = scene.picture("marker"), scene.picture(None)
    assert np.array_equal(marked.grey != clean.grey, (marked.grey != clean.grey) & marked.shortcut)
    without = scene.picture(None, lesion=False)
    assert not without.lesion.any() and (without.grey[~clean.lesion] == clean.grey[~clean.lesion]).mean() > 0.98


def test_a_network_without_a_shortcut_meets_each_in_turn_and_with_every_label(scenes):
    shown = in_turn(scenes)
    assert [each.scene for each in shown] == scenes and {each.shortcut for each in shown} == set(IN_TURN)
    for shortcut in IN_TURN:
        assert sorted(each.scene.planned.label for each in shown if each.shortcut == shortcut) == ["none", "none", "smooth", "spiculated"]
    honest = KnownNetwork("honest", Role.HONEST)
    assert [each.shortcut for each in judged_pictures(honest, scenes, pd.DataFrame())] == [each.shortcut for each in shown]


def test_a_cheater_is_judged_where_it_cheats(reads_the_marker, scenes):
    answers = lesion_probabilities(reads_the_marker, CHEATER, scenes)
    shown = judged_pictures(CHEATER, scenes, answers)
    assert [each.scene for each in shown] == [scene for scene in scenes if scene.planned.carries] and {each.shortcut for each in shown} == {
        "marker"
    }


def test_a_verdict_says_what_the_picture_carried(toy, scenes):
    model = dataclasses.replace(toy, card=toy.card.model_copy(update={"dataset": "phantoms"}))
    table = judge(model, KnownNetwork("toy", Role.UNTRAINED), in_turn(scenes)[3:5], ["gradcam"], slow_check_cases=0)
    assert table.groupby("case", sort=False).carried.first().tolist() == ["", "marker"] and set(table.shortcut) == {""}
    assert {"surroundings", "texture"} <= set(table.check) <= set(CHECKS) - {"faithfulness", "sanity"}


def verdicts():
    """A check that is always right about the marker, half right about the dot, and accuses one honest case in ten."""

    def rows(network, role, shortcut, n, contradicted, values, carried=()):
        words = ["contradicts"] * contradicted + ["supports"] * (n - contradicted)
        return pd.DataFrame(
            {"network": network, "role": str(role), "shortcut": shortcut, "case": [f"p{i}" for i in range(n)], "method": "gradcam",
             "carried": [*carried] or shortcut, "check": "surroundings", "value": values, "verdict": words}
        )  # fmt: skip

    return pd.concat(
        [
            rows("honest", Role.HONEST, "", 20, 2, np.linspace(0.3, 0.0, 20), ["marker"] * 4 + [""] * 16),
            rows("m", Role.CHEATER, "marker", 10, 10, np.full(10, 0.8)),
            rows("d", Role.CHEATER, "dot", 10, 5, np.r_[np.full(5, 0.8), np.full(5, -0.1)]),
            rows("h", Role.HIDDEN, "marker", 4, 4, np.full(4, 0.9)),
            rows("random weights", Role.UNTRAINED, "", 4, 0, np.zeros(4)),
        ]
    )


def test_marks_count_what_was_found_and_who_was_accused():
    rows = {row["cheat"]: row for row in marks(verdicts())}
    assert list(rows) == [ALL, "marker", "dot", "hidden cheat", "random weights"]
    assert (
        rows["marker"]["sensitivity"] == 1
        and rows["dot"]["sensitivity"] == 0.5
        and rows[ALL]["sensitivity"] == 0.75
        and rows[ALL]["n"] == 20
    )
    assert all(row["specificity"] == 0.9 and row["n_honest"] == 20 for row in rows.values())
    assert rows["marker"]["auc"] == 1.0 and rows["dot"]["auc"] == 0.5 and rows["hidden cheat"]["sensitivity"] == 1
    low, high = rows["dot"]["sensitivity_interval"]
    assert low < 0.5 < high


def test_accusations_of_honest_networks_are_counted_by_what_the_picture_carries():
    rows = {row["carried"]: row for row in accusations(verdicts())}
    assert {carried: (row["n"], row["accused"]) for carried, row in rows.items()} == {"marker": (4, 0.5), "": (16, 0.0)}


def test_thresholds_are_the_least_that_accuse_one_honest_answer_in_twenty():
    table = verdicts()
    chosen = choose_thresholds(table)
    honest = table[table.role == Role.HONEST].value
    assert (honest <= chosen["surroundings"]).mean() >= 0.95 > (honest <= chosen["surroundings"] - 0.02).mean()
    assert chosen["texture"] == UNMARKED  # nothing measured


def facts():
    return {
        "marks": marks(verdicts()),
        "accused": accusations(verdicts()),
        "peaks": [],
        "counterfactuals": [],
        "localisation": [],
        "published_measures": [],
        "walls": [],
        "slow_cases": {"walls": 0},
        "schema": SCHEMA,
        "n": 24,
        "thresholds": {"surroundings": 0.2},
        "networks": [],
        "weights_sha256": {},
    }


def test_a_check_of_the_answer_shows_its_own_record_without_a_method():
    assert record(facts(), "surroundings", "layercam") == (
        "On made-up slices it finds 75% of 20 answers that a network took from a mark outside the lungs, "
        "and accuses 10% of 20 answers of honest networks."
    )
    assert record(facts(), "faithfulness", "gradcam") is None and record(None, "surroundings", "gradcam") is None
    assert CHECKS["surroundings"].question in truth_readme(facts())


@pytest.mark.parametrize(("sensitivity", "says_so"), [(0.29, True), (0.31, False)])
def test_a_check_of_the_map_that_hardly_tells_cheaters_from_honest_networks_says_so(sensitivity, says_so):
    row = {"method": "gradcam", "check": "anatomy", "cheat": ALL, "n": 100, "n_honest": 100, "sensitivity": sensitivity, "specificity": 0.9}
    sentence = record({"marks": [row]}, "anatomy", "layercam")  # not marked: Grad-CAM's stands in
    assert "with Grad-CAM" in sentence and sentence.endswith("It can hardly tell the two apart.") == says_so
    assert record({"marks": [row | {"specificity": None}]}, "anatomy", "gradcam") is None  # no honest network was marked


def test_what_is_not_the_file_of_a_marking_is_said(tmp_path):
    assert read_truth(tmp_path) is None
    for text in (
        "{",
        "[]",
        json.dumps({"schema": SCHEMA}),
        json.dumps(facts() | {"peaks": [{"network": "m"}]}),
        json.dumps(facts() | {"marks": [{}]}),
    ):
        (tmp_path / "truth.json").write_text(text)
        with pytest.raises(DatasetError, match="run 'python -m lungcad truth' again"):
            read_truth(tmp_path)
    (tmp_path / "truth.json").write_text(json.dumps(facts()))
    assert read_truth(tmp_path)["n"] == 24


def test_thresholds_are_read_back_and_a_damaged_file_is_said(tmp_path):
    path = tmp_path / "thresholds.json"
    write_thresholds({"surroundings": 0.31}, 200, path)
    assert _read(path) == {"surroundings": 0.31}
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(DatasetError, match="damaged"):
        _read(tmp_path / "bad.json")
    assert set(thresholds_in_use()) <= set(ANSWER_CHECKS)


def test_a_network_of_unknown_truth_is_named():
    with pytest.raises(UnknownNameError, match="network of known truth"):
        known_networks(["chest-resnet18"])
    assert [known.name for known in known_networks(["phantom-honest"])] == ["phantom-honest"] and KNOWN_NETWORKS[
        "phantom-hidden-cheat"
    ].shortcut == "marker"
