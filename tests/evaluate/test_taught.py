"""None beside gate beside taught gate, and better nodule networks: numbers on made-up rows of which the answer is known, and the page made of them."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from lungcad.cli import app
from lungcad.datasets import Case, Dataset, Split
from lungcad.errors import DatasetError, LungcadError
from lungcad.evaluate.nodule_candidates import BOTH, DIAMETER, SINGLE, TOGETHER, TURNED, answers, candidate_rows
from lungcad.evaluate.stores.taught import ANSWERS, LOCALISATION, read_table, write_table
from lungcad.evaluate.taught import ARMS, TODAY, TODAY_NETWORK, localise_moved, taught_facts
from lungcad.models.classifier import create_model
from lungcad.models.turned import ALL_TURNS
from lungcad.models.weights import ready
from lungcad.preprocess import PreprocessConfig
from lungcad.publish.taught_tables import candidate_sentences, taught_readme
from tests.conftest import make_card
from tests.evaluate.sample_runs import make_run

CLASSES = ("benign", "malignant")


def nodule_network(attention):
    card = make_card(f"tiny-{attention}", "custom_cnn", attention, "", preprocess=PreprocessConfig(size=(64, 64), crop="none"))
    torch.manual_seed(0)
    return ready(
        create_model("custom_cnn", attention, 2).eval(),
        card.model_copy(update={"classes": CLASSES, "dataset": "lidc-nodules", "task": "binary"}),
    )


@pytest.fixture(scope="module")
def networks():
    return {(TODAY, 0): nodule_network("none"), ("taught gate", 0): nodule_network("fine_gate")}


@pytest.fixture(scope="module")
def nodules(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("nodules"), np.random.default_rng(0)
    cases = []
    for index in range(3):
        votes = np.zeros((64, 64), np.uint8)
        if index < 2:
            votes[28:36, 28:36] = 3
        for name, pixels in (("image", rng.integers(0, 255, (64, 64)).astype(np.uint8)), ("mask", votes)):
            Image.fromarray(pixels).save(folder / f"{name}{index}.png")
        cases.append(
            Case(id=f"c{index}", path=folder / f"image{index}.png", label=CLASSES[index % 2], split=None, group=f"p{index}",
                 mask=folder / f"mask{index}.png", facts={"n_readers": 3.0}, ratings={"diameter_mm": (6.0, 8.0)})
        )  # fmt: skip
    return cases


def test_every_network_is_asked_about_the_same_moved_crop_and_nodules_without_contour_are_left_out(networks, nodules):
    table = localise_moved(networks, nodules)
    assert set(table.case) == {"c0", "c1"} and len(table) == 2 * (3 + 4)
    assert set(table[table.arm == TODAY].method) == {"gradcam", "random", "centre"}
    control = table[table.method == "random"].pivot(index="case", columns="arm", values="energy_inside")
    assert (control[TODAY] - control["taught gate"]).abs().max() < 1e-9
    assert ((table.energy_inside >= 0) & (table.energy_inside <= 1)).all()
    pd.testing.assert_frame_equal(table, localise_moved(networks, nodules))


def test_turned_answers_and_readers_are_kept_with_each_case(networks, nodules):
    table = answers({("tiny", 0): networks[TODAY, 0]}, {Split.VALID: nodules[:1], Split.TEST: nodules[1:]})
    assert len(table) == 3 * ALL_TURNS and set(table.diameter_mm) == {7.0} and set(table.readers) == {3}
    of_one = table[table.case == "c1"].sort_values("turn").malignant
    assert of_one.between(0, 1).all() and of_one.nunique() > 1
    assert set(table[table.split == "valid"].case) == {"c0"}


@pytest.fixture
def trainings(networks, nodules, tmp_path, monkeypatch):
    """The command's folder of trainings, with a made-up run and network of each arm; the nodules are test cases, two of them validation cases as well."""
    for name in ARMS.values():
        (tmp_path / name / "weights").mkdir(parents=True)
        (tmp_path / name / "weights" / f"{name}.json").touch()

    def run_of(name, root=None):
        run = make_run(name, n=5, ids=["c0", "c1", "c0", "c1", "c2"])
        table = run.predictions.assign(split=["valid"] * 2 + ["test"] * 3, label=[CLASSES[index] for index in (0, 1, 0, 1, 0)])
        return dataclasses.replace(run, predictions=table, facts={**run.facts, "weights_sha256": networks[TODAY, 0].card.sha256})

    monkeypatch.setattr("lungcad.evaluate.stores.runs.read_run", run_of)
    monkeypatch.setattr("lungcad.evaluate.stores.runs.read_seeds", lambda name, root: [run_of(name)])
    monkeypatch.setattr("lungcad.models.load_model", lambda name, **_: networks["taught gate" if name == ARMS["taught gate"] else TODAY, 0])
    monkeypatch.setattr(Dataset, "read", lambda self, root, task: nodules)
    return tmp_path


def test_the_command_measures_every_network_and_writes_rows_and_page(trainings):
    out = trainings / "out"
    done = CliRunner().invoke(app, ["taught", "--data", str(trainings), "--work", str(trainings), "--out", str(out)])
    assert done.exit_code == 0, done.exception
    assert set(read_table(LOCALISATION, out).arm) == {TODAY, *ARMS}
    assert set(read_table(ANSWERS, out).recipe) == {TODAY_NETWORK, ARMS["none"]}
    page = (out / "README.md").read_text("utf-8")
    assert "Best on validation" in page and all(line in page for line in done.stdout.splitlines())


def test_one_arm_is_measured_anew_and_the_others_rows_stay(trainings):
    out = trainings / "out"
    command = ["taught", "--data", str(trainings), "--work", str(trainings), "--out", str(out)]
    assert CliRunner().invoke(app, command).exit_code == 0
    whole = read_table(LOCALISATION, out).sort_values(
        "arm", key=lambda arms: arms.map([TODAY, *ARMS].index), kind="stable", ignore_index=True
    )
    write_table(whole.assign(pointing_game=whole.pointing_game.mask(whole.arm.isin(["none", "gate"]), 9.0)), LOCALISATION, out)
    done = CliRunner().invoke(app, [*command, "--arm", "gate"])
    assert done.exit_code == 0, done.exception
    kept = whole.pointing_game.mask(whole.arm == "none", 9.0)
    pd.testing.assert_frame_equal(read_table(LOCALISATION, out), whole.assign(pointing_game=kept))


def test_weights_that_are_missing_or_are_not_the_runs_are_one_sentence(trainings, monkeypatch):
    monkeypatch.setattr("lungcad.models.load_model", lambda name, **_: SimpleNamespace(card=SimpleNamespace(sha256="other")))
    monkeypatch.setattr("lungcad.cli.taught.WEIGHTS", trainings / "no weights")
    for change, sentence in (
        (lambda: None, "of other weights"),
        ((trainings / ARMS["none"] / "weights" / f"{ARMS['none']}.json").unlink, "not shipped"),
    ):
        change()
        failed = CliRunner().invoke(app, ["taught", "--data", str(trainings), "--work", str(trainings), "--out", str(trainings / "out")])
        assert isinstance(failed.exception, LungcadError) and sentence in str(failed.exception)
        assert f"train weights/{ARMS['none']}.yaml'" in str(failed.exception)


def localisation_rows():
    peaks = {(TODAY, "gradcam"): (0.0, 0.02), ("taught gate", "attention"): (1.0, 0.08), ("taught gate", "random"): (0.0, 0.01),
             ("taught gate", "centre"): (0.5, 0.02)}  # fmt: skip
    return pd.DataFrame(
        [
            {"arm": arm, "seed": seed, "case": f"c{i}", "group": f"g{i // 2}", "area_px": 40, "method": method, "pointing_game": pointing,
             "energy_inside": energy * (1 + seed)}
            for (arm, method), (pointing, energy) in peaks.items() for seed in ((0,) if arm == TODAY else (0, 1)) for i in range(20)
        ]
    )  # fmt: skip


@pytest.fixture(scope="module")
def facts():
    runs = {
        arm: [make_run(f"{name}{seed}", shift=0.4 * index, seed=seed) for seed in range(3)]
        for index, (arm, name) in enumerate(ARMS.items())
    }
    return taught_facts(runs, localisation_rows())


def test_the_mask_is_held_to_grad_cam_before_and_to_both_controls(facts):
    aims = facts["aims"]
    assert aims["pointing_game"]["value"] == 1.0
    assert aims["energy_ratio"]["value"] == pytest.approx(6.0)  # 0.08 × mean of 1 and 2, over 0.02
    assert aims["above_controls"]["centre"]["pointing_game"]["low"] == 0.5
    mask = next(row for row in facts["localisation"] if row["method"] == "attention")
    assert mask["n"] == 20 and [seed["energy_inside"] for seed in mask["by_seed"].values()] == [0.08, 0.16]
    assert len(facts["test"]) == 9 and {(row["first"], row["second"]) for row in facts["differences"]} == {
        ("none", "gate"), ("none", "taught gate"), ("gate", "taught gate"),
    }  # fmt: skip
    gain = next(row for row in facts["differences"] if row["second"] == "taught gate" and row["metric"] == "ROC-AUC")
    assert gain["difference"] == pytest.approx(gain["second_value"] - gain["first_value"], abs=1e-4)


def answer_rows():
    """Two seeds that are each right where the other is wrong, and quarter turns that are always right."""
    rows = []
    for split in ("valid", "test"):
        for i in range(24):
            truth = i % 2
            for seed in (0, 1):
                for turn in range(4):
                    fooled = turn == 0 and i % 4 // 2 == seed
                    rows.append(
                        {"recipe": "x", "seed": seed, "split": split, "case": f"{split}{i}", "group": f"{split}{i}", "label": CLASSES[truth],
                         "readers": 1 + i % 4, "diameter_mm": 5.0 + (i if truth else 0), "turn": turn,
                         "malignant": 0.5 + (truth - 0.5) * (-0.3 if fooled else 0.8)}
                    )  # fmt: skip
    return pd.DataFrame(rows)


def test_turns_and_seeds_are_averaged_and_the_best_on_validation_comes_first():
    rows = candidate_rows(answer_rows())
    by_way = {row["way"]: row for row in rows}
    assert by_way[SINGLE]["valid"]["value"] < 1 and all(by_way[way]["valid"]["value"] == 1 for way in (TURNED, TOGETHER, BOTH))
    assert rows[-2]["way"] == SINGLE and rows[-1]["recipe"] == DIAMETER
    assert by_way[SINGLE]["n"] == {"valid": 24, "all": 24, "3 or more": 12}
    assert candidate_sentences(rows)[1].endswith("aim at least 0.91: reached.")


def test_the_readme_says_what_is_missed_and_by_how_much(facts):
    low = {**facts, "aims": {**facts["aims"], "pointing_game": {"aim": 0.6, "value": 0.5, "low": 0.4, "high": 0.6}}}
    text = taught_readme(low, candidate_rows(answer_rows()))
    assert (
        "aim at least 0.6: missed by 0.100" in text and "aim at least 3: reached" in text and "Above the control Centred Gaussian" in text
    )


def test_missing_rows_are_one_sentence(tmp_path):
    with pytest.raises(DatasetError, match=r"localisation\.parquet in data/taught is missing or damaged"):
        read_table(LOCALISATION, tmp_path)
    write_table(answer_rows(), ANSWERS, tmp_path)
    assert len(read_table(ANSWERS, tmp_path)) == len(answer_rows())
