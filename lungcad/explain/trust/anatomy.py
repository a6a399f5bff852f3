"""Is the evidence inside the lung?"""

from typing import TYPE_CHECKING

from lungcad.explain.attribution import Attribution, Side
from lungcad.explain.trust.check import Check, TrustCheck, Verdict
from lungcad.imaging.lungs import LungField
from lungcad.progress import Progress

if TYPE_CHECKING:
    from lungcad.explain.trust.subject import Subject

NAME = "anatomy"
SURE = 0.5
"""Confidence of the lung field below which the check says unclear."""


def shares(attribution: Attribution, field: LungField) -> dict[str, float]:
    """Shares of the positive evidence: in the lung field, on the body's border, outside the body, on burnt-in text.

    They need not add up to 1.
    """
    evidence = attribution.side(Side.FOR)
    total = float(evidence.sum())
    regions = {"in_lung": field.lungs, "on_border": field.border, "outside_body": ~field.body, "on_text": field.text}
    return {name: float(evidence[mask].sum()) / total for name, mask in regions.items()} if total > 0 else {}


def check_anatomy(attribution: Attribution, field: LungField, centre: Attribution) -> Check:
    """Against the lung's share of what the network saw (a map without any preference) and the centred control, whichever has more in the
    lung.
    """
    share_by_region = shares(attribution, field)
    if not share_by_region:
        return Check.inapplicable(NAME, "The map has no positive evidence that could lie anywhere.")
    if not field.lungs.any():
        return Check.inapplicable(NAME, "No lung was found in this image, so nothing can be said about the evidence's place.")
    uniform, centred = float(field.lungs[centre.values > 0].mean()), shares(centre, field)["in_lung"]
    control, inside, outside = max(uniform, centred), share_by_region["in_lung"], share_by_region["outside_body"]
    sentence = (
        f"{inside:.0%} lies in the lung field, {share_by_region['on_border']:.0%} on the body's border, {outside:.0%} outside the body, "
        f"{share_by_region['on_text']:.0%} on text. A map without preference would have {uniform:.0%} in the lung, a blob in the middle "
        f"{centred:.0%}."
    )
    if field.confidence < SURE:
        verdict, sentence = Verdict.UNCLEAR, f"{sentence} The lung field itself is uncertain: {' '.join(field.doubts)}"
    elif outside > 0.25 or share_by_region["on_text"] > 0.05 or inside < min(uniform, centred):
        verdict = Verdict.CONTRADICTS
    elif inside > control + 0.05:
        verdict = Verdict.SUPPORTS
    else:
        verdict = Verdict.UNCLEAR
    return Check(NAME, "share of the positive evidence inside the lung field", inside, control, verdict, sentence, share_by_region)


def _ask(subject: "Subject", attribution: Attribution, on_progress: Progress | None) -> Check:
    if subject.field is None:
        return Check.inapplicable(NAME, "This network does not see whole slices, so there is no lung field.")
    return check_anatomy(attribution, subject.field, subject.explain("centre"))


def _measure(subject: "Subject", attribution: Attribution) -> dict[str, float]:
    field = subject.field
    if field is None or not field.lungs.any() or field.confidence < SURE:
        return {}
    return {name: value for name, value in shares(attribution, field).items() if name in ANATOMY.measures}


ANATOMY = TrustCheck(
    NAME,
    "Is the evidence inside the lung?",
    _ask,
    asked_on_request=lambda subject: False,
    measures={"in_lung": "evidence in the lung", "on_border": "on the body's border", "outside_body": "outside the body"},
    measure=_measure,
)
