"""What the checks of an answer cannot see: marks inside the body. A table and a sentence, from the stored run in ``data/lab`` alone."""

from collections.abc import Mapping
from typing import Any

from lungcad.estimate import Estimate

COLUMNS = {
    "needs_no_lungs": "“does not need the lungs”",
    "needs_lungs": "“needs the lungs”",
    "outside_body": "“rests on what lies outside the body”",
}
FINDS = {"lungs": "needs_no_lungs", "surroundings": "outside_body"}
"""Check -> the share of the answers that it finds to come from a mark."""


def inside_marks_table(facts: Mapping[str, Any]) -> str:
    """Markdown: a row a mark, of heads that cheat by it and of honest ones."""
    lines = [f"| mark | heads | answers (patients) | {' | '.join(COLUMNS.values())} |", "|---" * (3 + len(COLUMNS)) + "|"]
    for row in facts["rows"]:
        shares = [Estimate.model_validate(row[name]) for name in COLUMNS]
        cells = " | ".join("–" if each.value is None else f"{each.value:.2f} [{each.low:.2f}, {each.high:.2f}]" for each in shares)
        lines.append(f"| {row['where']} | {row['network']} | {row['n']} ({row['patients']}) | {cells} |")
    return "\n".join(lines)


def inside_marks_section(facts: Mapping[str, Any]) -> str:
    """A section of ``data/regions/README.md``."""
    return (
        "## What the check “Does this answer need the lungs?” cannot see\n\nThe networks of known truth cheat by marks beside the body. Here plain heads on "
        f"resting features (seeds {', '.join(map(str, facts['seeds']))}, {facts['patients']} synthetic patients) cheat by a mark inside it, and are asked about "
        f"{facts['asked']} unseen patients, half with a lesion. Cheaters: answers “lesion” on patients without one that are “none” without the mark, so they are "
        "known to come from it. Honest heads, trained without any mark: answers “lesion” on patients with one, whose picture carries the mark. Share of the answers "
        "of which the checks say so [95 % bootstrap interval over patients]; `python -m lungcad lab --inside-marks` makes it anew.\n\n"
        f"{inside_marks_table(facts)}\n\n"
        "A mark inside a lung goes with the lungs, so the check takes it for them: that an answer needs the lungs does not say that it needs a lesion there. A "
        "mark in the chest wall stays when the lungs go, but a picture without lungs is strange, and an answer that rests on the mark may fall all the same. The "
        "check of what lies outside the body leaves both in the picture.\n"
    )


def blind_spot(facts: Mapping[str, Any] | None, check: str) -> str:
    """How often the check finds an answer that rests on a mark inside the body, in a sentence; empty for other checks, and where it was not measured."""
    if facts is None or check not in FINDS:
        return ""
    found = [
        f"{Estimate.model_validate(row[FINDS[check]]).value or 0.0:.0%} of {row['n']} that rested on {row['where']}"
        for row in facts["rows"]
        if row["network"] == "cheater" and row["mark"] != "letter" and row["n"]
    ]
    return f"It does not see every mark inside the body: of a made-up network’s answers it found {', and '.join(found)}." if found else ""
