"""One training, from recipe to weights, card and evaluation run."""

import platform
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint

import lungcad
from lungcad.datasets import LAYOUTS
from lungcad.device import best_device
from lungcad.evaluate.calibration import fit_temperature, youden_point
from lungcad.evaluate.metrics import summarise
from lungcad.evaluate.runs import prediction_table, write_run
from lungcad.models.backbones import load_imagenet
from lungcad.models.card import ModelCard
from lungcad.models.cards_readme import write_readme
from lungcad.models.classifier import create_model
from lungcad.models.predict import features
from lungcad.models.weights import list_cards, load_model, save_weights
from lungcad.preprocess import normalise
from lungcad.train.data import Part, Parts, read_parts
from lungcad.train.module import History, TrainingModule
from lungcad.train.recipe import Recipe

NEGATIVE = "normal"
LIMITS = (
    "Research only, not for clinical use. Trained on a few hundred web images of one public collection; no patient ids, so "
    "slices of one patient may stand in several parts. The normal class comes from other scanners and windows than the "
    "cancer classes, so part of its accuracy may be recognition of the source."
)


def train(
    recipe: Recipe,
    *,
    data: Path,
    work: Path,
    weights: Path,
    runs: Path,
    on_progress: Callable[[int, int], None] | None = None,
    progress_bar: bool = False,
) -> ModelCard:
    """Train, choose the checkpoint on validation, calibrate, test, and write ``weights/NAME.*`` and ``runs/NAME/``.

    data: folder laid out as the recipe's data set. work: checkpoints and logs; a second call with the same folder
    resumes after the last finished epoch.
    """
    layout = LAYOUTS[recipe.dataset]
    device = best_device()
    parts = read_parts(layout.read(data), layout.classes, recipe, on_progress)

    pl.seed_everything(recipe.seed, workers=True, verbose=False)
    network = create_model(recipe.backbone, recipe.attention, len(layout.classes), dropout=recipe.dropout)
    initialised_with = f"random weights (seed {recipe.seed}): no pretrained weights were used"
    if recipe.init == "imagenet":
        initialised_with = load_imagenet(network.features, recipe.backbone)

    best_epoch, epochs, history = _fit(network, recipe, parts, device, work, progress_bar)

    weights.mkdir(parents=True, exist_ok=True)
    sha256 = save_weights(network, weights / f"{recipe.name}.safetensors")
    card = ModelCard(
        name=recipe.name,
        backbone=recipe.backbone,
        attention=recipe.attention,
        dataset=recipe.dataset,
        classes=layout.classes,
        preprocess=recipe.preprocess,
        initialised_with=initialised_with,
        split=parts.description,
        n_train=len(parts.train.cases),
        n_valid=len(parts.valid.cases),
        seed=recipe.seed,
        epochs_trained=epochs,
        best_epoch=best_epoch,
        temperature=1.0,
        operating_point=None,
        test_published=None,
        test_without_copies=None,
        limits=LIMITS,
        licence=f"MIT (weights); data: {layout.publisher}, {layout.licence}",
        trained_on=f"{platform.machine()} {device.torch.type}, {device.precision}, torch {torch.__version__}, lungcad {lungcad.__version__}",
        run=f"data/runs/{recipe.name}",
        sha256=sha256,
    )
    card_path = weights / f"{recipe.name}.json"
    card.write(card_path)
    card, table = _calibrate_and_test(card, parts, weights)
    card.write(card_path)
    write_readme(weights, list_cards(weights))
    facts = {"network": card.name, "weights_sha256": sha256, "dataset": card.dataset, "protocol": "published", "split": card.split,
             "seed": card.seed, "code": lungcad.__version__, "machine": card.trained_on, "skipped": list(parts.skipped)}  # fmt: skip
    write_run(runs / recipe.name, facts, table, history)
    return card


def _fit(network, recipe: Recipe, parts: Parts, device, work: Path, progress_bar: bool) -> tuple[int, int, pd.DataFrame]:
    """Train ``network`` in place and leave the best checkpoint in it: (best epoch, epochs trained, learning curves)."""
    loader = parts.train.loader(recipe, training=True)
    module = TrainingModule(network, recipe, steps_per_epoch=len(loader))
    pl.seed_everything(recipe.seed, workers=True, verbose=False)  # the same augmentation for both networks of a pair
    every_epoch = {"save_on_train_epoch_end": True, "enable_version_counter": False}
    best = ModelCheckpoint(work, filename="best", monitor="valid_loss", mode="min", **every_epoch)
    latest = ModelCheckpoint(work, filename="last", **every_epoch)  # save_last of the other would keep the last *best* only
    history = History()
    trainer = pl.Trainer(
        max_epochs=recipe.epochs,
        accelerator=device.torch.type,
        devices="auto" if device.torch.type == "cuda" else 1,
        precision=device.lightning_precision,
        callbacks=[history, best, latest, EarlyStopping("valid_loss", patience=recipe.patience)],
        logger=False,
        enable_progress_bar=progress_bar,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        gradient_clip_val=1.0,
    )
    last = work / "last.ckpt"
    trainer.fit(module, loader, parts.valid.loader(recipe, training=False), ckpt_path=str(last) if last.exists() else None)
    checkpoint = torch.load(best.best_model_path, map_location="cpu", weights_only=False)
    module.load_state_dict(checkpoint["state_dict"])
    return int(checkpoint["epoch"]), len(history.rows), pd.DataFrame(history.rows)


def _calibrate_and_test(card: ModelCard, parts: Parts, weights: Path) -> tuple[ModelCard, pd.DataFrame]:
    """On the float16 weights as shipped: temperature and operating point on validation, then the test part once."""
    model = load_model(card.name, folder=weights)

    def logits_of(part: Part) -> np.ndarray:
        with torch.no_grad():
            batches = [
                model.network.classify(features(model, normalise(grey.float() / 255, card.preprocess)))[0] for grey in part.grey.split(32)
            ]
        return torch.cat(batches).cpu().numpy()

    valid_logits, test_logits = logits_of(parts.valid), logits_of(parts.test)
    valid_labels, test_labels = parts.valid.labels.numpy(), parts.test.labels.numpy()
    temperature = fit_temperature(valid_logits, valid_labels)
    valid, test = (torch.from_numpy(each / temperature).softmax(1).numpy() for each in (valid_logits, test_logits))
    kept = ~parts.test.copies
    card = card.model_copy(
        update={
            "temperature": temperature,
            "operating_point": youden_point(valid_labels, valid, card.classes, NEGATIVE),
            "test_published": summarise(test_labels, test, card.classes),
            "test_without_copies": summarise(test_labels[kept], test[kept], card.classes),
        }
    )
    table = pd.concat(
        prediction_table(
            [case.id for case in part.cases], name, [case.label for case in part.cases], probabilities, card.classes, part.copies
        )
        for name, part, probabilities in (("valid", parts.valid, valid), ("test", parts.test, test))
    )
    return card, table
