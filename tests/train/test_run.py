"""A whole training on phantoms: small, but every step of it."""

import errno
import shutil

import cv2
import numpy as np
import pandas as pd
import pytest
import torch

from lungcad.analysis import analyse
from lungcad.datasets import CHEST_CT_SCAN
from lungcad.errors import DatasetError, LungcadError, RecipeError
from lungcad.evaluate.metric_table import summarise
from lungcad.evaluate.scoring import operating_points, report
from lungcad.evaluate.stores.runs import read_run
from lungcad.imaging.phantom import Edge, Lesion, make_phantom
from lungcad.models import load_model
from lungcad.preprocess import PreprocessConfig, See
from lungcad.train.data import make_parts, read_images
from lungcad.train.module import History
from lungcad.train.recipe import Recipe
from lungcad.train.run import TrainingPaths, cross_validate, train
from lungcad.train.work_folder import WholeCheckpointIO
from tests.conftest import CLASSES

RECIPE = Recipe(
    name="toy",
    backbone="efficientnet_lite0",
    attention="gate",
    epochs=2,
    frozen_epochs=1,
    batch_size=8,
    preprocess=PreprocessConfig(size=(64, 64)),
)
LESIONS = (Lesion((-10.0, -78.0), 44.0, Edge.SPICULATED), Lesion((10.0, -75.0), 30.0), None, Lesion((0.0, 84.0), 20.0))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """12 training, 4 validation and 4 test phantoms; one training and one validation image copy a test image."""
    root = tmp_path_factory.mktemp("data")

    def put(part, label, name, seed):
        class_folder = root / part / CLASSES[label]
        class_folder.mkdir(parents=True, exist_ok=True)
        grey = make_phantom(seed, size=128, lesion=LESIONS[label]).image().grey()
        shade = np.random.default_rng(seed).random((4, 4)).astype(np.float32)  # phantoms alone are near-duplicates of each other
        picture = (grey * cv2.resize(shade, grey.shape, interpolation=cv2.INTER_CUBIC).clip(0.1, 1) * 255).astype(np.uint8)
        (class_folder / name).write_bytes(cv2.imencode(".png", picture)[1].tobytes())

    for label in range(4):
        for index in range(3):
            put("train", label, f"{index}.png", 10 * label + index)
        put("valid", label, "v.png", 50 + label)
        put("test", label, "t.png", 70 + label)
    put("train", 2, "copy.png", 72)
    put("valid", 2, "copy.png", 72)
    (root / "train" / "normal" / "broken.png").write_bytes(b"no")
    return root


def training_paths(folder, tmp_path, **changes) -> TrainingPaths:
    return TrainingPaths(
        **{"data": folder, "work": tmp_path / "work", "weights": tmp_path / "weights", "runs": tmp_path / "runs"} | changes
    )


def test_copies_of_other_parts_are_left_out(folder):
    parts = make_parts(CHEST_CT_SCAN, read_images(CHEST_CT_SCAN.read(folder), RECIPE), RECIPE)
    assert len(parts.train.cases) == 12 and len(parts.valid.cases) == 4 and len(parts.test.cases) == 4
    assert "train/normal/copy.png" in parts.split.left_out
    assert parts.split.unreadable == ("train/normal/broken.png",)
    np.testing.assert_array_equal(parts.test.copies, [case.label == "normal" for case in parts.test.cases])
    assert "1 of 13 training images left out" in parts.split.description


def test_a_training_leaves_weights_card_and_run(folder, tmp_path):
    card = train(RECIPE, training_paths(folder, tmp_path))
    model = load_model("toy", folder=tmp_path / "weights")
    assert model.card == card and card.n_train == 12 and card.epochs_trained == 2 and "Apache-2.0" in card.initialised_with

    run = read_run("toy", tmp_path / "runs")
    probabilities = run.probabilities(run.test)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert summarise(run.labels(run.test), probabilities, CLASSES, groups=run.test.group) == card.test and card.test_without_copies.n == 3

    row = run.test.iloc[0]
    alone = analyse(folder / row.case, model, methods=()).prediction.probabilities
    np.testing.assert_allclose([alone[name] for name in CLASSES], probabilities[0], atol=0.02)

    assert len(run.history) == 2 and card.best_epoch == run.history.valid_auc.idxmax()
    assert run.facts["weights_sha256"] == card.sha256 and run.facts["schema"] == 3 and run.facts["skipped"] == ["train/normal/broken.png"]
    assert set(run.baselines.baseline) == {"majority class", "metadata only", "grey histogram"}


def test_a_killed_training_resumes_without_losing_an_epoch(folder, tmp_path, monkeypatch):
    recipe = RECIPE.model_copy(update={"epochs": 3, "patience": 3})
    finished = History.on_train_epoch_end

    def killed_in_the_third(self, trainer, module):
        if trainer.current_epoch == 2:
            raise KeyboardInterrupt
        finished(self, trainer, module)

    monkeypatch.setattr(History, "on_train_epoch_end", killed_in_the_third)
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        train(recipe, training_paths(folder, tmp_path))
    assert not (tmp_path / "weights").exists()
    monkeypatch.setattr(History, "on_train_epoch_end", finished)
    assert torch.load(tmp_path / "work" / "last.ckpt", weights_only=False)["epoch"] == 1  # the second, finished one
    card = train(recipe, training_paths(folder, tmp_path))
    assert card.epochs_trained == 3
    assert list(pd.read_csv(tmp_path / "runs" / "toy" / "history.csv").epoch) == [0, 1, 2]


def test_folds_are_pooled_and_a_finished_fold_is_not_trained_again(folder, tmp_path, monkeypatch):
    recipe = RECIPE.model_copy(update={"epochs": 1, "attention": "none"})
    run = cross_validate(recipe, training_paths(folder, tmp_path), 3)
    run_of_folds = read_run(run.name, tmp_path / "runs")
    assert run.name == "toy-folds" and sorted(run_of_folds.predictions.fold.unique()) == [0, 1, 2] and run_of_folds.facts["folds"] == 3
    assert not run_of_folds.test.case.duplicated().any() and len(run_of_folds.test) == 22  # all but the broken one
    assert not (tmp_path / "weights").exists()
    monkeypatch.setattr("lungcad.train.run._train_on", None)  # would fail if called
    cross_validate(recipe, training_paths(folder, tmp_path), 3)
    with pytest.raises(RecipeError, match="another split"):  # folds of another division do not mix with these
        cross_validate(recipe, training_paths(folder, tmp_path), 2)


def test_variants_keep_their_weights_to_themselves(folder, tmp_path):
    recipe = RECIPE.variant(protocol="published", seed=3).model_copy(update={"epochs": 1})
    card = train(recipe, training_paths(folder, tmp_path, weights=None))
    assert card.name == "toy-published-seed3" and card.protocol == "published" and card.n_train == 13  # with the leak
    assert (tmp_path / "work" / "weights" / "toy-published-seed3.safetensors").exists() and not (tmp_path / "weights").exists()


def test_a_work_folder_belongs_to_one_recipe(folder, tmp_path):
    recipe = RECIPE.model_copy(update={"epochs": 1, "attention": "none"})
    train(recipe, training_paths(folder, tmp_path))
    with pytest.raises(RecipeError, match=r"another recipe.*--work"):
        train(recipe.model_copy(update={"learning_rate": 1e-4}), training_paths(folder, tmp_path))


def test_a_validation_part_of_one_class_is_refused(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "data")
    for label in CLASSES[1:]:
        shutil.rmtree(tmp_path / "data" / "valid" / label)
    with pytest.raises(DatasetError, match="one class only"):
        train(RECIPE, training_paths(tmp_path / "data", tmp_path))


def test_a_recipe_without_the_lungs_says_so_where_none_are_found(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "data")
    for path in (tmp_path / "data").rglob("*.png"):
        path.write_bytes(cv2.imencode(".png", np.full((64, 64), 40, np.uint8))[1].tobytes())
    recipe = RECIPE.model_copy(update={"preprocess": RECIPE.preprocess.model_copy(update={"see": See.NO_LUNGS})})
    with pytest.raises(DatasetError, match=r"found for certain in 0 of \d+ slices.*see: no-lungs"):
        train(recipe, training_paths(tmp_path / "data", tmp_path))


def test_a_full_disk_is_one_sentence(folder, tmp_path, monkeypatch):
    honest = WholeCheckpointIO.save_checkpoint

    def on_a_full_disk(*asked, **options):
        def full(_):
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr("os.fsync", full)
            honest(*asked, **options)

    monkeypatch.setattr(WholeCheckpointIO, "save_checkpoint", on_a_full_disk)
    with pytest.raises(LungcadError, match=r"disk is full.*resumes"):
        train(RECIPE, training_paths(folder, tmp_path))


def test_a_class_without_images_is_named(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "data")
    shutil.rmtree(tmp_path / "data" / "train" / "adenocarcinoma")
    (tmp_path / "data" / "train" / "adenocarcinoma").mkdir()
    with pytest.raises(DatasetError, match="no readable image of adenocarcinoma"):
        train(RECIPE, training_paths(tmp_path / "data", tmp_path))


def test_grades_are_trained_with_the_ordinal_loss(tmp_path):
    """LIDC's malignancy 1 to 5: brighter nodules are more suspicious; a patient has two of them."""
    rng = np.random.default_rng(0)
    rows = ["image,mask,patient,nodule,slice,n_slices,n_readers,malignancy,malignancy_mean,malignancy_median,mask_area_px"]
    (tmp_path / "lidc" / "images").mkdir(parents=True)
    for index in range(100):
        grade = index // 2 % 5 + 1
        texture = cv2.resize(rng.random((6, 6)), (64, 64)) * 100 + 30 * grade
        cv2.imwrite(str(tmp_path / "lidc" / "images" / f"{index}.png"), texture.clip(0, 255).astype(np.uint8))
        rows.append(f"images/{index}.png,masks/{index}.png,P{index // 2},0,0,1,4,x,{grade},{grade}.0,{50 * grade + index % 7}")
    (tmp_path / "lidc" / "nodules.csv").write_text("\n".join(rows))
    recipe = Recipe(
        name="grades",
        dataset="lidc-nodules",
        task="malignancy",
        backbone="custom_cnn",
        init="scratch",
        loss="ordinal",
        schedule="plateau",
        ema=0.5,
        epochs=2,
        frozen_epochs=0,
        batch_size=16,
        preprocess=PreprocessConfig(size=(64, 64), crop="none"),
    )
    card = train(recipe, training_paths(tmp_path / "lidc", tmp_path))
    run = read_run("grades", tmp_path / "runs")
    assert card.classes == ("1", "2", "3", "4", "5") and card.operating_point is None and card.sensitive_point is None
    assert "nodule area" in set(run.baselines.baseline) and "kappa" in report(run) and operating_points(run) == []
    assert run.predictions.groupby("group").split.nunique().max() == 1
