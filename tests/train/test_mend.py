"""Recipes compared on where they look: on phantoms whose classes a marker beside the body tells, so that it is known what each recipe must do."""

from types import SimpleNamespace

import numpy as np
import pytest

from lungcad.datasets import PHANTOMS
from lungcad.datasets.phantoms.make import make_phantoms
from lungcad.errors import DatasetError, RecipeError
from lungcad.evaluate.regions.mended import is_mended
from lungcad.evaluate.stores.mended import list_mended, read_mended, write_mended
from lungcad.models import list_cards
from lungcad.models.partner import mended_and_plain
from lungcad.publish.mended_tables import mended_section, mended_table, shipping, verdict
from lungcad.train import mend as module
from lungcad.train.mend import mend
from lungcad.train.mend_slices import read_slices
from lungcad.train.recipe import Recipe

VALUES = {
    "name": "mended", "dataset": "phantoms", "backbone": "custom_cnn", "init": "scratch", "preprocess": {"size": [64, 64], "crop": "none"}, "probe": 1,
    "epochs": 0, "augmentation": dict.fromkeys(("rotate", "zoom", "shift", "gain", "bias", "gamma", "noise", "erase"), 0.0),
}  # fmt: skip


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    return PHANTOMS.read(make_phantoms(tmp_path_factory.mktemp("mend") / "phantoms", 72, shortcut="marker", size=96))


@pytest.fixture(scope="module")
def mended(cases):
    """The brightest pixel where the marker lies, and the middle's grey, instead of a network's features."""

    def pooled(self, images, *, keep_maps=False):
        grey = images.float().numpy() / 255
        features = np.stack([grey[:, :9, :17].max((1, 2)), grey[:, 28:36, 12:52].mean((1, 2))], 1).astype(np.float64)
        return features, features.reshape(-1, 2, 1, 1).astype(np.float16) if keep_maps else np.zeros(0)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module._Features, "pooled", pooled)
        return mend(Recipe.parse(VALUES, "a recipe", RecipeError), cases, seeds=(0, 1))


def test_a_recipe_that_reads_the_marker_falls_when_it_is_swapped_and_the_lungs_alone_do_not(mended):
    plain, lungs, _ = mended.rows
    assert plain["macro_f1"] > 0.9 and plain["macro_f1_swapped"] < 0.2 and plain["answers_follow"] > 0.8
    assert lungs["macro_f1_swapped"] > plain["macro_f1_swapped"] + 0.15 and lungs["difference_intervals"]["macro_f1_swapped"][0] > 0
    assert lungs["answers_follow"] < plain["answers_follow"]
    assert lungs["macro_f1"] < 0.8 and not is_mended(lungs), "without the marker nothing is known, and that is what it costs"
    assert plain["seeds"] == 2 and plain["difference"] == {} and len(lungs["by_seed"]["outside"]) == 2


def test_without_lungs_in_two_classes_it_is_a_sentence(cases, monkeypatch):
    from lungcad.train import mend_slices

    monkeypatch.setattr(mend_slices, "lungs_as_seen", lambda image, geometry, size: None)
    with pytest.raises(DatasetError, match="found for certain in 0 of 72 slices"):
        mend(Recipe.parse(VALUES, "a recipe", RecipeError), cases, seeds=(0,))


def test_trained_in_other_surroundings_it_believes_them_less(mended):
    changed = mended.cases[mended.cases.donor != ""]
    belief = changed.assign(belief=[row[f"p:{row['donor']}"] for _, row in changed.iterrows()]).groupby("arm").belief.mean()
    assert belief["swapped"] < belief["plain"] - 0.03


def test_each_case_is_asked_in_its_own_and_in_surroundings_of_another_class(mended):
    counts = mended.cases.groupby(["arm", "seed"]).case.agg(["size", "nunique"])
    assert (counts["size"] == 2 * mended.facts["n"]).all() and (counts["nunique"] == mended.facts["n"]).all()
    changed = mended.cases[mended.cases.donor != ""]
    assert (changed.donor != changed.label).all() and changed.outside.isna().all()
    assert mended.cases[mended.cases.donor == ""].outside.dropna().between(0, 1).all()


def test_it_comes_back_from_disk_as_it_was(mended, tmp_path):
    write_mended(mended, tmp_path)
    assert (
        read_mended("phantoms", tmp_path).rows == mended.rows
        and len(list_mended(tmp_path)) == 1
        and read_mended("nothing", tmp_path) is None
    )
    assert len(mended_table(mended).splitlines()) == 2 + 3 and verdict(mended) in mended_section(mended)
    file = tmp_path / "phantoms" / "mended.json"
    facts = file.read_text("utf-8")
    file.write_text(facts.replace('"left_out"', '"left"'), "utf-8")
    with pytest.raises(DatasetError, match="regions-mend"):
        read_mended("phantoms", tmp_path)
    file.write_text(facts, "utf-8")
    (tmp_path / "phantoms" / "cases.parquet").write_bytes(b"nothing")
    with pytest.raises(DatasetError, match="regions-mend"):
        read_mended("phantoms", tmp_path)


def test_the_verdict_says_falls_only_where_it_falls(mended):
    assert "macro F1 falls from" in verdict(mended)
    better = SimpleNamespace(rows=[mended.rows[0] | {"macro_f1": 0.4, "macro_f1_swapped": 0.5}])
    assert "does not fall" in verdict(better)


def test_training_images_lend_to_their_own_part_of_the_split_only(cases):
    slices = read_slices(Recipe.parse(VALUES, "a recipe", RecipeError), cases)
    train, valid, test = slices.rounds[0]
    assert {slices.cases[row].split.value for row in np.flatnonzero(np.isin(slices.cells, test))} == {"test"}
    assert len(slices.rounds) == 1 and not set(train) & {*valid, *test} and not set(valid) & set(test)
    kept = (slices.whole == slices.swapped)[slices.lungs].float().mean()
    assert kept > 0.7 > (slices.whole == slices.swapped)[~slices.lungs].float().mean()


def test_a_recipe_that_trains_more_than_a_head_is_refused(cases):
    with pytest.raises(RecipeError, match="trains more than a head"):
        mend(Recipe.parse(VALUES | {"epochs": 3}, "a recipe", RecipeError), cases)


def test_a_recipe_that_is_not_the_plain_one_is_refused(cases):
    for changed in ({"preprocess": VALUES["preprocess"] | {"see": "lungs"}}, {"augmentation": {"swap_surroundings": 0.5}}):
        with pytest.raises(RecipeError, match="not the plain one"):
            mend(Recipe.parse(VALUES | changed, "a recipe", RecipeError), cases)


def test_a_second_call_goes_on_where_the_first_was_stopped(cases, tmp_path):
    recipe, asked, stop_at = (
        Recipe.parse(VALUES | {"augmentation": VALUES["augmentation"] | {"gain": 0.2}}, "a recipe", RecipeError),
        [],
        [0],
    )

    def pooled(self, images, *, keep_maps=False):
        asked.append(len(images))
        if len(asked) == stop_at[0]:
            raise KeyboardInterrupt
        grey = images.float().numpy().reshape(len(images), -1)[:, ::64] / 255
        return grey, grey[:, :, None, None].astype(np.float16) if keep_maps else np.zeros(0)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module._Features, "pooled", pooled)
        at_once = mend(recipe, cases, (0,))
        whole = len(asked)
        asked.clear()
        stop_at[0] = whole - 1
        with pytest.raises(KeyboardInterrupt):
            mend(recipe, cases, (0,), work=tmp_path)
        kept = len(list(tmp_path.glob("*.npz")))
        asked.clear()
        stop_at[0], seen = 0, []
        resumed = mend(recipe, cases, (0,), lambda done, total: seen.append((done, total)), tmp_path)
        assert kept >= 4 and len(asked) < whole and seen[-1][0] == seen[-1][1]
        np.testing.assert_array_equal(resumed.cases.select_dtypes("number"), at_once.cases.select_dtypes("number"))
        next(tmp_path.glob("plain*.npz")).write_bytes(b"cut")
        asked.clear()
        mend(recipe, cases, (0,), work=tmp_path)
        assert asked, "a damaged file is computed anew"
        asked.clear()
        mend(recipe.model_copy(update={"seed": 1}), cases, (0,), work=tmp_path)
        assert len(asked) == whole, "another recipe's features are not taken for its own"


def test_what_is_shipped_stands_beside_its_plain_partner_and_where_nothing_is_the_best_shipped_one_is_named():
    cards = list_cards()
    assert [card.name for card in mended_and_plain("iq-oth-nccd", cards)] == ["iq-efficientnet-lite0-swapped", "iq-efficientnet-lite0"]
    assert mended_and_plain("chest-ct-scan", cards) is None

    def run_of(model, data, there):
        rows = [{"region": "all", "answers_follow": None, "macro_f1": 0.7}, {"region": "lungs", "answers_follow": 0.2, "macro_f1": there}]
        return SimpleNamespace(facts={"model": model, "data": data}, rows=rows)

    row = {
        "macro_f1": 0.61,
        "macro_f1_swapped": 0.52,
        "difference": {"macro_f1": -0.01},
        "difference_intervals": {"macro_f1_swapped": (0.1, 0.3)},
    }
    pair = [run_of("iq-efficientnet-lite0-swapped", "iq-oth-nccd", 0.6), run_of("iq-efficientnet-lite0", "iq-oth-nccd", 0.3)]
    said = shipping(SimpleNamespace(facts={"dataset": "iq-oth-nccd"}, rows=[{}, row]), pair, cards)
    assert "Shipped: `iq-efficientnet-lite0-swapped`" in said and "0.600 (0.700" in said and "0.300 (0.700)" in said
    chest = SimpleNamespace(facts={"dataset": "chest-ct-scan"}, rows=[{}, row])
    others = [run_of("chest-resnet18", "chest-ct-scan", 0.4), run_of("chest-efficientnet-lite0", "chest-ct-scan", 0.56)]
    said = shipping(chest, [*pair, *others], cards)
    assert "Nothing is shipped: `chest-efficientnet-lite0`" in said and "(0.520 and 0.610)" in said
    assert shipping(chest, pair, cards) == ""
