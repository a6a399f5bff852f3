"""How well exported files agree with torch, as a table."""

from collections.abc import Sequence
from typing import Any

BEGIN, END = "<!-- made by: python -m lungcad export-table --write -->\n", "<!-- end -->\n"


def export_table(rows: Sequence[dict[str, Any]]) -> str:
    """Markdown: a row a network and format."""
    lines = [
        "| network | format | MB | images | n | same class | largest difference of a probability | from lungcad's answers (precision) |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| `{row['network']}` | {row['format']} | {row['bytes'] / 1e6:.1f} | {row['images']} | {row['n']} | {row['same_class']} | "
        f"{row['largest_difference']:.1e} | {row['answer_difference']:.3f}, same class {row['answer_same_class']} ({row['precision']}) |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def with_table(page: str, rows: Sequence[dict[str, Any]]) -> str:
    """The page with the table between its marks."""
    before, _, rest = page.partition(BEGIN)
    return before + BEGIN + "\n" + export_table(rows) + "\n" + END + rest.partition(END)[2]
