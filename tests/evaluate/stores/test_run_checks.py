"""A run that must not be scored is one sentence, whatever is wrong in it; the good ones beside it are listed."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from lungcad.errors import DatasetError
from lungcad.evaluate.scoring import report
from lungcad.evaluate.stores.runs import list_runs, read_run, write_run

CLASSES = ["benign", "malignant", "normal"]
FACTS = {"network": "x", "dataset": "iq-oth-nccd", "classes": CLASSES, "protocol": "published", "seed": 0, "attention": "none"}


def table(n: int = 12) -> pd.DataFrame:
    """Every class four times, two cases a group."""
    probabilities = np.random.default_rng(0).dirichlet(np.ones(3), n).astype("float32")
    cases = pd.DataFrame(
        {
            "case": [f"c{i}" for i in range(n)],
            "group": [f"g{i // 2}" for i in range(n)],
            "split": "test",
            "label": [CLASSES[i % 3] for i in range(n)],
            "copy_of_training": False,
        }
    )
    return cases.assign(**{f"p:{name}": probabilities[:, i] for i, name in enumerate(CLASSES)})


def test_a_good_run_is_read_and_absent_facts_are_empty(tmp_path):
    write_run(tmp_path / "fine", {"classes": CLASSES}, table())
    run = read_run("fine", tmp_path)
    assert run.facts["network"] == "" and run.facts["seed"] is None and report(run)["accuracy"].value is not None
    assert not [path for path in (tmp_path / "fine").iterdir() if path.name.startswith(".")]


BAD_TABLES = {
    "groups missing": (lambda t: t.assign(group=[None] * 6 + ["g"] * 6), "lack the group of 6 of 12"),
    "logits": (lambda t: t.assign(**{"p:benign": np.linspace(-5, 5, 12)}), "from -5 to 5 instead of 0 to 1"),
    "negative": (lambda t: t.assign(**{"p:benign": [-0.01, *t["p:benign"][1:]]}), "instead of 0 to 1"),
    "percent": (lambda t: t.assign(**{f"p:{name}": 100 * t[f"p:{name}"] for name in CLASSES}), "instead of 0 to 1"),
    "no sum": (lambda t: t.assign(**{"p:benign": 0.9}), "sum to"),
    "nan": (lambda t: t.assign(**{"p:benign": [np.nan, *t["p:benign"][1:]]}), "not numbers"),
    "infinite": (lambda t: t.assign(**{"p:benign": [np.inf, *t["p:benign"][1:]]}), "not numbers"),
    "text": (lambda t: t.assign(**{"p:benign": "0.3"}), "not numbers"),
    "twice": (lambda t: t.assign(case=["c0", "c0", *t.case[2:]]), "hold the case c0 twice"),
    "unknown label": (lambda t: t.assign(label=["cat", *t.label[1:]]), "label 'cat'"),
    "numbers for labels": (lambda t: t.assign(label=range(12)), "label that is no text"),
    "unknown split": (lambda t: t.assign(split="exam"), "split 'exam'"),
    "no flag": (lambda t: t.assign(copy_of_training=None), "lack the copy_of_training"),
    "words for flags": (lambda t: t.assign(copy_of_training="no"), "copy_of_training"),
    "empty": (lambda t: t.iloc[:0], "are empty"),
    "a probability unknown": (lambda t: t.assign(**{"p:benign": pd.array([None] + [0.3] * 11, dtype="Float32")}), "lack probabilities"),
    "pairs for probabilities": (lambda t: t.assign(**{"p:benign": [[0.1, 0.2]] * 12}), "not numbers"),
    "words for folds": (lambda t: t.assign(fold="x"), "hold a fold"),
    "endless folds": (lambda t: t.assign(fold=np.inf), "hold a fold"),
    "lists for folds": (lambda t: t.assign(fold=[[1]] * 12), "hold a fold"),
    "a fold beyond counting": (lambda t: t.assign(fold=2**62), "hold a fold"),
    "lists for groups": (lambda t: t.assign(group=[["g"]] * 12), "group that is no text"),
    "a nameless case": (lambda t: t.assign(case=["", *t.case[1:]]), "case that is empty"),
    "a nameless group": (lambda t: t.assign(group=""), "group that is empty"),
    "lines in a case": (lambda t: t.assign(case=["a\nb", *t.case[1:]]), "cannot be shown"),
    "another direction": (lambda t: t.assign(case=["a\u202eb", *t.case[1:]]), "cannot be shown"),
    "column missing": (lambda t: t.drop(columns="p:normal"), "lack the column p:normal"),
}


@pytest.mark.parametrize("name", BAD_TABLES)
def test_predictions_that_must_not_be_scored(tmp_path, name):
    change, word = BAD_TABLES[name]
    write_run(tmp_path / "bad", FACTS, change(table()))
    with pytest.raises(DatasetError, match=word) as fault:
        read_run("bad", tmp_path)
    assert "\n" not in str(fault.value) and "the run bad" in str(fault.value)


BAD_FACTS = {
    "classes null": ({"classes": None}, "classes"),
    "a list for the data set": ({"dataset": ["a"]}, "dataset"),
    "seed": ({"seed": "one"}, "seed"),
    "a class twice": ({"classes": ["benign", "malignant", "benign"]}, "twice"),
    "numbers for classes": ({"classes": [1, 2, 3]}, "classes.0"),
    "timings": ({"timings": 3}, "timings"),
    "schema": ({"schema": 99}, "update lungcad"),
    "schema text": ({"schema": "[/x]\n"}, "make the run again"),
    "protocol": ({"protocol": {}}, "protocol"),
    "no protocol of ours": ({"protocol": "exam"}, "protocol 'exam'"),
    "folds beyond counting": ({"folds": 10**17}, "folds"),
    "fewer than no folds": ({"folds": -1}, "folds"),
    "fewer than no images": ({"n_train": -5}, "n_train"),
    "a number for a shortcut": ({"shortcut": 5}, "shortcut"),
    "folds": ({"folds": []}, "folds"),
    "skipped": ({"skipped": "none"}, "skipped"),
    "colours of a terminal": ({"dataset": "a\x1b[31mred"}, "cannot be shown, in dataset"),
    "half of a character": ({"network": "\ud800"}, "is damaged"),
    "another direction": ({"timings": {"train\u202e": 1}}, "cannot be shown, in timings"),
    "lines": ({"left_out": ["a\nb"]}, "cannot be shown, in left_out"),
}


@pytest.mark.parametrize("name", BAD_FACTS)
def test_facts_that_are_not_what_they_should_be(tmp_path, name):
    changed, word = BAD_FACTS[name]
    write_run(tmp_path / "bad", FACTS, table())
    path = tmp_path / "bad" / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))
    with pytest.raises(DatasetError, match=word) as fault:
        read_run("bad", tmp_path)
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize("text", ["[" * 100_000, "null", "[]", "3", '{"schema": 2', '{"schema": 2}', "1" * 5000, "\udcff"])
def test_run_json_that_is_none(tmp_path, text):
    write_run(tmp_path / "bad", FACTS, table())
    (tmp_path / "bad" / "run.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(DatasetError):
        read_run("bad", tmp_path)


@pytest.mark.parametrize("file", ["predictions.parquet", "baselines.parquet"])
@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + bytes(100) + b"PAR1", b"words"])
def test_a_damaged_table(tmp_path, file, content):
    write_run(tmp_path / "bad", FACTS, table())
    (tmp_path / "bad" / file).write_bytes(content)
    with pytest.raises(DatasetError, match="damaged"):
        read_run("bad", tmp_path)


def test_baselines_are_checked_too(tmp_path):
    trivial = table()[["case", *(f"p:{name}" for name in CLASSES)]].assign(baseline="majority class")
    write_run(tmp_path / "bad", FACTS, table(), trivial.assign(**{"p:benign": 7.0}))
    with pytest.raises(DatasetError, match=r"baselines.*instead of 0 to 1"):
        read_run("bad", tmp_path)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda t: t.assign(baseline=3), "baseline that is no text"),
        (lambda t: t.assign(baseline=None), "baseline that is no text"),
        (lambda t: t.assign(baseline="a\nb"), "cannot be shown"),
        (lambda t: t.assign(case="elsewhere"), "the predictions lack"),
        (lambda t: pd.concat([t, t]), "a case twice"),
    ],
)
def test_baselines_of_other_cases_or_names(tmp_path, change, word):
    trivial = table()[["case", *(f"p:{name}" for name in CLASSES)]].assign(baseline="majority class")
    write_run(tmp_path / "fine", FACTS, table(), trivial)
    assert len(read_run("fine", tmp_path).baselines) == 12
    write_run(tmp_path / "bad", FACTS, table(), change(trivial))
    with pytest.raises(DatasetError, match=word):
        read_run("bad", tmp_path)


@pytest.mark.parametrize(
    "text",
    ["", "a,b\nx,y\n", "epoch,train_loss\n1,abc\n", "epoch,![x](http://y)\n1,2\n", ",".join(map(str, range(10_000))), '"', "\0\udcff"],
)
def test_learning_curves_that_are_none(tmp_path, text):
    write_run(tmp_path / "bad", FACTS, table())
    (tmp_path / "bad" / "history.csv").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(DatasetError, match=r"history\.csv of the run bad") as fault:
        read_run("bad", tmp_path)
    assert "\n" not in str(fault.value) and len(str(fault.value)) < 300


@pytest.mark.parametrize("file", ["predictions.parquet", "baselines.parquet", "history.csv", "run.json"])
def test_a_folder_or_a_device_in_a_files_place(tmp_path, file):
    for put in (lambda path: path.mkdir(), lambda path: path.symlink_to("/dev/zero"), lambda path: path.symlink_to("gone")):
        shutil.rmtree(tmp_path / "bad", ignore_errors=True)
        write_run(tmp_path / "bad", FACTS, table())
        (tmp_path / "bad" / file).unlink(missing_ok=True)
        put(tmp_path / "bad" / file)
        with pytest.raises(DatasetError):
            read_run("bad", tmp_path)


def test_a_folder_of_runs_with_names_of_any_kind(tmp_path):
    for name in ("fine", "a [b]", "[bold]"):
        write_run(tmp_path / name, FACTS, table())
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    assert list_runs(tmp_path) == ["[bold]", "a [b]", "fine"] and read_run("a [b]", tmp_path).name == "a [b]"
    with pytest.raises(DatasetError, match=r"no run.json"):
        read_run("empty", tmp_path)


def test_a_full_disk_leaves_the_run_that_was_there(tmp_path, monkeypatch):
    write_run(tmp_path / "run", FACTS, table())

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", full)
    for name in ("run", "new"):
        with pytest.raises(ValueError, match="disk is full"):
            write_run(tmp_path / name, FACTS | {"network": "other"}, table(6), history=table())
    assert len(read_run("run", tmp_path).predictions) == 12 and read_run("run", tmp_path).facts["network"] == "x"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
