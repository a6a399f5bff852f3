"""A head of concepts fitted to resting features, votes as targets, and nodules between the classes."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from lungcad.datasets import LIDC_NODULES
from lungcad.datasets.concepts import CONCEPTS, TABLE
from lungcad.errors import DatasetError, RecipeError
from lungcad.imaging.phantom import make_phantom
from lungcad.models.card import ModelCard
from lungcad.models.concept_head import ConceptHead
from lungcad.train.concept_probe import fit_concept_head
from lungcad.train.data import make_parts, rating_targets, read_images
from lungcad.train.recipe import Recipe
from lungcad.train.run import train
from lungcad.train.training_paths import TrainingPaths

NAMES = ("diameter_mm", "spiculation", "calcification")
SETTINGS = {
    "name": "toy-concepts",
    "dataset": "lidc-nodules",
    "backbone": "custom_cnn",
    "init": "scratch",
    "concepts": NAMES,
    "concept_weight": 4.0,
    "votes": True,
    "probe": 0,
    "epochs": 0,
    "preprocess": {"size": [64, 64], "crop": "none", "fit": "stretch"},
}


def recipe(**changes) -> Recipe:
    return Recipe.parse(SETTINGS | changes, "test", RecipeError)


@pytest.fixture(scope="module")
def lidc(tmp_path_factory):
    """48 patients with a nodule each: benign, malignant and indeterminate in turn, whose ratings follow the malignancy."""
    root = tmp_path_factory.mktemp("lidc")
    (root / "images").mkdir()
    crop = make_phantom(17, size=128).png()
    nodules = ["image,mask,patient,n_readers,malignancy,malignancy_mean,malignancy_median,mask_area_px"]
    attributes = ["image," + ",".join(CONCEPTS)]
    for number in range(48):
        name, score = f"images/{number}.png", (1, 5, 3)[number % 3]
        (root / name).write_bytes(crop)
        nodules.append(f"{name},none.png,P{number},2,{score} {score},{score}.0,{score}.0,30")
        rated = {"diameter_mm": f"{3 * score} {3 * score + 1}", "calcification": "6 6"} | {"spiculation": f"{score} {score}"}
        attributes.append(",".join([name, *(rated.get(concept, "2 3") for concept in CONCEPTS)]))
    (root / "nodules.csv").write_text("\n".join(nodules) + "\n")
    (root / TABLE).write_text("\n".join(attributes) + "\n")
    return root


def test_indeterminate_nodules_of_training_patients_train_too_and_only_those(lidc):
    plan = recipe()
    cases = LIDC_NODULES.read_folder(lidc, "binary", with_unclassed=True).cases
    parts = make_parts(LIDC_NODULES, read_images(cases, plan), plan)
    between = parts.unclassed
    assert len(between.cases) == 16 and {case.label for case in between.cases} == {"3.0"}
    held_out = {case.group for part in (parts.valid, parts.test) for case in part.cases}
    assert not held_out & {case.group for case in between.cases}
    assert torch.equal(between.votes, torch.full((16, 2), 0.5)) and set(parts.train.votes[:, 1].tolist()) == {0.0, 1.0}
    batches = list(parts.train.loader(plan.model_copy(update={"balance": False, "batch_size": 4}), training=True, unclassed=between))
    assert sum(len(batch[0]) for batch in batches) == len(parts.train.cases) + 16 and batches[0][1].shape == (4, 2)


def test_an_indeterminate_nodule_of_a_held_out_patient_stays_out(lidc):
    plan = recipe()
    cases = LIDC_NODULES.read_folder(lidc, "binary", with_unclassed=True).cases
    images = read_images(cases, plan)
    held_out = make_parts(LIDC_NODULES, images, plan).test.cases[0].group
    moved = [case if case.label != "3.0" else type(case)(**{**case.__dict__, "group": held_out}) for case in cases]
    images = replace(images, cases=moved)
    assert make_parts(LIDC_NODULES, images, plan).unclassed is None


def test_the_fitted_head_rates_and_answers_what_its_features_tell():
    rng, plan = torch.Generator().manual_seed(0), recipe()
    head = ConceptHead(6, NAMES, dropout=0.0)

    def part(n):
        size = torch.rand(n, generator=rng)
        features = torch.randn(n, 6, generator=rng) * 0.1
        features[:, 0] = size
        cases = [SimpleNamespace(ratings={"diameter_mm": (3 + 30 * float(each),), "spiculation": (1 + 4 * float(each),)}) for each in size]
        votes = torch.stack([1 - size, size], 1)
        return features, SimpleNamespace(labels=(size > 0.5).long(), votes=votes, ratings=rating_targets(cases, NAMES)), size

    (features, training, _), (valid, valid_part, size) = part(160), part(60)
    fit_concept_head(head, [features], [training], (valid, valid_part), plan)
    with torch.no_grad():
        rated = CONCEPTS["diameter_mm"].value(head.distributions(head.linear(valid))[0].numpy())
        log_odds = head.of_pooled(valid).diff(dim=1)[:, 0]
    assert np.corrcoef(rated, size)[0, 1] > 0.9 and np.corrcoef(log_odds, size)[0, 1] > 0.9


def test_a_recipe_of_a_probe_alone_writes_weights_card_and_run(lidc, tmp_path):
    plan = recipe()
    card = train(plan, TrainingPaths(lidc, tmp_path / "work", tmp_path / "weights", tmp_path / "runs"))
    assert card.concepts == NAMES and card.epochs_trained == 0 and card.n_train == 20
    assert ModelCard.read(tmp_path / "weights" / "toy-concepts.json") == card


def test_without_the_readers_ratings_the_training_says_what_is_missing(lidc, tmp_path):
    (tmp_path / "lidc").mkdir()
    for name in ("images", "nodules.csv"):
        (tmp_path / "lidc" / name).symlink_to(lidc / name)
    with pytest.raises(DatasetError, match=r"attributes\.csv"):
        train(recipe(), TrainingPaths(tmp_path / "lidc", tmp_path / "work", None, tmp_path / "runs"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"concepts": ["spikes"]}, "Unknown concept"),
        ({"task": "malignancy", "votes": False}, "two classes"),
        ({"loss": "focal"}, "votes"),
        ({"probe": None}, "epochs: 0"),
        ({"epochs": 3}, "resting backbone"),
    ],
)
def test_recipes_that_make_no_sense_are_refused(tmp_path, changes, said):
    import yaml

    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(SETTINGS | {"concepts": list(NAMES)} | changes))
    with pytest.raises(Exception, match=said):
        Recipe.read(path)
