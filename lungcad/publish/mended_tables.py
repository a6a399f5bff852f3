"""Recipes compared on where they look, as tables, from what is stored in ``data/regions/mended`` alone."""

from collections.abc import Mapping, Sequence
from typing import Any

from lungcad.datasets import DATASETS
from lungcad.evaluate.regions.mended import MOST_LOST, is_mended
from lungcad.evaluate.stores.mended import Mended
from lungcad.evaluate.stores.region_runs import RegionRun
from lungcad.models.card import ModelCard
from lungcad.models.partner import mended_and_plain
from lungcad.publish.interval_text import difference_with_interval, with_interval

TITLES = {"plain": "plain", "lungs": "the lungs alone as input", "swapped": "surroundings swapped in training"}
MEASURE_TITLES = {
    "macro_f1": "macro F1 as it is",
    "macro_f1_swapped": "macro F1 in other surroundings",
    "answers_follow": "become the class of the surroundings",
    "outside": "evidence outside the lungs",
}


def arm_title(arm: str) -> str:
    """For people."""
    return TITLES.get(arm, arm)


def mended_table(mended: Mended) -> str:
    """Markdown: a row a recipe."""
    lines = [f"| recipe | n (groups), seeds | {' | '.join(MEASURE_TITLES.values())} |", "|---" * (2 + len(MEASURE_TITLES)) + "|"]
    for row in mended.rows:
        cells = [cell(row, name) for name in MEASURE_TITLES]
        lines.append(f"| {arm_title(row['arm'])} | {row['n']} ({row['groups']}), {row['seeds']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def cell(row: Mapping[str, Any], name: str) -> str:
    """``0.581 [0.512, 0.650]``, with the paired difference to the plain recipe after a semicolon; a dash where it is not defined."""
    is_compared = row[name] is not None and row["difference"].get(name) is not None
    return with_interval(row, name) + (f"; {difference_with_interval(row, name)}" if is_compared else "")


def verdict(mended: Mended) -> str:
    """In words, what was gained, and at what cost."""
    plain = mended.rows[0]
    moves = "falls" if plain["macro_f1_swapped"] < plain["macro_f1"] else "does not fall: it goes"
    sentences = [
        f"In another patient's surroundings the plain recipe's macro F1 {moves} from {plain['macro_f1']:.3f} to {plain['macro_f1_swapped']:.3f}."
    ]
    for row in mended.rows[1:]:
        lost, gained = row["difference"]["macro_f1"], row["difference"]["macro_f1_swapped"]
        if lost is None or gained is None:
            continue
        outcome = (
            "mended, at little cost"
            if is_mended(row)
            else "too much is lost on the slices as they are"
            if lost < -MOST_LOST
            else "no gain beyond chance"
        )
        sentences.append(f"{arm_title(row['arm']).capitalize()}: {gained:+.3f} there, {lost:+.3f} on the slices as they are; {outcome}.")
    return " ".join(sentences)


def shipping(mended: Mended, runs: Sequence[RegionRun], cards: Sequence[ModelCard]) -> str:
    """Which network came of it, beside the plain one; or which shipped one is as good in other surroundings without. Empty where no run tells."""
    swapped = {
        run.facts["model"]: (run.rows[0], row)
        for run in runs
        if run.facts["data"] == mended.facts["dataset"]
        for row in run.rows
        if _in_other(row)
    }
    pair = mended_and_plain(mended.facts["dataset"], cards)
    if pair is not None and all(card.name in swapped for card in pair):
        (one, one_there), (other, other_there) = (swapped[card.name] for card in pair)
        return (
            f" Shipped: `{pair[0].name}`, trained so. On the cases of its run below its macro F1 in another class's surroundings is {one_there['macro_f1']:.3f} "
            f"({one['macro_f1']:.3f} as they are); that of `{pair[1].name}`, its plain partner, {other_there['macro_f1']:.3f} ({other['macro_f1']:.3f})."
        )
    best = max(swapped, key=lambda name: swapped[name][1]["macro_f1"], default=None)
    gains = [row for row in mended.rows[1:] if is_mended(row)]
    if best is None or not gains:
        return ""
    row, (whole, there) = gains[-1], swapped[best]
    return (
        f" Nothing is shipped: `{best}`, whose backbone was trained too, has a macro F1 of {there['macro_f1']:.3f} in another class's surroundings and "
        f"{whole['macro_f1']:.3f} as they are, on the cases of its run below; the mended head ({row['macro_f1_swapped']:.3f} and {row['macro_f1']:.3f}) is not "
        "better than that, only better than the same head unmended."
    )


def _in_other(row: Mapping[str, Any]) -> bool:
    return bool(row["region"] == "lungs" and row["answers_follow"] is not None)


def mended_section(mended: Mended, runs: Sequence[RegionRun] = (), cards: Sequence[ModelCard] = ()) -> str:
    """A section of ``data/regions/README.md``."""
    facts, name = mended.facts, mended.facts["dataset"]
    return (
        f"## Can a network be made to look where it should? {DATASETS[name].title}\n\nA head fitted to the resting backbone (the recipe "
        f"[`mended/{name}.yaml`](mended/{name}.yaml)), the same cases and the same split for all three; {facts['how']}; {facts['left_out']} of "
        f"{facts['left_out'] + facts['n']} slices not among the tested: lungs not found for certain, copies on both sides, or trained and validated on. Mean over "
        "seeds (of the augmentation; the fit has no random part) [95 % bootstrap interval over groups]; after the semicolon the paired difference to the plain "
        "recipe. *In other surroundings*: the test slice keeps its lungs, in their widened convex outlines, and all around them is another test patient's slice, of "
        f"another class; each training image trains as it is and in {facts['recipe']['probe']} augmented views, of which the last recipe changes a share of "
        f"{facts['share_swapped']:g} alike, with training patients only. *Evidence*: Grad-CAM of the answer, outside those outlines. A recipe is mended where "
        f"it loses at most {MOST_LOST} as the slices are and gains, beyond chance, in others. `python -m lungcad regions-mend "
        f"data/regions/mended/{name}.yaml` made it; where the augmentation draws other random numbers, means over seeds move by some hundredths.\n\n"
        f"{mended_table(mended)}\n\n{verdict(mended)}{shipping(mended, runs, cards)}\n"
    )
