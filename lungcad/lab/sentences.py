"""What the results of a training mean, a sentence each, in plain words."""

from lungcad.datasets.phantoms import SHORTCUTS
from lungcad.estimate import Estimate
from lungcad.lab.patients import tested_shortcut
from lungcad.lab.results import Results
from lungcad.lab.settings import LabSettings

LARGE_FALL = 0.15
"""Of the accuracy, from which on a sentence calls it one."""


def sentences(settings: LabSettings, results: Results) -> list[str]:
    """In the order in which one reads the table."""
    what = SHORTCUTS[tested_shortcut(settings)].title
    return [
        _clean(results),
        _uses(settings, results, what),
        *([_map_on_shortcut(settings, results, what)] if results.on_shortcut.value is not None else []),
        _map_on_lesion(results),
        *([_needs_lungs(results)] if results.no_lungs.value is not None and results.lungs.value is not None else []),
        *_lesson(settings, results),
    ]


def warning(settings: LabSettings) -> str | None:
    """What the choice of settings leaves out, before training; None where nothing is."""
    if settings.is_biased and settings.share == 1:
        return "At 100 % every lesion and nothing else carries the shortcut: nothing in training can tell the network that it may be wrong."
    if settings.is_biased and settings.share == 0.5:
        return "At 50 % both classes carry the shortcut equally often: it tells nothing, so expect an honest network."
    return None


def _clean(results: Results) -> str:
    clean = results.clean
    if clean.low is not None and clean.low <= 0.5:
        return f"Without the shortcut it is right in {_share(clean)} of unseen patients: not clearly better than chance, so it has not learnt lesions."
    return f"Without the shortcut it is right in {_share(clean)} of unseen patients: it has learnt something of lesions."


def _uses(settings: LabSettings, results: Results, what: str) -> str:
    clean, swapped = results.clean.value or 0.0, results.swapped.value or 0.0
    moved = f"With {what} moved to the patients without a lesion it is right in {_share(results.swapped)}"
    if swapped < clean - LARGE_FALL and settings.is_biased:
        return f"{moved}: the answer follows the shortcut. This network cheats."
    if swapped < clean - LARGE_FALL:
        return f"{moved}: it never saw one in training, and is misled by it all the same."
    return f"{moved}: the shortcut changes little."


def _map_on_shortcut(settings: LabSettings, results: Results, what: str) -> str:
    on_shortcut = results.on_shortcut.value or 0.0
    if on_shortcut > 0.5:
        return f"Its heat map peaks on {what} in {_share(results.on_shortcut)} of the lesions that carry it: here the map tells the truth about the network."
    return f"Its heat map peaks on {what} in only {_share(results.on_shortcut)} of the lesions that carry it."


def _map_on_lesion(results: Results) -> str:
    best = max(results.random.value or 0.0, results.centre.value or 0.0)
    low, high = results.on_lesion.low, results.on_lesion.high
    if low is not None and low > best:
        compared = "more often than"
    elif high is not None and high < best:
        compared = "less often than"
    else:
        compared = "not clearly more often than"
    return f"It peaks on the lesion in {_share(results.on_lesion)}, {compared} an uninformative map ({best:.0%})."


def _needs_lungs(results: Results) -> str:
    without, alone = results.no_lungs, results.lungs
    said = f"With both lungs painted over it is right in {_share(without)}, shown the lungs alone in {_share(alone)}"
    if _is_clearly_above(without, alone):
        return f"{said}: what it answers by is not in the lungs."
    if _is_clearly_above(alone, without):
        return f"{said}: what it answers by is in the lungs."
    return f"{said}: whether what it answers by is in the lungs cannot be told from so few."


def _is_clearly_above(one: Estimate, other: Estimate) -> bool:
    """Better than a coin, and the intervals do not overlap."""
    return one.low is not None and other.high is not None and one.low > max(0.5, other.high)


def _lesson(settings: LabSettings, results: Results) -> list[str]:
    cheats = (results.swapped.value or 0.0) < (results.clean.value or 0.0) - LARGE_FALL
    best_control = max(results.random.value or 0.0, results.centre.value or 0.0)
    looks_right = (results.on_lesion.low or 0.0) > best_control and (results.on_shortcut.value or 0.0) < 0.5
    if settings.is_biased and cheats and looks_right:
        return ["So a map that looks right proves nothing: only moving the shortcut shows what the answer rests on."]
    return []


def _share(estimate: Estimate) -> str:
    if estimate.value is None:
        return "–"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.0%}"
    return f"{estimate.value:.0%} [{estimate.low:.0%}–{estimate.high:.0%}]"
