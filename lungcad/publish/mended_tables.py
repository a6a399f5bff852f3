"""Recipes compared on where they look, as tables, from what is stored in ``data/regions/mended`` alone."""

from collections.abc import Mapping
from typing import Any

from lungcad.datasets import DATASETS
from lungcad.evaluate.regions.mended import MOST_LOST, is_mended
from lungcad.evaluate.stores.mended import Mended

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
    if row[name] is None:
        return "–"
    low, high = row["intervals"][name]
    text = f"{row[name]:.3f} [{low:.3f}, {high:.3f}]"
    if row["difference"].get(name) is not None:
        low, high = row["difference_intervals"][name]
        text += f"; {row['difference'][name]:+.3f} [{low:+.3f}, {high:+.3f}]"
    return text


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


def mended_section(mended: Mended) -> str:
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
        f"data/regions/mended/{name}.yaml` makes it anew; what is stored came from a script that called the same "
        f"`lungcad.train.mend.mend`.\n\n{mended_table(mended)}\n\n{verdict(mended)}\n"
    )
