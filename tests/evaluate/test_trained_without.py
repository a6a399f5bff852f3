"""Whole recipes trained without the lungs, as stored: what their rows say is what their files say."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from lungcad.errors import DatasetError
from lungcad.evaluate.stores.runs import list_runs, read_run
from lungcad.evaluate.stores.trained_without import FOLDER, list_trained, trained_without
from lungcad.publish.region_tables import trained_section
from lungcad.train.recipe import Recipe

NAMES = ("iq-efficientnet-lite0-no-lungs", "chest-efficientnet-lite0-no-lungs")


@pytest.mark.parametrize("name", NAMES)
def test_both_rows_are_of_the_same_cases_that_neither_trained_on(name):
    trained = next(each for each in list_trained() if each.facts["recipe"] == name)
    whole, without = trained.rows
    runs = [read_run(each, FOLDER) for each in list_runs(FOLDER) if each.startswith(name)]
    shares = []
    for run in runs:
        tested = run.predictions[run.predictions.split == "test"]
        assert whole["n"] == without["n"] == len(tested) and whole["groups"] == without["groups"] == tested.group.nunique()
        answers = tested[[f"p:{each}" for each in run.facts["classes"]]].to_numpy().argmax(1)
        shares.append((np.array(run.facts["classes"])[answers] == tested.label.to_numpy()).mean())
    assert trained.facts["seeds"] == sorted(run.facts["seed"] for run in runs) and without["seeds"] == len(runs)
    assert without["by_seed"]["accuracy"] == pytest.approx(shares, abs=1e-4)
    assert without["accuracy"] == pytest.approx(np.mean(shares), abs=1e-4)
    assert without["difference"]["accuracy"] == pytest.approx(without["accuracy"] - whole["accuracy"], abs=2e-4)
    assert f"{without['accuracy']:.3f}" in trained_section(trained) and not trained_without("lc25000")


def test_seeds_are_told_as_their_mean_beside_the_seeds_of_whole_slices(tmp_path):
    """Two seeds, of which the second answers everything wrongly; of the first alone there is a run on whole slices."""
    name = NAMES[1]
    for copy in (name, f"{name}-seed1"):
        shutil.copytree(FOLDER / name, tmp_path / "trained" / copy, copy_function=shutil.copyfile)
    second = tmp_path / "trained" / f"{name}-seed1"
    facts = json.loads((second / "run.json").read_text()) | {"run": second.name, "network": second.name, "seed": 1}
    (second / "run.json").write_text(json.dumps(facts))
    table = pd.read_parquet(second / "predictions.parquet")
    table[[f"p:{each}" for each in facts["classes"]]] = np.array(
        [[float(each != label) / 3 for each in facts["classes"]] for label in table.label]
    )
    table.to_parquet(second / "predictions.parquet", index=False)
    (both,) = list_trained(tmp_path / "trained")
    assert both.facts["seeds"] == [0, 1] and both.facts["whole_seeds"] == [0]
    assert (
        both.rows[1]["accuracy"] == pytest.approx(both.rows[1]["by_seed"]["accuracy"][0] / 2, abs=1e-3)
        and both.rows[1]["by_seed"]["accuracy"][1] == 0
    )
    assert both.rows[0]["seeds"] == 1 and both.rows[1]["seeds"] == 2
    said = trained_section(both)
    assert "seeds 0, 1;" in said and "seed 0, asked" in said and "Macro F1 by seed: as it is" in said


@pytest.mark.parametrize("name", NAMES)
def test_its_recipe_is_the_shipped_one_without_the_lungs(name):
    plain, without = (Recipe.read(path) for path in (f"weights/{name.removesuffix('-no-lungs')}.yaml", FOLDER / f"{name}.yaml"))
    values, changed = (each.model_dump(exclude={"name", "selection_note"}) for each in (plain, without))
    assert changed["preprocess"].pop("see") == "no-lungs" and values["preprocess"].pop("see", "all") == "all" and values == changed


def test_without_a_run_on_whole_slices_it_is_a_sentence(tmp_path):
    shutil.copytree(FOLDER / NAMES[0], tmp_path / "trained" / NAMES[0])
    with pytest.raises(DatasetError, match="no run on whole slices"):
        list_trained(tmp_path / "trained", tmp_path)
    (tmp_path / "trained" / NAMES[0] / "run.json").write_text(json.dumps({"schema": 99}))
    with pytest.raises(DatasetError):
        list_trained(tmp_path / "trained", tmp_path)
