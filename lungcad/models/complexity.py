"""What a network costs: parameters and floating-point operations, and what attention adds to its baseline."""

import functools

import torch
from torch.utils.flop_counter import FlopCounterMode

from lungcad.models.card import Complexity, Inputs, ModelCard
from lungcad.models.classifier import create_model


def complexity_of(card: ModelCard) -> Complexity:
    """Of the network that a card describes: as the card says, else counted."""
    return card.complexity or complexity(card.backbone, card.attention, len(card.classes), card.preprocess.size, card.inputs, card.concepts)


@functools.cache
def complexity(
    backbone: str, attention: str, num_classes: int, size: tuple[int, int], inputs: Inputs = Inputs.SLICE, concepts: tuple[str, ...] = ()
) -> Complexity:
    """Counted by ``torch.utils.flop_counter`` on torch's meta device: nothing is computed and no memory is taken."""
    parameters, flops = _count(backbone, attention, num_classes, size, inputs, concepts)
    plain_parameters, plain_flops = _count(backbone, "none", num_classes, size, inputs, concepts)
    return Complexity(
        parameters=parameters,
        flops=flops,
        added_parameters=round(parameters / plain_parameters - 1, 6),
        added_flops=round(flops / plain_flops - 1, 6),
    )


@functools.cache
def _count(
    backbone: str, attention: str, num_classes: int, size: tuple[int, int], inputs: Inputs, concepts: tuple[str, ...]
) -> tuple[int, int]:
    with torch.device("meta"):
        network = create_model(backbone, attention, num_classes, inputs=inputs, concepts=concepts).eval()
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            network(torch.empty(1, 3, *size))
    return sum(parameter.numel() for parameter in network.parameters()), counter.get_total_flops()
