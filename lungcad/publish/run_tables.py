"""The README's tables, as Markdown, from the runs alone."""

from collections.abc import Callable
from pathlib import Path

from lungcad.evaluate.baselines import AREA, HISTOGRAM, METADATA
from lungcad.evaluate.paired_tests import attention_gain
from lungcad.evaluate.scoring import baselines, report
from lungcad.evaluate.stores.runs import Run, read_experiments, read_seeds
from lungcad.paths import RUNS

SHOWN = ("accuracy", "macro F1", "ROC-AUC")
OnFault = Callable[[str], object]
"""Is told of each run that cannot be read, which is left out; without it the first one raises."""


def protocols_table(root: Path = RUNS, on_fault: OnFault | None = None) -> str:
    """One row a run that is no repetition under another seed: what the protocol does to the same recipe, and what trivial baselines reach."""
    lines = [
        "| data set | network | protocol | n (groups) | accuracy | macro F1 | ROC-AUC | best trivial baseline: macro F1 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for run in sorted(read_experiments(root, on_fault=on_fault), key=lambda run: (run.facts["dataset"], run.recipe, _protocol(run))):
        found = report(run)
        test = run.test
        cells = [
            run.facts["dataset"],
            f"`{run.recipe}`",
            _protocol(run),
            f"{len(test)} ({test.group.nunique()})",
        ]
        lines.append(f"| {' | '.join([*cells, *(str(found[metric]) for metric in SHOWN), _best_baseline(run)])} |")
    return "\n".join(lines)


def gain_table(root: Path = RUNS, on_fault: OnFault | None = None) -> str:
    """Attention minus baseline on the same cases for each pair of runs, over all seeds that both have."""
    lines = [
        "| baseline | with attention | test | seeds | difference in accuracy | in macro F1 | in ROC-AUC |",
        "|---|---|---|---|---|---|---|",
    ]
    for baseline, attended in _pairs(root, on_fault):
        sides = read_seeds(baseline, root), read_seeds(attended, root)
        shared = {run.facts["seed"] for run in sides[0]} & {run.facts["seed"] for run in sides[1]}
        plain, other = ([run for run in side if run.facts["seed"] in shared] for side in sides)
        found = {row.metric: row for row in attention_gain(plain, other)}
        cells = [f"{found[m].difference:+.3f} [{found[m].low:+.3f}, {found[m].high:+.3f}]" for m in SHOWN]
        lines.append(f"| `{baseline}` | `{attended}` | {_protocol(plain[0])} | {len(shared)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _pairs(root: Path, on_fault: OnFault | None) -> list[tuple[str, str]]:
    """Runs that differ in attention only: same data set, task, protocol, backbone, folds."""
    runs = read_experiments(root, on_fault=on_fault)

    def key(run: Run) -> tuple[str, ...]:
        return tuple(str(run.facts.get(each)) for each in ("dataset", "task", "protocol", "backbone", "folds"))

    plain = {key(run): run.name for run in runs if run.facts["attention"] == "none"}
    return sorted((plain[key(run)], run.name) for run in runs if run.facts["attention"] != "none" and key(run) in plain)


def _protocol(run: Run) -> str:
    return f"{run.facts['protocol']}, {run.facts['folds']} folds" if run.facts.get("folds") else run.facts["protocol"]


def _best_baseline(run: Run) -> str:
    found = {name: values["macro F1"] for name, values in baselines(run).items() if name in (METADATA, HISTOGRAM, AREA)}
    if not found:
        return "–"
    best = max(found, key=lambda name: found[name].value or 0)
    return f"{found[best]} ({best})"
