"""``explain --method concepts`` as a person and a pipe see it."""

import json

import pytest

from lungcad.datasets.concepts import CONCEPTS
from lungcad.paths import EXAMPLES
from tests.calls import caller

CROP, NETWORK = EXAMPLES / "spiculated-nodule-crop.png", "lidc-efficientnet-lite0-concepts"


@pytest.fixture
def explain(monkeypatch, capsys):
    run = caller(monkeypatch, capsys)
    return lambda *options, model=NETWORK: run("explain", CROP, "--model", model, "--method", "concepts", *options)


def test_json_says_each_rating_in_the_readers_words_and_its_share(explain):
    status, out, _ = explain("--json", "--show-anyway")
    told = json.loads(out)
    concepts = told["concepts"]["concepts"]
    assert status == 0 and list(concepts) == list(CONCEPTS) and told["attributions"] == {}
    assert all(each["word"] in CONCEPTS[name].words for name, each in concepts.items())
    assert told["concepts"]["base"] + sum(each["share"] for each in concepts.values()) == pytest.approx(told["concepts"]["shares_and_base"])
    assert told["concepts"]["probability"] == pytest.approx(told["probabilities"]["malignant"], abs=1e-5)


def test_the_table_has_a_row_a_concept(explain):
    status, out, _ = explain("--show-anyway")
    assert status == 0 and all(concept.title in out for concept in CONCEPTS.values()) and "log-odds of malignant" in out


def test_what_has_no_concepts_or_no_map_is_said(explain, tmp_path):
    status, _, err = explain(model="lidc-efficientnet-lite0")
    assert status == 2 and "has no concepts" in err
    status, _, err = explain("--out", tmp_path / "map.png")
    assert status == 2 and "no heat map" in err and not (tmp_path / "map.png").exists()
