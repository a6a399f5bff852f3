"""Do the methods, or two networks, point at the same places?"""

from collections.abc import Mapping
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from lungcad.explain.attribution import METHODS, Attribution, Layer, PreparedInput, explain
from lungcad.explain.trust.check import Check, TrustCheck, Verdict
from lungcad.explain.trust.similarity import rank_correlation, shrink_with_mask
from lungcad.progress import Progress

if TYPE_CHECKING:
    from lungcad.explain.trust.subject import Subject

NAME = "agreement"


def agreement(maps: Mapping[str, Attribution]) -> dict[tuple[str, str], float | None]:
    """Rank correlation for each pair of maps of one image; of their values on the image's grid, so two networks' maps compare too."""
    return {(one, other): _correlation(maps[one], maps[other]) for one, other in combinations(maps, 2)}


def _correlation(one: Attribution, other: Attribution) -> float | None:
    """Where both networks looked."""
    (first, visible_first), (second, visible_second) = (
        shrink_with_mask(attribution.values, attribution.visible_mask) for attribution in (one, other)
    )
    return rank_correlation(first, second, visible_first & visible_second)


def check_agreement(attribution: Attribution, others: Mapping[str, Attribution]) -> Check:
    """Of one map with others of the same image, network and class. The control is 0: unrelated maps."""
    correlations = {name: _correlation(attribution, other) for name, other in others.items() if name != attribution.method}
    defined = {name: value for name, value in correlations.items() if value is not None}
    if not defined:
        return Check.inapplicable(NAME, "There is no second map of this image that varies over it.")
    mean = float(np.mean(list(defined.values())))
    verdict = Verdict.SUPPORTS if mean >= 0.7 else Verdict.CONTRADICTS if mean < 0.3 else Verdict.UNCLEAR
    listing = ", ".join(f"{METHODS[name].title} {value:+.2f}" for name, value in defined.items())
    return Check(NAME, "mean rank correlation", mean, 0.0, verdict, f"With {listing}.", {f"with {k}": v for k, v in defined.items()})


def check_partner(attribution: Attribution, partner: str, other: Attribution) -> Check:
    """One network's map against its partner's, by the same method for the same class; where both networks looked. The control is 0."""
    value = _correlation(attribution, other)
    if value is None:
        return Check.inapplicable("partner", "One of the two maps is the same everywhere, so there is nothing to compare.")
    verdict = Verdict.SUPPORTS if value >= 0.7 else Verdict.CONTRADICTS if value < 0.3 else Verdict.UNCLEAR
    return Check("partner", "rank correlation", value, 0.0, verdict, f"Held against {partner}, trained alike.", {f"with {partner}": value})


COMPANIONS = ("gradcam", "layercam", "eigencam")
"""The fast maps that another map is held against.

HiRes-CAM is none: in a network that only averages behind its last map it is Grad-CAM itself.
"""


def _ask_agreement(subject: "Subject", attribution: Attribution, on_progress: Progress | None) -> Check:
    return check_agreement(attribution, {name: subject.explain(name) for name in COMPANIONS if name != attribution.method})


def _has_partner(subject: "Subject") -> bool:
    return (
        subject.partner is not None
        and subject.is_fast
        and METHODS[subject.method].suits(subject.partner.card)
        and subject.options.layer is not Layer.ATTENDED
    )


def _ask_partner(subject: "Subject", attribution: Attribution, on_progress: Progress | None) -> Check:
    partner = subject.partner
    if partner is None:
        return Check.inapplicable("partner", "There is no such network.")
    other = explain(partner, PreparedInput.of(partner, subject.image), subject.method, subject.target, subject.options)
    return check_partner(attribution, partner.card.name, other)


AGREEMENT = TrustCheck(NAME, "Do other methods point at the same places?", _ask_agreement, asked_on_request=lambda subject: False)
PARTNER = TrustCheck(
    "partner",
    "Does the same network with (or without) attention point at the same places?",
    _ask_partner,
    asked_at_once=_has_partner,
    asked_on_request=lambda subject: False,
)
