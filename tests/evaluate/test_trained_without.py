"""Whole recipes trained without the lungs, as stored: what their rows say is what their files say."""

import json
import shutil

import numpy as np
import pytest

from lungcad.errors import DatasetError
from lungcad.evaluate.stores.runs import read_run
from lungcad.evaluate.stores.trained_without import FOLDER, list_trained, trained_without
from lungcad.publish.region_tables import trained_section
from lungcad.train.recipe import Recipe

NAME = "iq-efficientnet-lite0-no-lungs"


def test_both_rows_are_of_the_same_cases_that_neither_trained_on():
    (trained,) = trained_without("iq-oth-nccd")
    whole, without = trained.rows
    run = read_run(NAME, FOLDER)
    tested = run.predictions[run.predictions.split == "test"]
    assert whole["n"] == without["n"] == len(tested) and whole["groups"] == without["groups"] == tested.group.nunique()
    answers = tested[[f"p:{name}" for name in run.facts["classes"]]].to_numpy().argmax(1)
    right = np.array(run.facts["classes"])[answers] == tested.label.to_numpy()
    assert without["accuracy"] == pytest.approx(right.mean(), abs=1e-4)
    assert without["difference"]["accuracy"] == pytest.approx(without["accuracy"] - whole["accuracy"], abs=2e-4)
    assert f"{without['accuracy']:.3f}" in trained_section(trained) and not trained_without("lc25000")


def test_its_recipe_is_the_shipped_one_without_the_lungs():
    plain, without = (Recipe.read(path) for path in ("weights/iq-efficientnet-lite0.yaml", FOLDER / f"{NAME}.yaml"))
    values, changed = (each.model_dump(exclude={"name", "selection_note"}) for each in (plain, without))
    assert changed["preprocess"].pop("see") == "no-lungs" and values == changed


def test_without_a_run_on_whole_slices_it_is_a_sentence(tmp_path):
    shutil.copytree(FOLDER / NAME, tmp_path / "trained" / NAME)
    with pytest.raises(DatasetError, match="no run on whole slices"):
        list_trained(tmp_path / "trained", tmp_path)
    (tmp_path / "trained" / NAME / "run.json").write_text(json.dumps({"schema": 99}))
    with pytest.raises(DatasetError):
        list_trained(tmp_path / "trained", tmp_path)
