"""The choice of a pooling on validation volumes, on answers whose best pooling is known."""

import json
from pathlib import Path

import numpy as np
import pytest

from lungcad.cli.volumes import volume_pooling
from lungcad.errors import LungcadError, ModelError
from lungcad.estimate import Estimate
from lungcad.gate import sees_lungs
from lungcad.imaging.phantom_volume import EXAMPLE_BALLS, make_phantom_volume
from lungcad.models import list_cards, load_model
from lungcad.paths import SERIES
from lungcad.series import choose_pooling, stored_pooling
from lungcad.series.choose_pooling import TEST_SEED, VALID_SEED, _chosen, _platt, _Read, choose, share_found
from lungcad.series.pooling import negative_class

README = Path(__file__).resolve().parents[2] / "README.md"


@pytest.fixture(scope="module")
def model():
    return load_model("phantom-honest")


def answered(model, rng, has_lesion: bool) -> _Read:
    """One slice in 40 tells, the others are loud noise: the maximum is the pooling that sees it."""
    suspicion = rng.uniform(0, 0.9, 40)
    suspicion[7] = 0.97 if has_lesion else 0.5
    probabilities = np.empty((40, 2))
    probabilities[:, negative_class(model.card)] = 1 - suspicion
    probabilities[:, 1 - negative_class(model.card)] = suspicion
    return _Read(has_lesion, probabilities, (True, False) if has_lesion else ())


def test_the_best_on_validation_is_chosen_marked_on_test_and_read_again(model, tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    valid, test = ([answered(model, rng, index % 2 == 0) for index in range(n)] for n in (40, 60))
    chosen = _chosen(model, valid, test)
    assert chosen["pooling"] == "maximum" and chosen["auc"]["maximum"]["test"]["value"] == 1
    assert chosen["auc"]["mean"]["valid"]["value"] < 0.8
    assert chosen["brier_test"]["after"]["value"] < chosen["brier_test"]["before"]["value"]
    assert chosen["lesions_found_test"]["n"] == 60 and chosen["lesions_found_test"]["share"]["value"] == 0.5
    (tmp_path / stored_pooling.FILE).write_text(json.dumps({"networks": {model.card.name: chosen}}))
    monkeypatch.setattr(stored_pooling, "SERIES", tmp_path)
    read = stored_pooling.pooling_of(model.card)
    assert read.name == "maximum" and read.is_calibrated
    assert (
        "40 validation phantom volumes" in read.how_chosen
        and "60 test volumes" in read.how_chosen
        and "; 30 of 60 lesions" in read.how_chosen
    )
    changed = model.card.model_copy(update={"sha256": "0" * 64})
    assert not stored_pooling.pooling_of(changed).is_calibrated


def test_the_command_keeps_what_was_chosen_for_others(tmp_path, monkeypatch):
    shipped = stored_pooling.stored_choices(SERIES / stored_pooling.FILE)["phantom-honest"]
    (tmp_path / stored_pooling.FILE).write_text(json.dumps({"networks": {"other": shipped}}))
    facts = {"pooling": "mean", "auc": {"mean": {"valid": {"value": 0.5}, "test": {"value": 0.5}}}, "brier_test": {"after": {"value": 0.2}}}
    monkeypatch.setattr(choose_pooling, "choose", lambda models, **_: {model.card.name: facts for model in models})
    volume_pooling("phantom-cheat-dot", 10, tmp_path)
    assert set(json.loads((tmp_path / stored_pooling.FILE).read_text())["networks"]) == {"other", "phantom-cheat-dot"}


def test_every_network_says_truly_how_its_slices_are_pooled():
    """The shipped file, the sentence of page, command line and JSON, and the README."""
    assert "it is for `phantom-honest`, `-gate` and `-taught`, on made-up chests" in README.read_text("utf-8")
    pooled = {card.name: stored_pooling.pooling_of(card) for card in list_cards() if sees_lungs(card)}
    assert {name for name, chosen in pooled.items() if chosen.is_calibrated} == {
        "phantom-honest",
        "phantom-honest-gate",
        "phantom-honest-taught",
    }
    for name, chosen in pooled.items():
        if name.startswith("phantom-") and not chosen.is_calibrated:
            assert f"volume-pooling --models {name} does" in chosen.how_chosen
        elif not chosen.is_calibrated:
            assert chosen.how_chosen == stored_pooling.NOT_CHOSEN


@pytest.mark.parametrize("stored", stored_pooling.stored_choices(SERIES / stored_pooling.FILE).values(), ids=lambda each: each["pooling"])
def test_the_shipped_share_of_lesions_found_is_what_the_code_makes_of_the_shipped_counts(stored):
    """None of 18 in the 15 test volumes that have some."""
    found = stored["lesions_found_test"]
    with_lesions = stored["n_test"] // 2
    share = share_found(np.zeros(found["n"]), np.arange(found["n"]) % with_lesions)
    assert (found["n"], with_lesions) == (18, 15) and Estimate(**found["share"]) == share


def test_a_damaged_file_is_not_taken_for_no_choice(model, tmp_path, monkeypatch):
    (tmp_path / stored_pooling.FILE).write_text('{"networks": {')
    monkeypatch.setattr(stored_pooling, "SERIES", tmp_path)
    with pytest.raises(LungcadError, match="is damaged; remove it and run"):
        stored_pooling.pooling_of(model.card)
    monkeypatch.setattr(choose_pooling, "choose", lambda *_, **__: pytest.fail("the file is read before the volumes are"))
    with pytest.raises(LungcadError, match="is damaged"):
        volume_pooling("phantom-honest", 10, tmp_path)


def test_platt_gives_the_frequencies_back():
    rng = np.random.default_rng(1)
    scores = rng.uniform(0.02, 0.98, 4000)
    logits = np.log(scores / (1 - scores))
    truth = rng.random(4000) < 1 / (1 + np.exp(-(2 * logits - 1)))
    slope, offset = _platt(scores, truth)
    assert slope == pytest.approx(2, abs=0.2) and offset == pytest.approx(-1, abs=0.2)


def test_only_networks_with_known_series():
    with pytest.raises(ModelError, match="no series with a known answer"):
        choose([load_model("chest-resnet18")], n=10)


def test_every_volume_is_read_once_by_each_network(model, monkeypatch):
    drawn = []

    def small(seed, *, with_lesion):
        drawn.append((seed, with_lesion))
        return make_phantom_volume(seed, size=64, spacing_mm=12, balls=EXAMPLE_BALLS[:1] if with_lesion else ())

    monkeypatch.setattr(choose_pooling, "draw_volume", small)
    chosen = choose([model], n=2)[model.card.name]
    assert drawn == [(VALID_SEED, True), (VALID_SEED + 1, False), (TEST_SEED, True), (TEST_SEED + 1, False)]
    assert chosen["n_valid"] == chosen["n_test"] == 2 and chosen["weights_sha256"] == model.card.sha256


def test_none_or_all_found_is_no_certainty():
    volumes = np.array([0, 0, 1, 2, 3])
    assert share_found(np.zeros(5), volumes) == Estimate(value=0.0, low=0.0, high=0.6024)  # Clopper and Pearson's for 0 of 4
    assert share_found(np.ones(5), volumes) == Estimate(value=1.0, low=0.3976, high=1.0)
    some = share_found(np.array([1.0, 1, 0, 0, 1]), volumes)
    assert some.low < some.value == 0.6 < some.high
