"""Do the methods, or two networks, point at the same places?"""

from collections.abc import Mapping
from itertools import combinations

import numpy as np

from lungcad.explain.attribution import METHODS, Attribution
from lungcad.explain.trust.check import Check, Verdict
from lungcad.explain.trust.similarity import on_image, rank_correlation

NAME = "agreement"


def agreement(maps: Mapping[str, Attribution]) -> dict[tuple[str, str], float | None]:
    """Rank correlation for each pair of maps of one image; of their values on the image's grid, so two networks' maps compare too."""
    return {(one, other): _correlation(maps[one], maps[other]) for one, other in combinations(maps, 2)}


def _correlation(one: Attribution, other: Attribution) -> float | None:
    """Where both networks looked."""
    (first, seen_first), (second, seen_second) = (on_image(each.values, each.seen) for each in (one, other))
    return rank_correlation(first, second, seen_first & seen_second)


def check_agreement(attribution: Attribution, others: Mapping[str, Attribution]) -> Check:
    """Of one map with others of the same image, network and class. The control is 0: unrelated maps."""
    found = {name: _correlation(attribution, each) for name, each in others.items() if name != attribution.method}
    known = {name: value for name, value in found.items() if value is not None}
    if not known:
        return Check.inapplicable(NAME, "There is no second map of this image that varies over it.")
    mean = float(np.mean(list(known.values())))
    verdict = Verdict.SUPPORTS if mean >= 0.7 else Verdict.CONTRADICTS if mean < 0.3 else Verdict.UNCLEAR
    listed = ", ".join(f"{METHODS[name].title} {value:+.2f}" for name, value in known.items())
    return Check(NAME, "mean rank correlation", mean, 0.0, verdict, f"With {listed}.", {f"with {k}": v for k, v in known.items()})


def check_partner(attribution: Attribution, partner: str, other: Attribution) -> Check:
    """One network's map against its partner's, by the same method for the same class; where both networks looked. The control is 0."""
    value = _correlation(attribution, other)
    if value is None:
        return Check.inapplicable("partner", "One of the two maps is the same everywhere, so there is nothing to compare.")
    verdict = Verdict.SUPPORTS if value >= 0.7 else Verdict.CONTRADICTS if value < 0.3 else Verdict.UNCLEAR
    return Check("partner", "rank correlation", value, 0.0, verdict, f"Held against {partner}, trained alike.", {f"with {partner}": value})
