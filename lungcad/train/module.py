"""The Lightning module: what one training step does."""

from typing import Any

import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from torch import Tensor

from lungcad.evaluate.bootstrap import Resamples
from lungcad.evaluate.metrics import macro_auc, macro_f1, resampled_confusion
from lungcad.models import Classifier
from lungcad.preprocess import normalise
from lungcad.train.augment import augment_with_contours
from lungcad.train.depthwise import is_depthwise
from lungcad.train.losses import LossFunction
from lungcad.train.recipe import Recipe, Schedule
from lungcad.train.surroundings import swap_surroundings
from lungcad.train.teach import mask_loss


class TrainingModule(pl.LightningModule):
    """The recipe's loss with MixUp over augmented grey images; the backbone rests at first and thaws from its end."""

    def __init__(self, network: Classifier, recipe: Recipe, loss: LossFunction, steps_per_epoch: int) -> None:
        super().__init__()
        self.network = network.to(memory_format=torch.channels_last)
        self.recipe = recipe
        self.loss = loss
        self.steps_per_epoch = steps_per_epoch
        self._validated: list[tuple[Tensor, Tensor]] = []

    def forward(self, shown: Tensor) -> tuple[Tensor, Tensor | None]:
        """Grey (N, H, W) in [0, 1] or colour, or, by the recipe's views, maps of the resting stages, to (logits (N, K), attention mask (N, 1, h, w) or None)."""
        if self.recipe.views:
            return self.network.classify(
                self.network.features.after(shown.float().contiguous(memory_format=torch.channels_last), self.recipe.frozen_stages)
            )
        inputs = normalise(shown, self.recipe.preprocess)
        return self.network.classify(self.network.features(inputs.contiguous(memory_format=torch.channels_last)))

    def training_step(self, batch: tuple[Tensor, ...], _: int) -> Tensor:
        """Augmented, mixed where the recipe says so; the loss.

        batch: grey (or maps of views), labels, contours where attention is taught, lungs where surroundings are swapped.
        """
        grey, labels, *masks = batch
        if self.recipe.views:
            contours = masks[0].float() / 255 if masks else None
        else:
            grey = grey.float() / 255
            if self.recipe.augmentation.swap_surroundings:
                grey = swap_surroundings(grey, masks.pop(), labels, self.recipe.augmentation.swap_surroundings)
            grey, contours = augment_with_contours(grey, masks[0].float() if masks else None, self.recipe.augmentation)
        share = 1.0
        if self.recipe.mixup > 0:  # Zhang et al., "mixup: Beyond empirical risk minimization", ICLR 2018
            share = float(torch.distributions.Beta(self.recipe.mixup, self.recipe.mixup).sample())
            other = torch.randperm(len(grey), device=grey.device)
            grey = share * grey + (1 - share) * grey[other]
        logits, mask = self(grey)
        logits = logits.float()
        loss = self.loss(logits, labels)
        if share < 1:
            loss = share * loss + (1 - share) * self.loss(logits, labels[other])
        if contours is not None and mask is not None:
            of_mask = mask_loss(mask, contours)
            if share < 1:
                of_mask = share * of_mask + (1 - share) * mask_loss(mask, contours[other])
            self.log("train_mask_loss", of_mask, on_step=False, on_epoch=True, batch_size=len(labels), sync_dist=True)
            loss = loss + self.recipe.teach * of_mask
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(labels), sync_dist=True)
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], _: int) -> None:
        """Keeps the logits for the end of the epoch."""
        shown, labels = batch
        self._validated.append((self(shown if self.recipe.views else shown.float() / 255)[0].float(), labels))

    def on_validation_epoch_end(self) -> None:
        """Loss, accuracy, AUC and macro F1 over all validation cases, which every process looks at."""
        logits, labels = (torch.cat(batches) for batches in zip(*self._validated, strict=True))
        self._validated.clear()
        probabilities, truth = logits.softmax(1).cpu().numpy(), labels.cpu().numpy()
        no_resamples = Resamples.none(len(truth))
        confusion = resampled_confusion(truth, probabilities.argmax(1), probabilities.shape[1], no_resamples)
        values: dict[str, Tensor | float] = {
            "valid_loss": F.cross_entropy(logits, labels),
            "valid_accuracy": float((probabilities.argmax(1) == truth).mean()),
            "valid_auc": float(macro_auc(truth, probabilities, no_resamples)[0]),
            "valid_macro_f1": float(macro_f1(confusion)[0]),
        }
        self.log_dict(values, prog_bar=True, sync_dist=True)  # processes must agree on the best epoch, and on when to stop

    def on_train_epoch_start(self) -> None:
        """Thaws the stages whose turn it is."""
        stages = self.network.features.stages()
        thawed = thawed_stages(self.current_epoch, len(stages), self.recipe)
        for index, stage in enumerate(stages):
            trains = index >= len(stages) - thawed
            stage.requires_grad_(trains)
            stage.train(trains)  # a resting stage keeps its batch statistics too
            for layer in stage.modules():
                if self.recipe.frozen_depthwise and is_depthwise(layer):
                    layer.requires_grad_(False)
                if self.recipe.frozen_norm and isinstance(layer, torch.nn.BatchNorm2d):
                    layer.eval()

    def configure_optimizers(self) -> Any:
        """AdamW with two learning rates, and the recipe's schedule."""
        groups: list[dict[str, Any]] = [
            {"params": list(self.network.features.parameters()), "lr": self.recipe.backbone_rate},
            {"params": [*self.network.attention.parameters(), *self.network.head.parameters()], "lr": self.recipe.learning_rate},
        ]
        optimizer = torch.optim.AdamW(groups, weight_decay=self.recipe.weight_decay)
        steps = self.recipe.epochs * self.steps_per_epoch
        if self.recipe.schedule is Schedule.PLATEAU:
            monitor = self.recipe.monitor
            plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
                optimizer, monitor.mode, factor=0.3, patience=max(self.recipe.patience // 3, 1)
            )
            return {"optimizer": optimizer, "lr_scheduler": {"scheduler": plateau, "interval": "epoch", "monitor": monitor.value}}
        if self.recipe.schedule is Schedule.COSINE:
            schedule: torch.optim.lr_scheduler.LRScheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        else:
            rates = [group["lr"] for group in groups]
            schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=rates, total_steps=steps, pct_start=0.15)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def thawed_stages(epoch: int, n_stages: int, recipe: Recipe) -> int:
    """How many of the backbone's last stages train in that epoch (Howard & Ruder, "ULMFiT", ACL 2018, gradual unfreezing)."""
    if epoch < recipe.frozen_epochs:
        return 0
    most = max(n_stages - recipe.frozen_stages, 0)
    if not recipe.unfreeze_every:
        return most
    return min(1 + (epoch - recipe.frozen_epochs) // recipe.unfreeze_every, most)


class History(pl.Callback):
    """Learning curves, a row an epoch; they travel in the checkpoint, so that a resumed training keeps them."""

    def __init__(self) -> None:
        self.rows: list[dict[str, float]] = []

    def on_train_epoch_end(self, trainer: pl.Trainer, _: pl.LightningModule) -> None:
        """A row of what was logged."""
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        self.rows.append({"epoch": trainer.current_epoch, **metrics, "rate": trainer.optimizers[0].param_groups[-1]["lr"]})

    def state_dict(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {"rows": self.rows}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """From a checkpoint."""
        self.rows = list(state["rows"])
