"""A network's own training by a recipe: epochs, checkpoints and early stopping by Lightning, and the best checkpoint left in it."""

import warnings
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import EarlyStopping, EMAWeightAveraging

from lungcad.device import best_device
from lungcad.errors import LungcadError, OutputError
from lungcad.models.classifier import Classifier
from lungcad.train.data import Parts
from lungcad.train.depthwise import speed_up_depthwise
from lungcad.train.losses import make_loss
from lungcad.train.module import History, TrainingModule
from lungcad.train.probe import fit_probe
from lungcad.train.processes import processes, share_of
from lungcad.train.recipe import Recipe
from lungcad.train.views import view_loaders
from lungcad.train.work_folder import BEST, LAST, FolderCheckpoint, WholeCheckpointIO, WorkFolder


class NotTheFirstProcess(Exception):
    """Ends the other processes of a training in several: their work is done, and the first one alone writes what came of it."""


def fit(
    network: Classifier, recipe: Recipe, parts: Parts, work: Path, progress_bar: bool, on_note: Callable[[str], None] = warnings.warn
) -> tuple[int, int, pd.DataFrame]:
    """Train ``network`` in place and leave the best checkpoint in it: (best epoch, epochs trained, learning curves).

    Goes on from the checkpoints in ``work``, when they are of this recipe and these data; any other folder is refused.
    """
    device = best_device()
    folder = WorkFolder.bind(work, recipe, parts)
    resumed = folder.resume()
    if resumed.note:
        on_note(resumed.note)
    if recipe.probe is not None and resumed.checkpoint is None:
        fit_probe(network, parts, recipe)
    if recipe.epochs == 0:
        network.cpu()
        return 0, 0, pd.DataFrame({"epoch": []})
    if device.has_slow_depthwise_gradient:
        speed_up_depthwise(network)
    loader, valid_loader = (
        view_loaders(network, parts, recipe, work)
        if recipe.views
        else (parts.train.loader(recipe, training=True, unclassed=parts.unclassed), parts.valid.loader(recipe, training=False))
    )
    trainer = _trainer(recipe, folder, history := History(), progress_bar)
    loader = share_of(loader, trainer.global_rank, trainer.world_size)
    counts = torch.bincount(parts.train.labels, minlength=len(parts.classes))
    module = TrainingModule(network, recipe, make_loss(recipe, counts), steps_per_epoch=len(loader))
    # the same augmentation for both networks of a pair, another in each process
    pl.seed_everything((recipe.seed + trainer.global_rank) % 2**32, workers=True, verbose=False)
    start = str(resumed.checkpoint) if resumed.checkpoint else None
    if resumed.checkpoint:
        folder.refuse_other_network(resumed.checkpoint, module.state_dict())
        folder.refuse_other_network(folder.path / BEST, module.state_dict())
    try:
        trainer.fit(module, loader, valid_loader, ckpt_path=start, weights_only=True)
    except OutputError as error:
        raise LungcadError(f"{error} The same command resumes after the last finished epoch.") from None
    if not trainer.is_global_zero:
        raise NotTheFirstProcess
    checkpoint = folder.best()
    module.load_state_dict(checkpoint["state_dict"])
    network.cpu()
    return int(checkpoint["epoch"]), len(history.rows), pd.DataFrame(history.rows)


def _trainer(recipe: Recipe, folder: WorkFolder, history: History, progress_bar: bool) -> pl.Trainer:
    """With one process a GPU, or as many as ``torchrun`` started."""
    device, monitor = best_device(), recipe.monitor
    best = FolderCheckpoint(folder, BEST, monitor=monitor.value, mode=monitor.mode)
    latest = FolderCheckpoint(folder, LAST)  # save_last of the other would keep the last *best* only
    averaging = [EMAWeightAveraging(decay=recipe.ema)] if recipe.ema else []
    local, nodes = processes(device)
    several = local * nodes > 1
    return pl.Trainer(
        max_epochs=recipe.epochs,
        accelerator=device.torch.type,
        devices=local,
        num_nodes=nodes,
        strategy="ddp_find_unused_parameters_true" if several else "auto",  # stages that rest have no gradient
        use_distributed_sampler=False,  # share_of
        sync_batchnorm=several and device.is_accelerator,  # torch has none on the CPU
        precision=device.lightning_precision,
        plugins=[WholeCheckpointIO()],
        callbacks=[*averaging, history, best, latest, EarlyStopping(monitor.value, mode=monitor.mode, patience=recipe.patience)],
        logger=False,
        enable_progress_bar=progress_bar,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        gradient_clip_val=1.0,
    )
