"""Does the class depend on the concepts it should depend on? The inner numbers of the image are moved a little towards each concept that readers rate."""

from typing import TYPE_CHECKING

import numpy as np

from lungcad.datasets.concepts import CONCEPTS, RATED
from lungcad.explain.attribution import Attribution
from lungcad.explain.concept_vectors import ConceptVectors, concept_vectors
from lungcad.explain.middle_layer import MiddleLayer
from lungcad.explain.trust.check import Check, TrustCheck, Verdict
from lungcad.progress import Progress

if TYPE_CHECKING:
    from lungcad.explain.trust.subject import Subject

NAME = "concepts"
FEWEST = 3
"""Concepts that beat their control on validation nodules; of fewer nothing is said."""


def pushes(slopes: np.ndarray, vectors: ConceptVectors) -> dict[str, float]:
    """Concept -> derivative of the positive class's log-odds in its direction, in units of the random directions' root mean square; positive where the
    concept pushes as it should.

    slopes (F,): of the positive class, by average.
    """
    usual = max(float(np.sqrt(((vectors.random @ slopes) ** 2).mean())), 1e-12)
    return {name: sign * float(vectors.vectors[name] @ slopes) / usual for name, sign in vectors.expected.items()}


def share_as_expected(pushed: dict[str, float]) -> float:
    """Share of the concepts that push as they should."""
    return float(np.mean([push > 0 for push in pushed.values()]))


def judged(pushed: dict[str, float], vectors: ConceptVectors, slopes: np.ndarray) -> Check:
    """From :func:`pushes` of one image. The control: the share of random directions that push the commoner way."""
    value = share_as_expected(pushed)
    towards = float((vectors.random @ slopes > 0).mean())
    control = max(towards, 1 - towards)
    opposed = [CONCEPTS[name].title.lower() for name, push in pushed.items() if push <= 0]
    sentence = (
        f"Moved towards {len(pushed)} concepts that readers rate, the answer {vectors.positive} moves as it should for {len(pushed) - len(opposed)}"
        + (f"; the other way for {', '.join(opposed)}." if opposed else ".")
    )
    if value <= vectors.threshold:
        verdict, word = Verdict.CONTRADICTS, "It does not depend on them as a reader's answer would."
    elif value > max(control, vectors.threshold):
        verdict, word = Verdict.SUPPORTS, f"Of random directions {control:.0%} push one way."
    else:
        verdict, word = Verdict.UNCLEAR, f"Of random directions {control:.0%} push one way too, so this tells little."
    return Check(
        NAME,
        "share of the concepts that push the answer as they should",
        value,
        control,
        verdict,
        f"{sentence} {word} {vectors.record}",
        pushed,
        says_little=vectors.hardly_tells,
    )


def _ask(subject: "Subject", attribution: Attribution, on_progress: Progress | None) -> Check:
    vectors = concept_vectors(subject.model.card)
    if vectors is None:
        return Check.inapplicable(
            NAME, "No concept directions are stored: the network rates concepts itself, or 'python -m lungcad tcav' has not measured it."
        )
    if len(vectors.expected) < FEWEST:
        return Check.inapplicable(NAME, "Too few concepts beat their random control in this network.")
    layer = MiddleLayer(subject.model)
    positive = subject.model.class_index(vectors.positive)
    slopes = layer.slopes(layer.maps(subject.prepared.inputs), positive)[0].double().cpu().numpy()
    return judged(pushes(slopes, vectors), vectors, slopes)


CONCEPTS_CHECK = TrustCheck(
    NAME,
    "Does the class depend on the concepts it should depend on?",
    _ask,
    asked_at_once=lambda subject: subject.model.card.dataset in RATED,
    asked_on_request=lambda subject: False,
    of_map=False,
)
"""With two classes, what pushes towards one pushes away from the other, so the class that is explained plays no part."""
