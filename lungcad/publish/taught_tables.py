"""Attention that was taught, and better nodule networks, as tables: from ``data/taught`` and the runs alone."""

from collections.abc import Mapping, Sequence
from typing import Any

from lungcad.estimate import Estimate
from lungcad.evaluate.nodule_candidates import AIMS, DIAMETER
from lungcad.evaluate.taught import ARMS, MEASURES, TODAY, TODAY_NETWORK
from lungcad.explain import METHODS
from lungcad.publish.interval_text import interval_text

Facts = Mapping[str, Any]


def test_table(facts: Facts) -> str:
    """Markdown: a row an arm and seed."""
    lines = ["| network | seed | n | ROC-AUC | macro F1 |", "|---|---|---|---|---|"]
    for row in facts["test"]:
        lines.append(
            f"| {row['arm']} (`{ARMS[row['arm']]}`) | {row['seed']} | {row['n']} | {_estimate(row['auc'])} | {_estimate(row['macro_f1'])} |"
        )
    return "\n".join(lines)


def difference_table(facts: Facts) -> str:
    """Markdown: a row a pair of arms and metric; mean over the seeds."""
    lines = ["| from | to | metric | first | second | difference | p |", "|---|---|---|---|---|---|---|"]
    for row in facts["differences"]:
        gap = f"{row['difference']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}]"
        lines.append(
            f"| {row['first']} | {row['second']} | {row['metric']} | {row['first_value']:.3f} | {row['second_value']:.3f} | {gap} | {row['p']:.3f} |"
        )
    return "\n".join(lines)


def localisation_table(facts: Facts) -> str:
    """Markdown: a row an arm and method; mean over the seeds, then each seed."""
    lines = [
        "| network | map | n | peak inside (pointing game) | by seed | evidence inside | by seed |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in facts["localisation"]:
        arm = f"before (`{TODAY_NETWORK}`)" if row["arm"] == TODAY else row["arm"]
        cells = [
            cell
            for measure in MEASURES
            for cell in (_estimate(row[measure]), ", ".join(f"{seed[measure]:.3f}" for seed in row["by_seed"].values()))
        ]
        lines.append(f"| {arm} | {METHODS[row['method']].title} | {row['n']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def aims_sentences(facts: Facts) -> list[str]:
    """What the taught mask was to reach, and whether it did."""
    aims = facts["aims"]
    pointing, ratio = (
        Estimate.model_validate({key: aims[name][key] for key in ("value", "low", "high")}) for name in ("pointing_game", "energy_ratio")
    )
    sentences = [
        f"Peak of the taught mask inside the contour: {pointing}, aim at least {aims['pointing_game']['aim']}: {_reached(pointing, aims['pointing_game']['aim'])}.",
        f"Evidence inside, as a multiple of Grad-CAM's of `{TODAY_NETWORK}`: {ratio}, aim at least {aims['energy_ratio']['aim']:.0f}: "
        f"{_reached(ratio, aims['energy_ratio']['aim'])}.",
    ]
    for control, values in aims["above_controls"].items():
        gaps = [Estimate.model_validate(values[measure]) for measure in MEASURES]
        above = all(gap.low is not None and gap.low > 0 for gap in gaps)
        sentences.append(
            f"Above the control {METHODS[control].title}: pointing game by {gaps[0]}, evidence inside by {gaps[1]}: {'reached' if above else 'missed'}."
        )
    return sentences


def candidate_table(rows: Sequence[Facts]) -> str:
    """Markdown: a row a recipe and way of answering, best on validation first."""
    n, several = rows[0]["n"], list(AIMS)[1]
    lines = [
        f"| trained as | answers by | validation ({n['valid']}) | test, all ({n['all']}) | test, {several} readers ({n[several]}) |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        name = row["recipe"] if row["recipe"] == DIAMETER else f"`{row['recipe']}`"
        areas = " | ".join(_estimate(each) for each in (row["valid"], *row["test"].values()))
        lines.append(f"| {name} | {row['way']} | {areas} |")
    return "\n".join(lines)


def candidate_sentences(rows: Sequence[Facts]) -> list[str]:
    """The one chosen on validation, and whether it reaches the aims on test."""
    best = rows[0]
    sentences = [f"Best on validation: `{best['recipe']}`, {best['way']}."]
    for readers, aim in AIMS.items():
        auc = Estimate.model_validate(best["test"][readers])
        who = "all test nodules" if readers == "all" else f"test nodules with {readers} readers"
        sentences.append(f"AUC over {who}: {auc}, aim at least {aim}: {_reached(auc, aim)}.")
    return sentences


def backbone_table(rows: Sequence[Facts]) -> str:
    """Markdown: a row a backbone and way of training."""
    lines = [
        f"| backbone | trained | run | seed | validation ({rows[0]['n_valid']}) | above Lite0 | test ({rows[0]['n_test']}) | above Lite0 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    before = None
    for row in rows:
        above = ["–"] * 2 if row["trained"] != before else [_signed(row[f"{part}_above"]) for part in ("valid", "test")]
        before = row["trained"]
        cells = [_estimate(row["valid"]), above[0], _estimate(row["test"]), above[1]]
        lines.append(f"| {row['backbone']} | {row['trained']} | `{row['run']}` | {row['seed']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def taught_readme(facts: Facts, candidates: Sequence[Facts], backbones: Sequence[Facts]) -> str:
    """``data/taught/README.md``."""
    return "\n".join(
        [
            "# Attention that was taught, and better nodule networks\n\nGenerated by `python -m lungcad taught-tables --write`; do not edit. The rows behind "
            "it are measured by `python -m lungcad taught` (`localisation.parquet`, `answers.parquet`) and by the trainings (`data/runs`). Value "
            "[95 % bootstrap interval over patients].\n",
            f"## What teaching costs: AUC and F1 on test patients\n\n{_TEST}\n\n{test_table(facts)}\n\n{difference_table(facts)}\n",
            f"## What it brings: on the nodule, in crops moved at random\n\n{_LOCALISATION}\n\n{localisation_table(facts)}\n",
            "\n".join(f"- {sentence}" for sentence in aims_sentences(facts)) + "\n",
            f"## Better nodule networks\n\n{_CANDIDATES}\n\n{candidate_table(candidates)}\n",
            "\n".join(f"- {sentence}" for sentence in candidate_sentences(candidates)) + "\n",
            f"## Larger backbones\n\n{_BACKBONES}\n\n{backbone_table(backbones)}\n",
        ]
    )


def _estimate(values: Mapping[str, Any]) -> str:
    return str(Estimate.model_validate(values))


def _signed(values: Mapping[str, Any]) -> str:
    return "–" if values["low"] is None else interval_text(values["value"], (values["low"], values["high"]), sign="+")


def _reached(estimate: Estimate, aim: float) -> str:
    if estimate.value is None:
        return "not defined"
    return "reached" if estimate.value >= aim else f"missed by {aim - estimate.value:.3f}"


_TEST = (
    "Three networks trained alike on the same patients, three seeds each: without attention, with a gate, and with the same gate drawn to the readers' contours. "
    "All begin with the features of `lidc-efficientnet-lite0`, of which only the last stage learns on, so the seeds differ in the new layers' first weights and "
    "in what is drawn when, not in the first stages. Seed 0 of each is shipped "
    "(`python -m lungcad train weights/NAME.yaml --seed 1` makes the others). Differences: paired, mean over the seeds; interval over patients and seeds."
)
_LOCALISATION = (
    "Each test crop with a contour is moved by up to 16 of its 128 pixels each way, alike for every network, and the class malignant is explained. "
    "The mask depends on no class. Random map and centred Gaussian are controls."
)
_CANDIDATES = (
    "AUC of benign against malignant. The choice is made on validation, the first column of numbers; test stands beside it. `lidc-efficientnet-lite0` was "
    "trained on two classes, `lidc-efficientnet-lite0-votes` goes on from it with the readers' votes as soft targets and the indeterminate nodules. One "
    "network: seed 0, the one that is shipped; `lungcad predict NODULE.png --model lidc-efficientnet-lite0-votes --turns 4` answers as its row of quarter "
    "turns does, kept as the run `lidc-efficientnet-lite0-votes-turned` (`lungcad runs turn --model lidc-efficientnet-lite0-votes`). The"
    " readers' mean diameter, without any network, is the last row."
)
_BACKBONES = (
    "AUC of benign against malignant, one seed each, chosen on validation: recipes in `data/taught/backbones`, weights not shipped unless they stand in `weights`. "
    "Differences: on the same nodules, to Lite0 trained alike."
)
