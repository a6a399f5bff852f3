import json

import numpy as np
import pytest

from lungcad.analysis import analyse
from lungcad.errors import DatasetError, UnknownNameError
from lungcad.evaluate.folder import count_seen_in_training, evaluate_folder
from lungcad.evaluate.stores.runs import prediction_table, write_run
from lungcad.imaging.phantom import make_phantom
from tests.conftest import CLASSES


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Eight test phantoms, four training ones that must not count, and a damaged file."""
    root = tmp_path_factory.mktemp("published")
    for index in range(12):
        part = "test" if index < 8 else "train"
        suffix = "" if part == "test" else "_left.hilum_T1_N0_M0_Ia"
        class_folder = root / part / (CLASSES[index % 4] + suffix)
        class_folder.mkdir(parents=True, exist_ok=True)
        (class_folder / f"{index}.png").write_bytes(make_phantom(index, size=96).png())
    (root / "test" / "normal" / "broken.png").write_bytes(b"\x89PNG nothing")
    return root


def test_reads_the_test_part_and_agrees_with_single_predictions(toy, folder):
    evaluation = evaluate_folder(toy, folder, "chest-ct-scan")
    assert evaluation.result.n == 8 and [case for case, _ in evaluation.skipped] == ["test/normal/broken.png"]
    for case, row in zip(evaluation.cases, evaluation.probabilities, strict=True):
        single = analyse(case.path, toy, methods=()).prediction.probabilities
        np.testing.assert_allclose(row, list(single.values()), atol=0.01)  # bfloat16 rounds batches differently


def test_images_that_the_network_was_trained_on_are_counted(toy, folder, tmp_path):
    """The run knows half of the cases as its test part; the folder's other cases must have been seen."""
    cases = evaluate_folder(toy, folder, "chest-ct-scan").cases
    table = prediction_table(cases[:4], "test", np.full((4, 4), 0.25), CLASSES, np.zeros(4, bool))
    write_run(tmp_path / "toy", {"classes": list(CLASSES)}, table)
    card = toy.card.model_copy(update={"run": "data/runs/toy"})
    assert count_seen_in_training(card, cases, tmp_path) == 4 and count_seen_in_training(card, cases[:4], tmp_path) == 0
    assert count_seen_in_training(card, cases[4:], tmp_path) == 0  # another folder, as far as one can tell
    assert count_seen_in_training(toy.card, cases, tmp_path) is None and count_seen_in_training(card, cases, tmp_path / "nowhere") is None


def test_json_has_the_promised_keys(toy, folder):
    values = json.loads(json.dumps(evaluate_folder(toy, folder, "chest-ct-scan").to_dict(), allow_nan=False))
    assert {"n", "accuracy", "macro_f1", "auc", "recall", "intervals", "images_per_second"} <= set(values)
    assert set(values["recall"]) == set(CLASSES) and len(values["intervals"]["accuracy"]) == 2


def test_a_folder_without_parts_and_a_part_itself(toy, folder):
    assert evaluate_folder(toy, folder / "test", "chest-ct-scan").result.n == 8


@pytest.mark.parametrize(("arguments", "word"), [(("nowhere", "chest-ct-scan"), "no folder"), ((".", "chest-ct-scan"), "no images")])
def test_wrong_folders(toy, tmp_path, arguments, word):
    with pytest.raises(DatasetError, match=word):
        evaluate_folder(toy, tmp_path / arguments[0], arguments[1])


def test_unknown_layout(toy, folder):
    with pytest.raises(UnknownNameError, match="chest-ct-scan"):
        evaluate_folder(toy, folder, "imagenet")


def test_progress_counts_every_case(toy, folder):
    progress = []
    evaluate_folder(toy, folder, "chest-ct-scan", lambda done, total: progress.append((done, total)))
    assert progress[-1] == (9, 9)
