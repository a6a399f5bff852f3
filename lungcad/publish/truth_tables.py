"""How the trust checks fare on networks of known truth, as tables, from the marking in ``data/truth`` alone."""

from collections.abc import Mapping
from typing import Any

from lungcad.datasets.phantoms.shortcuts import SHORTCUTS
from lungcad.estimate import Estimate
from lungcad.evaluate.truth.localisation import BEFORE
from lungcad.evaluate.truth.marks import ALL
from lungcad.explain import METHODS
from lungcad.explain.trust import CHECKS
from lungcad.publish.groups_table import grouped_run, groups_table, runs_that_cheat

Facts = Mapping[str, Any]
HARDLY = 0.2
"""A check that accuses so little more of the cheaters' answers than of honest networks' answers is said to be hardly able to tell the two apart."""


def counterfactual_table(facts: Facts) -> str:
    """Markdown: what each network of known truth uses, by its answers to changed pictures of the same patients."""
    lines = [
        "| network | trained on | accuracy, pictures as in training | without the shortcut | shortcut in the other class | lesions still called so when removed |",
        "|---|---|---|---|---|---|",
    ]
    for row in facts["counterfactuals"]:
        trained_on = f"{row['shortcut']} in 95 % of the lesions and 5 % of the rest" if row["shortcut"] else "no shortcut"
        cells = [_estimate(row[name]) for name in ("as_trained", "without", "swapped", "still_called_lesion")]
        lines.append(f"| `{row['network']}` ({row['role']}) | {trained_on} | {' | '.join(cells)} |")
    return "\n".join(lines)


def marks_table(facts: Facts, method: str, *, of_map: bool = True) -> str:
    """Markdown: a row a check and cheat under one method. of_map: checks of the map, or those of the answer alone, which are the same for every method."""
    lines = [
        "| check | cheat | cases | finds (sensitivity) | honest not accused (specificity) | area under ROC |",
        "|---|---|---|---|---|---|",
    ]
    for row in _rows(facts, "marks", method, of_map=of_map):
        auc = "–" if row["auc"] is None else f"{row['auc']:.2f}"
        finds, spares = _with_interval(row, "sensitivity"), _with_interval(row, "specificity")
        lines.append(f"| {_question(row['check'])} | {row['cheat']} | {row['n']} | {finds} | {spares} | {auc} |")
    return "\n".join(lines)


def accusation_table(facts: Facts, method: str) -> str:
    """Markdown: how often honest networks are accused, a row a check, a column what the picture carries."""
    rows = [*_rows(facts, "accused", method, of_map=False), *_rows(facts, "accused", method)]
    carried = list(dict.fromkeys(row["carried"] for row in rows))
    lines = [f"| check | {' | '.join(name or 'nothing' for name in carried)} |", "|---" * (len(carried) + 1) + "|"]
    for check in dict.fromkeys(row["check"] for row in rows):
        of_check = {row["carried"]: row for row in rows if row["check"] == check}
        cells = [f"{_with_interval(of_check[name], 'accused')} (n {of_check[name]['n']})" if name in of_check else "" for name in carried]
        lines.append(f"| {_question(check)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def peak_table(facts: Facts) -> str:
    """Markdown: where the heat maps of cheaters peak, a row a network and method; in brackets what a peak anywhere would reach."""
    lines = ["| network | cheats by | method | cases | on the mark | in the lesion | elsewhere |", "|---|---|---|---|---|---|---|"]
    for row in facts["peaks"]:
        low_high = {
            place: "–" if values[0] is None else f"[{values[0]:.2f}, {values[1]:.2f}]" for place, values in row["intervals"].items()
        }
        mark = f"{row['on_mark']:.2f} {low_high['on_mark']} ({row['on_mark_by_chance']:.2f})"
        has_place = row["shortcut"] not in SHORTCUTS or SHORTCUTS[row["shortcut"]].has_place
        lines.append(
            f"| `{row['network']}` ({row['role']}) | {row['shortcut']} | {method_title(row['method'])} | {row['n']} | {mark if has_place else 'has no place'} | "
            f"{row['in_lesion']:.2f} {low_high['in_lesion']} ({row['in_lesion_by_chance']:.2f}) | {row['elsewhere']:.2f} {low_high['elsewhere']} |"
        )
    return "\n".join(lines)


def localisation_table(facts: Facts, network: str, measure: str) -> str:
    """Markdown: a row a method, a column a size of the lesion."""
    rows = [row for row in facts["localisation"] if row["network"] == network]
    sizes = list(dict.fromkeys(row["size_mm"] for row in rows))
    lines = [
        f"| method | {' | '.join('all sizes' if size == 'all' else f'{size} mm' for size in sizes)} |",
        "|---" * (len(sizes) + 1) + "|",
    ]
    for method in dict.fromkeys(row["method"] for row in rows):
        of_size = {row["size_mm"]: row for row in rows if row["method"] == method}
        cells = []
        for size in sizes:
            row = of_size.get(size)
            cells.append(
                ""
                if row is None
                else f"{row[measure]:.2f} [{row['intervals'][measure][0]:.2f}, {row['intervals'][measure][1]:.2f}] (n {row['n']})"
            )
        lines.append(f"| {method_title(method)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def method_title(name: str) -> str:
    """Of a row of the localisation: a method, or Grad-CAM of the layer before."""
    return "Grad-CAM, layer before" if name == BEFORE else METHODS[name].title if name in METHODS else name


def record(facts: Facts | None, check: str, method: str) -> str | None:
    """How the check fared on networks of known truth, in a sentence or two for the page; None where it was not marked.

    A check of the map: with the method, or with Grad-CAM where the method was not marked. The check of the grain: on networks that cheat by it, the
    others on those that cheat by a mark with a place.
    """
    of_map = CHECKS[check].of_map
    cheat, by = ("texture", "the picture's grain") if check == "texture" else (ALL, "a mark outside the lungs")
    rows = [row for row in (facts or {}).get("marks", ()) if row["check"] == check and row["cheat"] == cheat]
    of_method = [row for name in (method, "gradcam") for row in rows if row["method"] == name] if of_map else rows
    if not of_method or of_method[0]["specificity"] is None:
        return None
    row = of_method[0]
    finds, accuses = row["sensitivity"], 1 - row["specificity"]
    with_method = f" with {METHODS[row['method']].title}" if of_map else ""
    sentence = (
        f"On made-up slices{with_method} it finds {finds:.0%} of {row['n']} answers that a network took from {by}, "
        f"and accuses {accuses:.0%} of {row['n_honest']} answers of honest networks."
    )
    return sentence if finds - accuses >= HARDLY else f"{sentence} It can hardly tell the two apart."


def truth_readme(facts: Facts) -> str:
    """``data/truth/README.md``."""
    methods = [method for method in dict.fromkeys(row["method"] for row in facts["marks"]) if method in METHODS]
    thresholds = ", ".join(f"{check} {value}" for check, value in facts["thresholds"].items())
    parts = [
        "# Networks of known truth, and the marks of the trust checks\n\nGenerated by `python -m lungcad truth-tables --write` from `truth.json`; do not edit. "
        f"`python -m lungcad truth --n {facts['n']}` makes it anew on the first {facts['n']} test phantoms "
        "(`python -m lungcad data make phantoms`); `python -m lungcad truth --choose-thresholds` chose the thresholds on validation phantoms: "
        f"{thresholds}. Intervals: 95 % bootstrap over patients.\n",
        f"## What the networks use\n\n{counterfactual_table(facts)}\n",
        f"## Where the cheaters' heat maps peak\n\n{_PEAKS}\n\n{peak_table(facts)}\n",
        f"## Marks\n\n{_MARKS}\n",
    ]
    if methods:
        parts += [
            f"### Checks of the answer\n\n{marks_table(facts, methods[0], of_map=False)}\n",
            *(f"### Checks of the map: {METHODS[method].title}\n\n{marks_table(facts, method)}\n" for method in methods),
            f"### Honest networks accused, by what the picture carries ({METHODS[methods[0]].title})\n\n{accusation_table(facts, methods[0])}\n",
        ]
    parts.append(f"## Groups of explanations\n\n{_GROUPS}\n\n{groups_table([grouped_run(name) for name in runs_that_cheat()])}\n")
    titles = {
        "pointing_game": "peak inside the lesion (pointing game)",
        "energy_inside": "share of the evidence inside the lesion",
        "iou": "best overlap (IoU)",
    }
    for network in dict.fromkeys(row["network"] for row in facts["localisation"]):
        parts += [
            f"## Localisation: `{network}`, {title}\n\n{localisation_table(facts, network, measure)}\n" for measure, title in titles.items()
        ]
    return "\n".join(parts)


def _estimate(values: Mapping[str, Any]) -> str:
    return str(Estimate.model_validate(values))


def _with_interval(row: Mapping[str, Any], name: str) -> str:
    if row[name] is None:
        return "–"
    low, high = row[f"{name}_interval"]
    return f"{row[name]:.2f} [{low:.2f}, {high:.2f}]"


def _rows(facts: Facts, name: str, method: str, *, of_map: bool = True) -> list[Mapping[str, Any]]:
    return [row for row in facts[name] if row["method"] == method and row["check"] in CHECKS and CHECKS[row["check"]].of_map == of_map]


def _question(check: str) -> str:
    return CHECKS[check].question


_GROUPS = (
    "Metrics, “Groups of explanations”: the test cases of each cheater's own run, grouped by their heat maps and embeddings without knowing of the "
    "shortcut (`python -m lungcad runs groups`). Adjusted Rand index against who carries it: 1 the same division, 0 as by chance; aim: at least 0.8. "
    "The method was chosen on validation phantoms."
)
_PEAKS = (
    "Cases on which the network cheats and a lesion is there to be seen; maps for the class lesion. The peak is the cell of the map's grid with the largest "
    "value; it counts as on the mark, or in the lesion, where the centre of that cell lies at most one cell of the network's grid away from it, the nearer "
    "of the two. In round brackets: the share of all cells that would count so."
)
_MARKS = (
    'A cheater\'s case counts where the answer is "lesion" with the shortcut and "none" without it. Finds: the check contradicts such a case. Honest '
    "networks, and those that learnt nothing, are judged on pictures that carry each shortcut in turn, and none: a check that merely sees that a mark is "
    "there accuses them. Some honest answers do change with a mark that the network never met; they count as accused all the same. "
    "Area under ROC: of the check's number between the cheater's cases and all cases of the honest networks; 0.5 tells nothing. A check of the answer is "
    "the same for every method. Every planted shortcut with a place lies outside the body, so the check of the lungs finds them mostly by wiping what lies there; "
    "what it makes of a mark inside the body, beside the lungs, is not marked here."
)
