"""Groups of explanations: on made-up maps and embeddings of which the groups are known, and on a network that was made to cheat."""

import json

import numpy as np
import pandas as pd
import pytest

from lungcad.datasets.phantoms.make import shortcut_carriers
from lungcad.errors import DatasetError
from lungcad.evaluate.groups_of_explanations import (
    FEWEST_CASES,
    adjusted_rand,
    coordinates,
    group_numbers,
    groups,
    number_of_groups,
    smallest_eigenvectors,
)
from lungcad.evaluate.stores.runs import read_run
from lungcad.explain.neighbours import Index
from lungcad.models import load_model
from lungcad.models.weights import last_layer
from lungcad.publish.groups_table import classes_of_groups_table, grouped_run, groups_table, runs_of_data_sets
from tests.calls import caller

CHEATER = "phantom-cheat-marker"
CORNERS = ((0, 0), (0, 5), (5, 5))


def made_up(sizes=(60, 40, 50), seed=0):
    """Each group looks at a corner of its own and is embedded in a direction of its own."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(np.arange(len(sizes)), sizes)
    maps, vectors = rng.random((len(truth), 7, 7)) * 0.3, rng.normal(0, 0.1, (len(truth), 8))
    for row, group in enumerate(truth):
        down, right = CORNERS[group]
        maps[row, down : down + 2, right : right + 2] += 1
        vectors[row, group] += 1
    shuffled = rng.permutation(len(truth))
    return truth[shuffled], maps[shuffled], vectors[shuffled]


def index_of(maps, vectors):
    n = len(maps)
    nothing = np.zeros((1, 8), np.float16)
    cases = np.array([f"c{i}" for i in range(n)])
    return Index("", np.zeros(8), np.eye(8), nothing, np.array(["t"]), np.array(["a"]), vectors, cases, maps, np.zeros((n + 1, 2)), 1.0)


ALIKE = np.array([[1.0] * 8, [-1.0] * 8])
"""A last layer to which every channel counts alike."""


def table_of(truth):
    answers = np.where(truth == 1, "a", "b")
    return pd.DataFrame(
        {"case": [f"c{i}" for i in range(len(truth))], "group": [f"p{i // 2}" for i in range(len(truth))], "label": "a", "answer": answers}
    )


def test_groups_that_look_elsewhere_are_found_and_counted():
    truth, maps, vectors = made_up()
    numbers = group_numbers(maps, vectors, ALIKE)
    assert np.bincount(numbers).tolist() == [60, 50, 40]  # the largest first
    assert {(truth[i], numbers[i]) for i in range(len(truth))} == {(0, 0), (2, 1), (1, 2)}
    np.testing.assert_array_equal(numbers, group_numbers(maps, vectors, ALIKE))  # no chance in it


def test_either_the_maps_or_the_embeddings_suffice():
    truth, maps, vectors = made_up()
    flat, alike = np.ones_like(maps), np.ones_like(vectors)
    for only in (group_numbers(maps, alike, ALIKE), group_numbers(flat, vectors, ALIKE)):
        assert len({(a, b) for a, b in zip(truth, only, strict=True)}) == 3


def test_a_map_counts_by_where_its_evidence_lies_not_by_how_much_there_is():
    _, maps, vectors = made_up()
    np.testing.assert_allclose(coordinates(maps * 5, vectors * 3, ALIKE), coordinates(maps, vectors, ALIKE), atol=1e-9)


def test_what_the_last_layer_does_not_use_makes_no_group():
    truth, maps, vectors = made_up()
    loud = np.random.default_rng(1).integers(0, 3, len(truth))[:, None] == np.arange(3)  # three kinds of anatomy, ten times as different
    embeddings = np.hstack([vectors, 10.0 * loud])
    layer = np.hstack([ALIKE, np.ones((2, 3))])  # the same for both answers
    np.testing.assert_array_equal(group_numbers(maps, embeddings, layer), group_numbers(maps, vectors, ALIKE))
    used = np.hstack([ALIKE, [[1.0] * 3, [-1.0] * 3]])
    assert (group_numbers(np.ones_like(maps), embeddings, used) != group_numbers(np.ones_like(maps), embeddings, layer)).any()


def test_the_last_layer_is_read_without_the_network():
    model = load_model(CHEATER)
    np.testing.assert_allclose(last_layer(model.card), model.network.head.linear.weight.detach().double().numpy(), atol=1e-6)


@pytest.mark.parametrize("k", [2, 3, 5])
def test_the_number_of_groups_is_that_of_the_parts_of_the_graph(k):
    together = np.repeat(np.arange(k), 20)
    eigenvalues, _ = smallest_eigenvectors((together[:, None] == together) + 1e-3)
    assert eigenvalues[0] == pytest.approx(0, abs=1e-9) and number_of_groups(eigenvalues) == k


def test_a_group_says_what_its_cases_are():
    truth, maps, vectors = made_up()
    index, table = index_of(maps, vectors), table_of(truth)
    measured = pd.DataFrame({"case": table.case[truth == 1], "method": "gradcam", "in_lung": 0.25})
    first, second, third = groups(index, table, ALIKE, measured)
    assert third.cases == tuple(table.case[truth == 1]) and third.accuracy.value == 1 and third.difference.value == 1
    assert first.accuracy.value == 0 and first.classes == {"a": 1.0} and first.answers == {"b": 1.0}
    assert third.outside_lungs == 0.75 and third.n_measured == 40 and first.outside_lungs is None
    np.testing.assert_allclose(second.mean_map, maps[truth == 2].mean(0), rtol=1e-6)
    known = dict(zip(table.case, (truth == 1).tolist(), strict=True))
    assert 0.3 < adjusted_rand([first, second, third], known) < 1  # two groups of those that are not
    assert adjusted_rand([first, second, third], dict(zip(table.case, truth.tolist(), strict=True))) == 1


def test_too_few_cases_are_one_sentence():
    truth, maps, vectors = made_up()
    with pytest.raises(DatasetError, match=f"{FEWEST_CASES - 1} cases are too few"):
        groups(index_of(maps, vectors), table_of(truth)[: FEWEST_CASES - 1], ALIKE)


def test_who_carries_a_shortcut_follows_from_the_plan():
    carriers = shortcut_carriers(read_run(CHEATER).test.case)
    assert len(carriers) == 500 and 0.45 < np.mean(list(carriers.values())) < 0.55
    assert shortcut_carriers(["test/none/p000001.png"]) is None  # of another part


def test_the_marker_is_found_without_knowing_of_it(monkeypatch, capsys):
    grouped = grouped_run(CHEATER)
    assert grouped.adjusted_rand >= 0.8 and len(grouped.groups) == 2
    assert f"| `{CHEATER}` | marker | 500 | 2 |" in groups_table([grouped])
    status, out, _ = caller(monkeypatch, capsys)("runs", "groups", CHEATER, "--json")
    (row,) = json.loads(out)
    assert (
        status == 0 and row["adjusted_rand"] == pytest.approx(grouped.adjusted_rand) and sum(group["n"] for group in row["groups"]) == 500
    )


def test_settings_are_compared_on_validation_phantoms(monkeypatch, capsys):
    monkeypatch.setattr("lungcad.evaluate.truth.grouping.SIZES", (60, 72))
    monkeypatch.setattr("lungcad.evaluate.truth.grouping.WEIGHTS_OF_MAPS", (0.0, 0.35))
    monkeypatch.setattr("lungcad.evaluate.truth.grouping.NEIGHBOURS", (0.1,))
    status, out, _ = caller(monkeypatch, capsys)("runs", "groups", CHEATER, "--compare", "--json")
    settings = json.loads(out)
    assert status == 0 and {setting["weight_of_maps"] for setting in settings} == {0.0, 0.35}
    found = [setting["adjusted_rand"][CHEATER] for setting in settings]
    assert found == sorted(found, reverse=True) and found[0] >= 0.8
    status, out, err = caller(monkeypatch, capsys)("runs", "groups", "phantom-honest", "--compare")
    assert status == 2 and out == "" and "Nobody planted a shortcut for phantom-honest" in err


@pytest.mark.parametrize(
    ("eigenvalues", "k"), [((0, 0.005, 0.11, 0.17, 0.31), 2), ((0, 0.1, 0.12, 0.6, 0.9), 3), ((0, 0, 1e-9, 0.5, 0.95), 3)]
)
def test_a_gap_counts_as_a_multiple_of_what_is_below_it(eigenvalues, k):
    assert number_of_groups(np.array(eigenvalues)) == k  # of the first the widest gap is the last


def test_a_run_without_shipped_weights_is_one_sentence(monkeypatch, capsys):
    status, out, err = caller(monkeypatch, capsys)("runs", "groups", "iq-efficientnet-lite0-seed1")
    assert status == 2 and out == "" and "weights that are not shipped" in err


def test_of_each_data_set_the_plain_network_is_grouped():
    names = runs_of_data_sets()
    assert [name.split("-")[0] for name in names] == ["chest", "iq", "lc", "lidc"]
    grouped = grouped_run(names[0])
    lines = classes_of_groups_table([grouped]).splitlines()[2:]
    assert len(lines) == len(grouped.groups) and grouped.carriers is None
    for line, group in zip(lines, grouped.groups, strict=True):
        assert (
            f"| {len(group.cases)} | {max(group.classes, key=group.classes.__getitem__)} " in line
            and f"{group.accuracy.value:.3f} [" in line
        )
