"""The README's tables, as Markdown, from the runs alone."""

from collections.abc import Callable
from pathlib import Path

from lungcad.evaluate.baselines import AREA, HISTOGRAM, METADATA
from lungcad.evaluate.metric import Level
from lungcad.evaluate.metric_table import metrics_of
from lungcad.evaluate.paired_tests import attention_gain
from lungcad.evaluate.scoring import baselines, report
from lungcad.evaluate.stores.runs import Run, read_experiments, read_seeds
from lungcad.paths import RUNS

OnFault = Callable[[str], object]
"""Is told of each run that cannot be read, which is left out; without it the first one raises."""


def protocols_table(root: Path = RUNS, on_fault: OnFault | None = None) -> str:
    """One row a run that is no repetition under another seed: what the protocol does to the same recipe, and what trivial baselines reach."""
    lines = [
        f"| data set | network | protocol | n (groups) | {' | '.join(_shown())} | best trivial baseline: macro F1 |",
        "|---" * (5 + len(_shown())) + "|",
    ]
    for run in sorted(read_experiments(root, on_fault=on_fault), key=lambda run: (run.facts["dataset"], run.recipe, _protocol(run))):
        scores = report(run)
        test = run.test
        cells = [
            run.facts["dataset"],
            f"`{run.recipe}`",
            _protocol(run),
            f"{len(test)} ({test.group.nunique()})",
        ]
        lines.append(f"| {' | '.join([*cells, *(str(scores[metric]) for metric in _shown()), _best_baseline(run)])} |")
    return "\n".join(lines)


def gain_table(root: Path = RUNS, on_fault: OnFault | None = None) -> str:
    """Attention minus baseline on the same cases for each pair of runs, over all seeds that both have."""
    lines = [
        f"| baseline | with attention | test | seeds | difference in {' | in '.join(_shown())} |",
        "|---" * (4 + len(_shown())) + "|",
    ]
    for baseline, attended in _pairs(root, on_fault):
        sides = read_seeds(baseline, root), read_seeds(attended, root)
        shared = {run.facts["seed"] for run in sides[0]} & {run.facts["seed"] for run in sides[1]}
        plain, other = ([run for run in side if run.facts["seed"] in shared] for side in sides)
        gain_by_metric = {row.metric: row for row in attention_gain(plain, other)}
        cells = [f"{gain_by_metric[m].difference:+.3f} [{gain_by_metric[m].low:+.3f}, {gain_by_metric[m].high:+.3f}]" for m in _shown()]
        lines.append(f"| `{baseline}` | `{attended}` | {_protocol(plain[0])} | {len(shared)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _shown() -> list[str]:
    return [metric.name for metric in metrics_of(Level.SUMMARY) if metric.classes is None]


def _pairs(root: Path, on_fault: OnFault | None) -> list[tuple[str, str]]:
    """Runs that differ in attention only: same data set, task, protocol, groups, backbone, folds, planted shortcut, first weights, and what is shown."""
    runs = read_experiments(root, on_fault=on_fault)

    def key(run: Run) -> tuple[str, ...]:
        return tuple(
            str(run.facts.get(each))
            for each in (
                "dataset",
                "task",
                "protocol",
                "grouping",
                "backbone",
                "folds",
                "shortcut",
                "concepts",
                "swapped_surroundings",
                "see",
                "initialised_with",
                "turns",
            )
        )

    plain = {key(run): run.name for run in runs if run.facts["attention"] == "none"}
    return sorted((plain[key(run)], run.name) for run in runs if run.facts["attention"] != "none" and key(run) in plain)


def _protocol(run: Run) -> str:
    return f"{run.facts['protocol']}, {run.facts['folds']} folds" if run.facts.get("folds") else run.facts["protocol"]


def _best_baseline(run: Run) -> str:
    f1_by_baseline = {name: values["macro F1"] for name, values in baselines(run).items() if name in (METADATA, HISTOGRAM, AREA)}
    if not f1_by_baseline:
        return "–"
    best = max(f1_by_baseline, key=lambda name: f1_by_baseline[name].value or 0)
    return f"{f1_by_baseline[best]} ({best})"


HOW_TO_READ = """How to read this:

- **Published splits leak**, and random splits over slices leak more. lungcad's own numbers are `grouped`; the `published` rows show what the same recipe
  seems to reach when patients and copies may stand on both sides.
- Compare a number with the trivial baseline beside it. Where format, border or grey levels alone come close, part of a network's accuracy may be
  recognition of the source, not of the disease.
- Groups are patients for LIDC only. Elsewhere they are proxies, so some patients may still stand on both sides and the intervals may be too narrow.
- Each run names the precision it was computed in (most: bfloat16). On a machine with another one borderline cases may change sides; `python -m lungcad evaluate` shows by how much.
- In a pair, attention (and, of a network called taught, that its mask was taught) is the only difference (same data, split, seed and recipe). Where an interval of the gain holds 0, these runs do not show that
  attention helps. The mask of `chest-efficientnet-lite0-gate` is close to 1 nearly everywhere on most slices; the app says so where it is, and
  `explain SLICE --method attention --json` prints the share (`flat_share`).
- Checkpoints, temperatures and operating points come from validation parts. Where a choice was made after something of a test part had been seen, or
  an aim was missed, the card says so (`aim`, listed in [`weights/README.md`](../../weights/README.md)).
- A card's numbers are those of the float16 weights as shipped; the predictions behind them are in `data/runs/`. `evaluate` warns when it is pointed at
  images that the network was trained on.
"""  # noqa: E501  paragraphs of the README, on their lines


def runs_readme(root: Path = RUNS, on_fault: OnFault | None = None) -> str:
    """``data/runs/README.md``: what the protocol does to the same recipe, what attention gains, and how to read both."""
    return (
        "# Evaluation runs\n\nGenerated by `python -m lungcad runs tables --write` from the runs in this folder. Value [95 % bootstrap interval over groups].\n\n"
        "## Every run by data set and protocol\n\nBeside each run the best trivial baseline on the same test cases (always the commonest class; format, size and "
        f"border of the file; the grey histogram; for LIDC the nodule's area).\n\n{protocols_table(root, on_fault)}\n\n"
        f"## What attention gains\n\n{gain_table(root, lambda _: None)}\n\n{HOW_TO_READ}"
    )
