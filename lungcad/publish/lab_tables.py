"""The lab's table in the sheet for a class (``.github/docs/lab.md``), from the stored run in ``data/lab`` alone."""

import re
from collections.abc import Mapping
from typing import Any

from lungcad.errors import LungcadError
from lungcad.estimate import Estimate

BEGIN, END = "<!-- lab table: python -m lungcad lab --write-sheet -->", "<!-- end of lab table -->"
COLUMNS = {
    "clean": "accuracy without the marker",
    "planted": "with the marker",
    "swapped": "marker on the other class",
    "on_lesion": "map peaks on the lesion",
    "on_shortcut": "map peaks on the marker",
}


def lab_table(facts: Mapping[str, Any]) -> str:
    """Markdown: a row a kind of training."""
    lines = [f"| trained on | head | {' | '.join(COLUMNS.values())} |", "|---" * (2 + len(COLUMNS)) + "|"]
    for row in facts["rows"]:
        trained_on = "clean" if row["share"] is None else f"a {row['trained_on']} on {row['share']:.0%} of the lesions"
        lines.append(f"| {trained_on} | {row['head']} | {' | '.join(_cell(row[name]) for name in COLUMNS)} |")
    controls = [Estimate.model_validate(facts["rows"][0][name]) for name in ("random", "centre")]
    return "\n".join(
        [
            *lines,
            "",
            f"{facts['rows'][0]['n']} test patients, seeds {', '.join(map(str, facts['seeds']))}: mean [lowest to highest end of the seeds' 95 % bootstrap "
            f"intervals over patients]. Controls: a random map peaks on the lesion in {controls[0].value:.2f}, a blob in the middle in {controls[1].value:.2f}.",
        ]
    )


def sheet_with_table(sheet: str, facts: Mapping[str, Any]) -> str:
    """The sheet with the table between its markers anew."""
    if BEGIN not in sheet or END not in sheet:
        raise LungcadError("The sheet .github/docs/lab.md has lost the markers of its table; restore them from the repository.")
    return re.sub(f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _: f"{BEGIN}\n{lab_table(facts)}\n{END}", sheet, flags=re.DOTALL)


def _cell(values: Mapping[str, Any]) -> str:
    estimate = Estimate.model_validate(values)
    return "–" if estimate.value is None else f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]"
