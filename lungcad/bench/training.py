"""Entries about training: against a plain loop, and what slow gradients cost."""

import tempfile
import time
from dataclasses import replace
from pathlib import Path

import torch

from lungcad.bench import plain
from lungcad.bench.entry import Row, entry
from lungcad.bench.timing import baseline_model, folder_of, median_seconds, phantom_folder, weights_of
from lungcad.datasets import CHEST_CT_SCAN
from lungcad.device import best_device
from lungcad.errors import LungcadError
from lungcad.models import create_model
from lungcad.train.data import parts_in_order, read_images
from lungcad.train.depthwise import speed_up_depthwise
from lungcad.train.fit import fit
from lungcad.train.recipe import Monitor, Recipe


@entry(seconds=180)
def train_vs_plain_loop(data: Path | None) -> Row:
    """Training EfficientNet-Lite0, all layers, three epochs with reading, against a plain loop over PIL and torchvision (higher is better; aim: at least 2.5)."""
    model, epochs = baseline_model(), 3
    recipe = Recipe(
        name="bench",
        backbone=model.card.backbone,
        init="scratch",
        preprocess=model.card.preprocess,
        epochs=epochs,
        frozen_epochs=0,
        balance=False,
        monitor=Monitor.LOSS,
    )
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        published = folder_of(CHEST_CT_SCAN, data)
        folder = published or phantom_folder(work / "data", model.card.classes, n=160)
        cases = [replace(case, split=None) for case in CHEST_CT_SCAN.read(folder)][:256]
        training, validating = cases[:-32], cases[-32:]
        read_images(cases, recipe)  # both sides with a warm file cache
        start = time.perf_counter()
        parts = parts_in_order(read_images(cases, recipe), model.card.classes, len(training))
        network = create_model(recipe.backbone, "none", len(model.card.classes))
        _, trained, _ = fit(network, recipe, parts, work / "checkpoints", progress_bar=False)
        if trained != epochs:
            raise LungcadError(f"The training stopped after {trained} of {epochs} epochs; the measurement would be wrong.")
        ours = epochs * len(training) / (time.perf_counter() - start)
        train_pairs, valid_pairs = ([(case.path, model.card.classes.index(case.label)) for case in part] for part in (training, validating))
        other = plain.in_fresh_process(
            plain.training_images_per_second, weights_of(model), train_pairs, valid_pairs, epochs, recipe.batch_size
        )
    return {
        "ours": ours, "plain": other, "ratio": ours / other, "unit": "images/s", "images": len(training), "epochs": epochs,
        "data": CHEST_CT_SCAN.name if published else "phantoms", "precision": model.device.precision,
    }  # fmt: skip


@entry(seconds=15)
def depthwise_gradient(_: Path | None) -> Row:
    """A training step of EfficientNet-Lite0, batch of 16, in the device's precision: depthwise gradients in float32 against oneDNN's own (lower is better)."""
    device = best_device()
    model = baseline_model()
    inputs = device.put_inputs(torch.rand(16, 3, *model.card.preprocess.size))
    seconds = []
    for change in (speed_up_depthwise, lambda network: network):
        network = device.put(change(create_model(model.card.backbone, "none", 4))).train()

        def step(network: torch.nn.Module = network) -> None:
            with device.features_context():
                logits = network(inputs)
            logits.float().square().sum().backward()

        seconds.append(median_seconds(step, repeats=5))
    return {"ours": seconds[0] * 1e3, "plain": seconds[1] * 1e3, "ratio": seconds[0] / seconds[1], "unit": "ms"}
