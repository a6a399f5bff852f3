"""Does the map depend on what was learnt? Cascading weight randomisation (Adebayo et al., "Sanity checks for saliency maps", NeurIPS
2018).
"""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from lungcad.errors import ModelError
from lungcad.explain.attribution import Attribution, Options, PreparedInput, explain
from lungcad.explain.trust.check import Check, TrustCheck, Verdict
from lungcad.explain.trust.similarity import rank_correlation, shrink, ssim
from lungcad.models import TrainedModel, features
from lungcad.models.classifier import Classifier
from lungcad.progress import Progress

if TYPE_CHECKING:
    from lungcad.explain.trust.subject import Subject

NAME = "sanity"
CONTRADICTS_FROM = 0.7
SUPPORTS_UP_TO = 0.4
"""Mean rank correlation over the cascade."""


@dataclass(frozen=True, eq=False)
class Sanity:
    """From the head down, after each layer that was made random: its name, the map's rank correlation with the trained network's and its
    SSIM.

    A map that vanished (the same everywhere) counts as 0, not alike.
    """

    layers: tuple[str, ...]
    correlations: np.ndarray
    similarities: np.ndarray

    def check(self) -> Check:
        """By the mean rank correlation over the cascade: single steps vary with the random weights."""
        mean = float(self.correlations.mean())
        if mean >= CONTRADICTS_FROM:
            verdict, sentence = (
                Verdict.CONTRADICTS,
                "The map stays the same when the weights are replaced by random ones: it shows the image, not the network.",
            )
        elif mean <= SUPPORTS_UP_TO:
            verdict, sentence = Verdict.SUPPORTS, "The map changes with the weights."
        else:
            verdict, sentence = Verdict.UNCLEAR, "Part of the map stays when the weights are replaced by random ones."
        numbers = {"correlation_all_random": float(self.correlations[-1]), "ssim": float(self.similarities.mean())}
        return Check(NAME, "mean rank correlation with the trained network's map", mean, 0.0, verdict, sentence, numbers)


def sanity(
    model: TrainedModel,
    prepared: PreparedInput,
    methods: Sequence[str],
    target: int,
    options: Options = Options(),
    *,
    seed: int = 0,
    on_progress: Progress | None = None,
) -> dict[str, Sanity]:
    """Method -> what becomes of its map on networks whose layers are random from the head down, more at each step.

    Works on a copy of the network; the methods share each step's forward pass.
    """
    trained = {method: explain(model, prepared, method, target, options).grid for method in methods}
    network = copy.deepcopy(model.original)
    layers = list(_from_head_down(network))
    correlations: dict[str, list[float]] = {method: [] for method in methods}
    similarities: dict[str, list[float]] = {method: [] for method in methods}
    for done, (_, layer) in enumerate(layers):
        _randomise(layer, torch.Generator().manual_seed(seed + done))
        random_model = replace(model, network=network, unfolded=lambda: network)
        prepared_random = replace(prepared, features=features(random_model, prepared.inputs))
        for index, (method, before) in enumerate(trained.items()):
            try:
                after = explain(random_model, prepared_random, method, target, options).grid
            except ModelError:  # values beyond float32 behind random layers: no map, which is a change
                after = np.zeros_like(before)
            correlations[method].append(rank_correlation(shrink(before), shrink(after)) or 0.0)
            similarities[method].append(ssim(before, after) or 0.0)
            if on_progress:
                on_progress(done * len(methods) + index + 1, len(layers) * len(methods))
    names = tuple(name for name, _ in layers)
    return {method: Sanity(names, np.array(correlations[method]), np.array(similarities[method])) for method in methods}


def _from_head_down(network: Classifier) -> Iterator[tuple[str, nn.Module]]:
    yield "head", network.head
    if any(True for _ in network.attention.parameters()):
        yield "attention", network.attention
    stages = network.features.stages()
    for index, stage in reversed(list(enumerate(stages, 1))):
        yield f"stage {index} of {len(stages)}", stage


def _randomise(layer: nn.Module, generator: torch.Generator) -> None:
    """He-normal weights (He et al., ICCV 2015), biases 0; a batch normalisation starts anew."""
    with torch.no_grad():
        for module in layer.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.reset_parameters()
            elif isinstance(module, nn.Conv2d | nn.Linear):
                fan_in = module.weight[0].numel()
                module.weight.copy_(torch.randn(module.weight.shape, generator=generator).to(module.weight) * (2 / fan_in) ** 0.5)
                if module.bias is not None:
                    module.bias.zero_()


def _ask(subject: "Subject", attribution: Attribution, on_progress: Progress | None) -> Check:
    sanity_by_method = sanity(subject.model, subject.prepared, [subject.method], subject.target, subject.options, on_progress=on_progress)
    return sanity_by_method[subject.method].check()


def _measure(subject: "Subject", attribution: Attribution) -> dict[str, float]:
    measured = subject.sanity_by_method.get(subject.method)
    return {"sanity": float(measured.correlations.mean())} if measured else {}


SANITY = TrustCheck(
    NAME,
    "Does the map depend on what the network learnt?",
    _ask,
    asked_at_once=lambda subject: False,
    measures={"sanity": "similarity to random weights (lower is better)"},
    measure=_measure,
)
