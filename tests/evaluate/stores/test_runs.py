import json

import pandas as pd
import pytest

from lungcad.errors import DatasetError, UnknownNameError
from lungcad.evaluate.stores.runs import list_runs, read_experiments, read_run, read_seeds, write_run
from tests.evaluate.sample_runs import CLASSES, prediction_table


def test_a_run_comes_back_as_it_was_written(runs_folder):
    run = read_run("one", runs_folder)
    pd.testing.assert_frame_equal(run.predictions, prediction_table())
    assert (
        run.facts["run"] == "one" and run.facts["schema"] == 3 and run.facts["date"] and len(run.test) == 20 and run.history.epoch[0] == 0
    )
    assert list_runs(runs_folder) == ["one", "one-seed2"] and read_run("one-seed2", runs_folder).baselines is None
    assert [run.facts["seed"] for run in read_seeds("one", runs_folder)] == [0, 2]


FAULTS = {
    "no run.json": (lambda f: (f / "run.json").unlink(), "no run.json"),
    "damaged run.json": (lambda f: (f / "run.json").write_text("{"), "damaged"),
    "no schema": (lambda f: (f / "run.json").write_text("{}"), "schema"),
    "newer schema": (lambda f: (f / "run.json").write_text(json.dumps({"schema": 99})), "update lungcad"),
    "older schema": (lambda f: (f / "run.json").write_text(json.dumps({"schema": 1})), "make the run again"),
    "no predictions": (lambda f: (f / "predictions.parquet").unlink(), "no predictions"),
    "damaged predictions": (lambda f: (f / "predictions.parquet").write_bytes(b"PAR1 nothing"), "damaged"),
    "a group in two splits": (lambda f: prediction_table().assign(group="g").to_parquet(f / "predictions.parquet"), "stands in two parts"),
    "a column is missing": (lambda f: prediction_table().drop(columns="p:benign").to_parquet(f / "predictions.parquet"), "p:benign"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_run_is_one_sentence_and_the_others_stay_readable(runs_folder, fault):
    damage, word = FAULTS[fault]
    damage(runs_folder / "one")
    with pytest.raises(DatasetError, match=word):
        read_run("one", runs_folder)
    assert read_run("one-seed2", runs_folder).classes == tuple(CLASSES)


def test_an_unknown_run_lists_the_choices(runs_folder, tmp_path):
    with pytest.raises(UnknownNameError, match="one-seed2"):
        read_run("two", runs_folder)
    with pytest.raises(UnknownNameError, match="there are no runs"):
        read_run("two", tmp_path / "nowhere")


def test_a_runs_identity_is_stored_in_it_and_not_in_its_name(tmp_path):
    facts = {"classes": CLASSES, "dataset": "lidc-nodules", "protocol": "grouped", "recipe": "net"}
    for name, changes in (
        ("monday", {"seed": 0}),
        ("again", {"seed": 1}),
        ("leaky", {"seed": 0, "protocol": "published"}),
        ("net-seed2", {"recipe": "other", "seed": 2}),
    ):
        write_run(tmp_path / name, facts | changes, prediction_table())
    assert [run.name for run in read_seeds("monday", tmp_path)] == ["monday", "again"]
    assert [run.name for run in read_seeds("net-seed2", tmp_path)] == ["net-seed2"]
    assert {run.name for run in read_experiments(tmp_path)} == {"monday", "leaky", "net-seed2"}
    assert {run.name for run in read_experiments(tmp_path, recipe="net")} == {"monday", "leaky"}


@pytest.mark.parametrize("name", ["net", "net-published", "net-seed2", "net-published-seed12"])
def test_a_run_of_schema_2_had_its_recipe_in_its_name(tmp_path, name):
    write_run(tmp_path / name, {"classes": CLASSES, "network": name}, prediction_table())
    path = tmp_path / name / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema": 2}))
    assert read_run(name, tmp_path).recipe == "net"


@pytest.mark.parametrize("name", ["..", "../real", "", ".", "/etc"])
def test_a_path_is_no_name_of_a_run(tmp_path, name):
    (tmp_path / "runs").mkdir()
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "run.json").write_text("{}")
    with pytest.raises(UnknownNameError):
        read_run(name, tmp_path / "runs")
