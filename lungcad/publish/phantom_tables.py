"""How hard the synthetic patients are: which lesions networks find, by size and contrast, from their shipped runs alone."""

from collections.abc import Sequence
from itertools import pairwise, product

from lungcad.datasets.phantoms.draw import DIAMETERS_MM, draw_patient
from lungcad.datasets.phantoms.make import planned_cases
from lungcad.evaluate.metric_table import summarise
from lungcad.evaluate.stores.runs import Run

SIZES_MM = (DIAMETERS_MM[0], 8.0, 15.0, 25.0, DIAMETERS_MM[1])
OPACITIES = {"ground glass": (0.0, 0.55), "part solid": (0.55, 0.9), "solid": (0.9, 1.0)}
"""Name -> from, and to: 1 is solid tissue, 0 is lung."""


def found_lesions_table(runs: Sequence[Run]) -> str:
    """Markdown: of the lesions of each size and contrast, how many each network finds, and how well it ranks them above all cases without one.

    runs: of the same test cases of the shipped synthetic patients, on lesion and none.
    """
    heads = " | ".join(f"`{run.name}`: found | ROC-AUC" for run in runs)
    lines = [f"| lesions | n | {heads} |", "|---" * (2 + 2 * len(runs)) + "|"]
    for kind, lesions in _lesions_by_kind(runs[0]).items():
        cells = []
        for run in runs:
            table = run.test[run.test.case.isin(lesions) | (run.test.label == "none")]
            result = summarise(run.labels(table), run.probabilities(table), run.classes, groups=table.group)
            cells += [str(result.recall["lesion"]), str(result.auc)]
        lines.append(f"| {kind} | {len(lesions)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _lesions_by_kind(run: Run) -> dict[str, list[str]]:
    """Title -> cases: all lesions, those of each size, of each contrast, and of both."""
    planned = planned_cases(run.test.case[run.test.label == "lesion"]) or {}
    drawn = {case: draw_patient(each.seed, each.label).lesion for case, each in planned.items()}
    lesions = {case: lesion for case, lesion in drawn.items() if lesion is not None}
    by_size = {
        f"{low:g}–{high:g} mm": [case for case, lesion in lesions.items() if low <= lesion.diameter_mm < high]
        for low, high in pairwise(SIZES_MM)
    }
    by_contrast = {
        name: [case for case, lesion in lesions.items() if low < lesion.opacity <= high] for name, (low, high) in OPACITIES.items()
    }
    both = {
        f"{size}, {contrast}": [case for case in by_size[size] if case in by_contrast[contrast]]
        for size, contrast in product(by_size, by_contrast)
    }
    by_kind = {"all": list(lesions)} | by_size | by_contrast | both
    return {kind: cases for kind, cases in by_kind.items() if cases}
