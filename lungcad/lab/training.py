"""Training of a head, epoch by epoch, with what a student sees after each."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from lungcad.evaluate.bootstrap import Resamples
from lungcad.evaluate.metrics import binary_auc
from lungcad.lab import frozen
from lungcad.lab.frozen import DIRECTIONS
from lungcad.lab.head import LESION, LabHead, heat_maps, lesion_probability
from lungcad.lab.settings import LabSettings
from lungcad.train.teach import mask_loss

LEARNING_RATE, HEAD_RATE, WEIGHT_DECAY, BATCH = 3e-3, 1e-2, 0.05, 32
LAST_STAGE_RATE = 3e-4
TEACH = 6.0
"""Weight of the contours' loss. This and the rates were chosen on the last 150 training patients, with the first 450 to train on."""


@dataclass(frozen=True, eq=False)
class Sample:
    """Patients with their pictures chosen. features: (n, channels, 8, 8). has_lesion: (n,) bool. cells: (n, 8, 8), for a head that is taught."""

    features: Tensor
    has_lesion: np.ndarray
    cells: Tensor | None = None

    @property
    def targets(self) -> Tensor:
        """(n,) index of the true class."""
        return torch.from_numpy(np.where(self.has_lesion, LESION, 1 - LESION))


@dataclass(frozen=True)
class Epoch:
    """After an epoch (1 is the first). loss: mean over its training steps. auc: area under the ROC curve by the name of the pictures.

    maps: of the watched test pictures, raw (k, 8, 8). probabilities: (k,) of a lesion in them.
    """

    number: int
    loss: float
    auc: dict[str, float]
    maps: list[list[list[float]]]
    probabilities: list[float]


def new_head(settings: LabSettings, directions: int = DIRECTIONS) -> LabHead:
    """With random weights that follow from the seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        return LabHead(settings.head, directions, frozen.LastStage() if settings.trained.is_more_than_head else None)


def train(head: LabHead, settings: LabSettings, training: Sample, tested: dict[str, Sample], watched: Tensor) -> Iterator[Epoch]:
    """Train the head in place. tested: name -> patients whose AUC is told, never trained on. watched: features of the pictures whose maps are told.

    The same settings give the same head on the same machine: all chance follows from the seed.
    """
    rates = [(list(head.attention.parameters()), LEARNING_RATE), (list(head.head.parameters()), HEAD_RATE)]
    if head.last_stage is not None:
        rates.append((list(head.last_stage.parameters()), LAST_STAGE_RATE))
    optimiser = torch.optim.AdamW([{"params": some, "lr": rate} for some, rate in rates], weight_decay=WEIGHT_DECAY)
    n, targets = len(training.features), training.targets
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, [rate for _, rate in rates], total_steps=settings.epochs * -(-n // BATCH))
    for number in range(1, settings.epochs + 1):
        losses = []
        head.train()
        with torch.random.fork_rng(devices=[]):  # dropout draws from the global generator
            torch.manual_seed(settings.seed * 1000 + number)
            for chosen in torch.randperm(n).split(BATCH):
                logits, mask = head.classify(training.features[chosen])
                loss = F.cross_entropy(logits, targets[chosen])
                if settings.head.is_taught and mask is not None and training.cells is not None:
                    loss = loss + TEACH * mask_loss(mask, training.cells[chosen])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                schedule.step()
                losses.append(float(loss.detach()))
        yield _seen(number, float(np.mean(losses)), head, tested, watched)


def _seen(number: int, loss: float, head: LabHead, tested: dict[str, Sample], watched: Tensor) -> Epoch:
    auc = {name: _auc(sample.has_lesion, lesion_probability(head, sample.features).numpy()) for name, sample in tested.items()}
    maps = np.round(heat_maps(head, watched).numpy().astype(np.float64), 5).tolist()
    return Epoch(number, loss, auc, maps, lesion_probability(head, watched).tolist())


def _auc(has_lesion: np.ndarray, scores: np.ndarray) -> float:
    return float(binary_auc(has_lesion, scores, Resamples.none(len(scores)))[0])
