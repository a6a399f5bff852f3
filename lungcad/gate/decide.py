"""The gate itself: facts of the image, and how like the training images it is."""

from collections.abc import Sequence

import numpy as np
import torch

from lungcad.datasets import is_made
from lungcad.errors import ModelError
from lungcad.gate.decision import Decision, Finding, Outcome
from lungcad.gate.facts import facts
from lungcad.gate.stored import FittedGate
from lungcad.imaging import CTImage
from lungcad.models import TrainedModel

ONLY_MADE = "This network was trained on slices that lungcad made up, and knows no patient's; choose one that was trained on CT slices."


def decide(image: CTImage, model: TrainedModel, embedding: np.ndarray) -> Decision:
    """Whether the network's answer to the image may be shown.

    embedding: what its head sees of the image, float32 (C,). Where the network has no fitted gate, or one of other weights, only facts of
    the image are looked at, and the decision says so.
    """
    findings = list(facts(image, model.card))
    if is_made(model.card.dataset):  # what it was trained on says so inside the file, so nothing has to be fitted
        foreign = () if image.provenance.synthetic else (Finding(Outcome.DECLINE, ONLY_MADE),)
        return Decision.of([*foreign, *findings], measured={}, is_fitted=False)
    try:
        fitted = FittedGate.read(model.card)
    except ModelError as error:
        unknown = f"Whether this image is like those the network was trained on was not checked. {error}"
        return Decision.of([*findings, Finding(Outcome.WARN, unknown)], measured={}, is_fitted=False)
    compared, measured = fitted.compare(image, embedding, head_logits(model, embedding[None])[0])
    return Decision.of([*findings, *compared], measured=measured, is_fitted=True)


def head_logits(model: TrainedModel, embeddings: np.ndarray) -> np.ndarray:
    """What the head says of embeddings (n, C), uncalibrated: (n, K)."""
    with torch.no_grad():
        head = model.network.head
        return np.asarray(head.of_pooled(torch.from_numpy(embeddings).to(head.linear.weight)).cpu().numpy())


def together(decisions: Sequence[Decision]) -> Decision:
    """Of an ensemble: declined where at least half of the members decline, a warning where any of them warns or declines."""
    declined = sum(each.is_declined for each in decisions)
    reasons = dict.fromkeys(sentence for each in sorted(decisions, key=lambda each: not each.is_declined) for sentence in each.reasons)
    if 2 * declined >= len(decisions):
        outcome = Outcome.DECLINE
    else:
        outcome = Outcome.ANSWER if all(each.outcome is Outcome.ANSWER for each in decisions) else Outcome.WARN
    return Decision(outcome, tuple(reasons), {}, all(each.is_fitted for each in decisions))
