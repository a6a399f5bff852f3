"""How the trust checks fare on networks of known truth, as tables, from the marking in ``data/truth`` alone."""

from collections.abc import Mapping
from typing import Any

from lungcad.datasets.phantoms.shortcuts import SHORTCUTS
from lungcad.estimate import Estimate
from lungcad.evaluate.stores.runs import read_run
from lungcad.evaluate.truth.marks import ALL
from lungcad.evaluate.truth.networks import KNOWN_NETWORKS, Role
from lungcad.evaluate.truth.variants import variant_title
from lungcad.explain import METHODS
from lungcad.explain.trust import CHECKS
from lungcad.publish.groups_table import classes_of_groups_table, grouped_run, groups_table, runs_of_data_sets, runs_that_cheat
from lungcad.publish.interval_text import interval_text
from lungcad.publish.method_tables import (
    localisation_table,
    published_table,
    small_lesion_words,
    wall_table,
    wall_words,
)
from lungcad.publish.phantom_tables import OPACITIES, found_lesions_table

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
            f"| `{row['network']}` ({row['role']}) | {row['shortcut']} | {variant_title(row['method'])} | {row['n']} | {mark if has_place else 'has no place'} | "
            f"{row['in_lesion']:.2f} {low_high['in_lesion']} ({row['in_lesion_by_chance']:.2f}) | {row['elsewhere']:.2f} {low_high['elsewhere']} |"
        )
    return "\n".join(lines)


def record(facts: Facts | None, check: str, method: str) -> str | None:
    """How the check fared on networks of known truth, in a sentence or two for the page; None where it was not marked."""
    row = _mark_of(facts, check, method)
    if row is None:
        return None
    finds, accuses = row["sensitivity"], 1 - row["specificity"]
    by = "the picture's grain" if check == "texture" else "a mark outside the lungs"
    with_method = f" with {METHODS[row['method']].title}" if CHECKS[check].of_map else ""
    sentence = (
        f"On made-up slices{with_method} it finds {finds:.0%} of {row['n']} answers that a network took from {by}, "
        f"and accuses {accuses:.0%} of {row['n_honest']} answers of honest networks."
    )
    return f"{sentence} It can hardly tell the two apart." if hardly_tells(facts, check, method) else sentence


def hardly_tells(facts: Facts | None, check: str, method: str) -> bool:
    """Whether the check is known to find what cheats little more often than it accuses what does not."""
    row = _mark_of(facts, check, method)
    return row is not None and bool(row["sensitivity"] - (1 - row["specificity"]) < HARDLY)


def _mark_of(facts: Facts | None, check: str, method: str) -> Facts | None:
    """None where it was not marked. A check of the map: with the method, or with Grad-CAM where the method was not marked. The check of the grain: on networks
    that cheat by it, the others on those that cheat by a mark with a place.
    """
    cheat = "texture" if check == "texture" else ALL
    rows = [row for row in (facts or {}).get("marks", ()) if row["check"] == check and row["cheat"] == cheat]
    of_method = [row for name in (method, "gradcam") for row in rows if row["method"] == name] if CHECKS[check].of_map else rows
    return of_method[0] if of_method and of_method[0]["specificity"] is not None else None


def truth_readme(facts: Facts) -> str:
    """``data/truth/README.md``."""
    honest = [name for name, known in KNOWN_NETWORKS.items() if known.role is Role.HONEST]
    methods = [method for method in dict.fromkeys(row["method"] for row in facts["marks"]) if method in METHODS]
    thresholds = ", ".join(f"{check} {value}" for check, value in facts["thresholds"].items())
    parts_alone = ", ".join(f"`--part {name} --slow {n}`" for name, n in facts["slow_cases"].items())
    parts = [
        "# Networks of known truth, and the marks of the trust checks\n\nGenerated by `python -m lungcad truth-tables --write` from `truth.json`; do not edit. "
        f"`python -m lungcad truth --n {facts['n']}` makes it anew on the first {facts['n']} test phantoms "
        f"({parts_alone} makes or extends one part alone; `python -m lungcad data make phantoms`); "
        "`python -m lungcad truth --choose-thresholds` chose the thresholds on validation phantoms: "
        f"{thresholds}. Intervals: 95 % bootstrap over patients.\n",
        f"## What the networks use\n\n{counterfactual_table(facts)}\n",
        f"## How hard the lesions are: by size and contrast\n\n{_HARD}\n\n{found_lesions_table([read_run(name) for name in honest])}\n",
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
    parts.append(f"{_GROUPS_OF_HONEST}\n\n{classes_of_groups_table([grouped_run(name) for name in honest])}\n")
    parts.append(f"{_GROUPS_OF_DATA}\n\n{classes_of_groups_table([grouped_run(name) for name in runs_of_data_sets()])}\n")
    parts += [
        f"## Does a map show the mark, and follow the answer?\n\n{_PUBLISHED}\n\n{published_table(facts)}\n",
        f"## Do maps see through a wall?\n\n{_WALLS}\n\n{wall_words(facts)}\n\n{wall_table(facts)}\n",
        f"## Which method to use for a nodule of 6 mm?\n\n{_SMALL}\n\n{small_lesion_words(facts)}\n",
    ]
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
    return interval_text(row[name], row[f"{name}_interval"], 2)


def _rows(facts: Facts, name: str, method: str, *, of_map: bool = True) -> list[Mapping[str, Any]]:
    return [row for row in facts[name] if row["method"] == method and row["check"] in CHECKS and CHECKS[row["check"]].of_map == of_map]


def _question(check: str) -> str:
    return CHECKS[check].question


_GROUPS = (
    "Metrics, “Groups of explanations”: the test cases of each cheater's own run, grouped by their heat maps and embeddings without knowing of the "
    "shortcut (`python -m lungcad runs groups`). Adjusted Rand index against who carries it: 1 the same division, 0 as by chance; aim: at least 0.8. "
    "Each channel of an embedding counts as much as the last layer makes of it. The settings and the rule for the number of groups were chosen on validation "
    "phantoms of five cheaters, all but the border's, in trials that are not kept (`python -m lungcad runs groups --compare` sets them side by side; it was "
    "not what chose). The indices on test phantoms were looked at three times on the way, "
    "with the rule's two forerunners "
    "too, which cut pure groups of the hidden cheat in two. A shortcut that few cases carry was not tried."
)
_GROUPS_OF_HONEST = (
    "The honest networks' cases fall into groups too, on test phantoms without any shortcut (`python -m lungcad runs groups phantom-honest --json`): mostly those "
    "called a lesion, and the rest. Two groups by themselves accuse no network; what the images of a group share does."
)
_GROUPS_OF_DATA = (
    "On the data sets nobody knows the truth; this is what the groups of their plain networks' test cases are (`python -m lungcad runs groups RUN --json`). "
    "Groups that are one class each say that the network explains by class, and no more; one that mixes classes, or whose accuracy differs, is worth a "
    "look on the page."
)
_HARD = (
    "The test phantoms of each honest network's own run, from the runs alone. Found: share of those lesions that are called one. ROC-AUC: of those lesions "
    "against all test cases without one; 0.5 is chance. Share of a solid lesion's density: "
    f"{', '.join(f'{name} up to {most:g}' for name, (_, most) in OPACITIES.items())}. "
    "A network that does not see a lesion cannot point at it: what the localisation tables below say of small lesions is to be read beside these rows."
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
    "what it makes of a mark inside the body, beside the lungs, is not marked here. Checks of about a hundred passes were asked on up to 50 cases of each network "
    "(`python -m lungcad truth --check faithfulness --slow-checks 50`, and `--check sanity`), of Grad-CAM."
)
_PUBLISHED = (
    'The two measures of Sun, Koch & Baumgartner, "Right for the wrong reason" (MICCAI 2023, arXiv 2307.12344), on lesions that the network calls so with '
    "the mark and not without it. CS, confounder sensitivity: the share of the mark's pixels among the tenth of the picture's pixels with the largest values; "
    "1 is best, 0.1 is chance. SPC, sensitivity to prediction changes: normalised cross-correlation of the maps with and without the mark; the answer has "
    "changed, so the lower the better; 1: the map has not changed at all. As in the paper and its code: the class explained is the one that the mark stands "
    "for, only cases of that class whose answer changes count, and means are over cases. Different: the mark has its own place in every picture (one mask for "
    "all in the paper); an answer changes at a probability of 0.5 (the best threshold on validation in the paper); pixels without positive evidence never count, "
    "and equal pixels at the cut count in part (in the paper whichever are sorted first); maps of a sign, and class activation maps, are correlated as they are, "
    "before any cut at 0; a map that is the same everywhere correlates with nothing (0); up to 100 cases in the paper, all here, with intervals. "
    "The network that cheats by texture is left out: its mark has no place. Methods that are not listed, "
    "or with fewer cases, take many passes."
)
_WALLS = (
    'After Taimeskhanov, Sicre & Garreau, "CAM-based methods can see through walls" (ECML PKDD 2024, arXiv 2404.01964): the honest networks, made blind at run '
    "time to the lower quarter of the picture. The input is 0 below the wall and the head averages over the cells above it only, so no pixel below changes "
    "the answer, and a map for the class answered has nothing to show there. Share of the positive evidence on the map's own grid that lies behind the wall; a "
    "map lights up there where that is a thousandth or more. Different from the paper: there a VGG is trained with its wall, and its cells below that still see "
    "the picture; here shipped networks get theirs afterwards, and what lies below is blank. A gate's weights mix neighbouring cells, so in the two networks "
    "with a gate cells just below the wall do reach the answer a little, though they know only what stands above."
)
_SMALL = (
    "Read from the tables below, lesions of 4 to 8 mm: the methods whose 95 % interval begins above where those of both controls, a random map and a blob in the "
    "middle, end. Methods of many passes were measured on fewer lesions, so their intervals are wide or mean little."
)
