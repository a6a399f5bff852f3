"""Commands about data sets: evaluate, audit, data, train, index."""

import json
import shutil

import numpy as np

import lungcad.models.card
import lungcad.models.weights
from lungcad.imaging.phantom import make_phantom
from lungcad.models import ModelCard
from tests.cli.conftest import MODEL
from tests.conftest import CLASSES


def test_evaluate(run, tmp_path):
    for index, name in enumerate(CLASSES):
        (tmp_path / "test" / name).mkdir(parents=True)
        (tmp_path / "test" / name / "a.png").write_bytes(make_phantom(index, size=96).png())
    status, out, _ = run("evaluate", "--model", MODEL, "--data", tmp_path, "--layout", "chest-ct-scan", "--json")
    values = json.loads(out)
    assert status == 0 and values["n"] == 4 and set(values["recall"]) == set(CLASSES)
    assert "accuracy" in run("evaluate", "--model", MODEL, "--data", tmp_path)[1]


def test_an_evaluation_never_tests_on_training_images_in_silence(run, tmp_path):
    for part, n in (("A", 2), ("B", 1)):
        for index, label in enumerate(CLASSES):
            place = tmp_path / part / label
            place.mkdir(parents=True)
            for number in range(n):
                (place / f"{number}.png").write_bytes(make_phantom(10 * index + number, size=96).png())
    common = ("evaluate", "--model", MODEL, "--data")
    status, out, err = run(*common, tmp_path, "--json")
    assert status == 0 and json.loads(out)["n"] == 12 and "--parts" in err and any("--parts" in note for note in json.loads(out)["notes"])
    status, out, err = run(*common, tmp_path, "--parts", "A=training,b=test", "--json")
    assert status == 0 and json.loads(out)["n"] == 4 and "which of them trains" not in err
    assert run(*common, tmp_path, "--parts", "A=train,C=test")[0] == 2
    (tmp_path / "A").rename(tmp_path / "Training")
    status, out, err = run(*common, tmp_path / "Training", "--json")
    assert status == 0 and "train part" in err
    (tmp_path / "B").rename(tmp_path / "Testing")
    assert json.loads(run(*common, tmp_path, "--json")[1])["n"] == 4


def test_audit_has_the_promised_keys(run, leaky):
    status, out, _ = run("audit", leaky, "--json")
    values = json.loads(out)
    keys = {"n_images", "duplicate_groups", "leaks", "label_conflicts", "unreadable", "metadata_only", "seconds"}
    assert status == 0 and keys <= set(values) and values["n_images"] == 25
    assert values["leaks"] == [{"split": "test", "class": "normal", "n": 1, "share": 0.3333}]
    assert "1 groups of copies" in run("audit", leaky)[1]


def test_data_info_counts_both_protocols(run, leaky):
    status, out, _ = run("data", "info", "chest-ct-scan", "--data", leaky, "--json")
    values = json.loads(out)
    parts = {protocol: {row["split"]: row for row in each["parts"]} for protocol, each in values["protocols"].items()}
    assert status == 0 and parts["published"]["test"]["copies_of_training"] == 1 and parts["published"]["train"]["n"] == 8
    assert parts["grouped"]["train"]["n"] == 7 and values["licence"] == "ODbL 1.0"
    assert "ODbL" in run("data", "info", "chest-ct-scan", "--data", leaky)[1]


def test_train_with_another_seed_keeps_its_run_only(run, leaky, tmp_path):
    recipe = tmp_path / "toy.yaml"
    recipe.write_text(
        "name: toy\nbackbone: custom_cnn\ninit: scratch\nepochs: 1\nfrozen_epochs: 0\nbatch_size: 4\npreprocess: {size: [64, 64], crop: none}\n"
    )
    (leaky / "train" / "normal" / "broken.png").write_bytes(b"no")
    places = ("--data", leaky, "--work", tmp_path / "work", "--out", tmp_path / "out", "--runs", tmp_path / "runs")
    status, out, err = run("train", recipe, *places, "--seed", 5)
    assert status == 0 and "toy-seed5: test accuracy" in out and "skipped train/normal/broken.png" in err
    assert (tmp_path / "runs" / "toy-seed5" / "run.json").exists() and not (tmp_path / "out").exists()
    status, _, err = run("train", recipe, *places, "--protocol", "nope")
    assert status == 2 and "choose one of: published, grouped" in err


def test_index_embeds_the_training_cases(run, leaky, weights_folder, tmp_path, monkeypatch):
    status, _, err = run("index", "--model", MODEL, "--data", leaky, "--out", tmp_path)
    assert status == 2 and "was trained on 1" in err  # the toy's card says one case: not its data
    folder = shutil.copytree(weights_folder, tmp_path / "weights")
    card = ModelCard.read(folder / f"{MODEL}.json")
    card.model_copy(update={"n_train": 7}).write(folder / f"{MODEL}.json")  # 8 images, one left out as a copy of a test image
    monkeypatch.setitem(lungcad.models.weights.load_model.__kwdefaults__, "folder", folder)
    status, out, _ = run("index", "--model", MODEL, "--data", leaky, "--out", tmp_path)
    assert status == 0 and "7 training cases" in out
    with np.load(tmp_path / f"{MODEL}.npz", allow_pickle=False) as index:
        assert len(index["vectors"]) == 7 and "train/normal/0.png" not in index["cases"]
        assert sorted(index["test_cases"]) == sorted(path.relative_to(leaky).as_posix() for path in (leaky / "test").rglob("*.png"))
