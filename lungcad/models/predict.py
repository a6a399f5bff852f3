"""Forward passes of a trained network: features in the device's fast precision, the head in float32."""

from dataclasses import dataclass

import torch
from torch import Tensor

from lungcad.device import in_halves
from lungcad.models.weights import TrainedModel


@dataclass(frozen=True)
class Prediction:
    """probabilities: calibrated (softmax of logits / temperature), by class, in the card's order."""

    probabilities: dict[str, float]

    @property
    def label(self) -> str:
        """The most probable class."""
        return max(self.probabilities, key=self.probabilities.__getitem__)

    @property
    def confidence(self) -> float:
        """Its probability."""
        return self.probabilities[self.label]


def features(model: TrainedModel, inputs: Tensor) -> Tensor:
    """Feature map (N, C, h, w), float32, of inputs (N, 3, H, W), in halves where memory is short; builds no graph, sets no hook."""

    def run(batch: Tensor) -> Tensor:
        maps: Tensor = model.network.features(model.device.put_inputs(batch))
        return maps.float()

    with torch.no_grad(), model.device.features_context():
        return in_halves(run, inputs)


def predict_batch(model: TrainedModel, inputs: Tensor) -> Tensor:
    """Calibrated probabilities (N, K), float32, on the CPU."""
    with torch.no_grad():
        logits, _ = model.network.classify(features(model, inputs))
    return calibrated(model, logits).cpu()


def calibrated(model: TrainedModel, logits: Tensor) -> Tensor:
    """Softmax of logits at the card's temperature, with the card's class bias if it has one.

    The temperature is that of Guo et al., "On calibration of modern neural networks", ICML 2017. The bias is the logarithm of the classes'
    prior where training saw them equally often (Saerens et al., "Adjusting the outputs of a classifier to new a priori probabilities",
    Neural Computation 2002).
    """
    scaled = logits / model.card.temperature
    return (scaled if model.card.bias is None else scaled + torch.tensor(model.card.bias, device=logits.device)).softmax(-1)
