"""The checks that cost little, one after the other, so that a page can fill in as they finish."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from lungcad.errors import LungcadError
from lungcad.explain.attribution import METHODS, NEARLY_FLAT, Attribution, Cost, Options, Scene, explain
from lungcad.explain.trust.agreement import check_agreement
from lungcad.explain.trust.anatomy import check_anatomy
from lungcad.explain.trust.check import Check, Verdict
from lungcad.explain.trust.faithfulness import check_faithfulness
from lungcad.explain.trust.stability import ChangedScenes, check_stability
from lungcad.imaging import CTImage
from lungcad.imaging.lungs import lung_field
from lungcad.models import TrainedModel

COMPANIONS = ("gradcam", "layercam", "eigencam")
"""The cheap maps that another map is held against. HiRes-CAM is none: in a network that only averages behind its last map it is Grad-CAM itself."""


def cheap_checks(
    model: TrainedModel,
    image: CTImage,
    scene: Scene,
    attribution: Attribution,
    target: int,
    options: Options = Options(),
    *,
    has_lungs: bool = True,
) -> Iterator[Check]:
    """Faithfulness, anatomy, agreement with other cheap maps and, where the method is cheap, stability. A check that fails says why; the others
    go on.

    has_lungs: False for microscope tiles and for crops of a nodule.
    """

    def placed() -> Check:
        if not has_lungs:
            return Check.inapplicable("anatomy", "This network does not see whole slices, so there is no lung field.")
        return check_anatomy(attribution, lung_field(image), explain(model, scene, "centre", target))

    def agreed() -> Check:
        others = {name: explain(model, scene, name, target, options) for name in COMPANIONS if name != attribution.method}
        return check_agreement(attribution, others)

    yield said("faithfulness", lambda: check_faithfulness(model, scene, attribution, target)[0])
    yield said("anatomy", placed)
    yield said("agreement", agreed)
    if METHODS[attribution.method].cost is Cost.FAST:
        yield said("stability", lambda: check_stability(model, ChangedScenes.of(model, image), attribution.method, target, options))


def said(name: str, check: Callable[[], Check]) -> Check:
    """The check, or the sentence of the error that stopped it."""
    try:
        return check()
    except LungcadError as error:
        return Check.inapplicable(name, str(error))


def selects_nothing(attribution: Attribution) -> bool:
    """Whether nearly all positions of the map weigh within 10 % of its peak, so that it picks no place above another."""
    return attribution.facts.get("flat_share", 0.0) > NEARLY_FLAT


def without_support(check: Check, attribution: Attribution) -> Check:
    """The check; where the map selects nothing, at best unclear: a map that is the same everywhere is stable, and in the lung, whatever the network does."""
    if check.verdict is not Verdict.SUPPORTS or not selects_nothing(attribution):
        return check
    says = f"The map selects hardly anything ({attribution.facts['flat_share']:.0%} of its positions weigh the same), so this is no support for it."
    return replace(check, verdict=Verdict.UNCLEAR, sentence=f"{check.sentence} {says}")
