"""The Lightning module: what one training step does."""

import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from torch import Tensor

from lungcad.models import Classifier
from lungcad.preprocess import normalise
from lungcad.train.augment import augment
from lungcad.train.recipe import Recipe


class TrainingModule(pl.LightningModule):
    """Cross-entropy with label smoothing and MixUp over augmented grey images; the backbone rests for the first epochs."""

    def __init__(self, network: Classifier, recipe: Recipe, steps_per_epoch: int) -> None:
        super().__init__()
        self.network = network.to(memory_format=torch.channels_last)
        self.recipe = recipe
        self.steps_per_epoch = steps_per_epoch

    def forward(self, grey: Tensor) -> Tensor:
        inputs = normalise(grey, self.recipe.preprocess)
        return self.network(inputs.contiguous(memory_format=torch.channels_last))

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        grey, labels = batch
        grey = augment(grey.float() / 255, self.recipe.augmentation)
        smoothing = self.recipe.label_smoothing
        share = 1.0
        if self.recipe.mixup > 0:  # Zhang et al., "mixup: Beyond empirical risk minimization", ICLR 2018
            share = float(torch.distributions.Beta(self.recipe.mixup, self.recipe.mixup).sample())
            other = torch.randperm(len(grey), device=grey.device)
            grey = share * grey + (1 - share) * grey[other]
        logits = self(grey).float()
        loss = F.cross_entropy(logits, labels, label_smoothing=smoothing)
        if share < 1:
            loss = share * loss + (1 - share) * F.cross_entropy(logits, labels[other], label_smoothing=smoothing)
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(labels))
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], _: int) -> None:
        grey, labels = batch
        logits = self(grey.float() / 255).float()
        self.log("valid_loss", F.cross_entropy(logits, labels), batch_size=len(labels))
        hits = (logits.argmax(1) == labels).float().mean()
        self.log("valid_accuracy", hits, batch_size=len(labels), prog_bar=True)

    def on_train_epoch_start(self) -> None:
        rests = self.current_epoch < self.recipe.frozen_epochs
        self.network.features.requires_grad_(not rests)
        if rests:
            self.network.features.eval()
        else:
            self.network.features.train()

    def configure_optimizers(self):
        groups = [
            {"params": list(self.network.features.parameters()), "lr": self.recipe.backbone_rate},
            {"params": [*self.network.attention.parameters(), *self.network.head.parameters()], "lr": self.recipe.rate},
        ]
        optimizer = torch.optim.AdamW(groups, weight_decay=self.recipe.weight_decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer,
            max_lr=[group["lr"] for group in groups],
            total_steps=self.recipe.epochs * self.steps_per_epoch,
            pct_start=0.15,
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class History(pl.Callback):
    """Learning curves, a row an epoch; they travel in the checkpoint, so that a resumed training keeps them."""

    def __init__(self) -> None:
        self.rows: list[dict[str, float]] = []

    def on_train_epoch_end(self, trainer: pl.Trainer, _: pl.LightningModule) -> None:
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        self.rows.append({"epoch": trainer.current_epoch, **metrics, "rate": trainer.optimizers[0].param_groups[-1]["lr"]})

    def state_dict(self) -> dict:
        return {"rows": self.rows}

    def load_state_dict(self, state: dict) -> None:
        self.rows = list(state["rows"])
