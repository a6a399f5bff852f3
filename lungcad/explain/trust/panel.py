"""The checks of one map, one after the other, so that a page can fill in as they finish."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from functools import partial

from lungcad.errors import LungcadError
from lungcad.explain.attribution import NEARLY_FLAT, Attribution
from lungcad.explain.trust.check import Check, TrustCheck, Verdict
from lungcad.explain.trust.subject import Subject
from lungcad.explain.trust.table import CHECKS
from lungcad.progress import Progress


def quick_checks(
    subject: Subject, attribution: Attribution, on_progress: Progress | None = None, *, known: Collection[str] = ()
) -> Iterator[Check]:
    """Those that cost little, each as it finishes. A check that fails says why; the others go on. known: names of those that need not be made again."""
    for check in CHECKS.values():
        if check.ask is not None and check.asked_at_once(subject) and check.name not in known:
            yield answer_of(check, subject, attribution, on_progress)


def slow_checks(subject: Subject, attribution: Attribution, on_progress: Progress | None = None) -> list[Check]:
    """Those that draw some dozens of maps."""
    asked = [check for check in CHECKS.values() if check.ask is not None and check.asked_on_request(subject)]
    results = []
    for index, check in enumerate(asked):

        def report(done: int, total: int, index: int = index) -> None:
            if on_progress:
                on_progress(index * total + done, len(asked) * total)

        results.append(answer_of(check, subject, attribution, report))
    return results


def answer_of(check: TrustCheck, subject: Subject, attribution: Attribution, on_progress: Progress | None = None) -> Check:
    """As the panel shows it: a check that fails says why, and a map that selects nothing gets no support."""
    if check.ask is None:
        return Check.inapplicable(check.name, "It needs what is drawn by hand.")
    answer = or_not_applicable(check.name, partial(check.ask, subject, attribution, on_progress))
    return without_support(answer, attribution) if check.of_map else answer


def or_not_applicable(name: str, ask: Callable[[], Check]) -> Check:
    """The check, or the sentence of the error that stopped it."""
    try:
        return ask()
    except LungcadError as error:
        return Check.inapplicable(name, str(error))


def selects_nothing(attribution: Attribution) -> bool:
    """Whether nearly all positions of the map weigh within 10 % of its peak, so that it picks no place above another."""
    return attribution.facts.get("flat_share", 0.0) > NEARLY_FLAT


def without_support(check: Check, attribution: Attribution) -> Check:
    """The check; where the map selects nothing, at best unclear: a map that is the same everywhere is stable, and in the lung, whatever
    the network does.
    """
    if check.verdict is not Verdict.SUPPORTS or not selects_nothing(attribution):
        return check
    caveat = (
        f"The map selects hardly anything ({attribution.facts['flat_share']:.0%} of its positions weigh the same), so this is no "
        "support for it."
    )
    return replace(check, verdict=Verdict.UNCLEAR, sentence=f"{check.sentence} {caveat}")
