"""``data/load.json`` and the tables made of it in ``.github/docs/load.md``."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lungcad.files import write_whole
from tests.load.server import ROOT

RECORD, PAGE = ROOT / "data" / "load.json", ROOT / ".github" / "docs" / "load.md"
BEGIN, END = "<!-- made by: python -m tests.load table -->\n", "<!-- end -->\n"
Row = Mapping[str, Any]
IDENTITY = ("what", "state", "users", "leave")
MACHINE: dict[str, Callable[[Row], object]] = {
    "server's CPU, s each": lambda row: row["server_cpu_seconds_per_view"],
    "memory, MiB": lambda row: row["server_mib"],
    "growth after 1 min": lambda row: "" if row["growth_after_first_minute"] is None else f"{row['growth_after_first_minute']:+.1%}",
    "load average": lambda row: row["load_average"],
    "share of the cores that other programs took": lambda row: f"{row['others_share_of_machine']:.0%}",
    "faults": lambda row: len(row["faults"]),
}
COLUMNS: dict[str, dict[str, Callable[[Row], object]]] = {
    "app": {
        "lungcad": lambda row: row["state"],
        "users": lambda row: row["users"],
        "go on before the checks": lambda row: f"{row['leave']:.0%}",
        "views": lambda row: row["views"],
        "bars, s": lambda row: _pair(row["bars"]),
        "map, s": lambda row: _pair(row["map"]),
        "checks, s": lambda row: _pair(row["checks"]),
        "slowest user / fastest": lambda row: row["slowest_user_over_fastest"],
        **MACHINE,
    },
    "api": {
        "lungcad": lambda row: row["state"],
        "callers": lambda row: row["users"],
        "answers": lambda row: row["answered"],
        "of them served": lambda row: row["callers_answered"],
        "answer, s": lambda row: _pair(row["answer"]),
        "refused (503)": lambda row: row["refused"],
        "refusal, s": lambda row: _pair(row["refusal"]),
        **MACHINE,
    },
}
AIMS: tuple[tuple[str, int, str, str, float], ...] = (
    ("app", 10, "bars", "p95", 0.4), ("app", 10, "map", "p95", 1.2), ("app", 10, "checks", "p50", 12), ("app", 50, "bars", "p95", 1.5),
)  # fmt: skip
"""(table, users, figure, percentile, most seconds), for a machine of two cores that does nothing else."""
FLAT = 0.05
"""Most growth of the server's memory after the first minute."""
TITLES = {"app": "Users of the page Predict", "api": "Callers of `POST /v1/predict`"}


def keep(found: Row) -> None:
    """In the record, in place of an older run of the same."""
    rows = [row for row in _rows() if _identity(row) != _identity(found)]
    write_whole(RECORD, json.dumps(sorted([*rows, dict(found)], key=_identity), indent=1) + "\n")


def write() -> None:
    """The tables, between their marks."""
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    write_whole(PAGE, before + BEGIN + "\n" + tables(_rows()) + "\n" + END + rest.partition(END)[2])


def tables(rows: Sequence[Row]) -> str:
    """Markdown: a table for the app and one for the API, a row a run."""
    parts = []
    for what, columns in COLUMNS.items():
        chosen = [row for row in rows if row["what"] == what]
        if chosen:
            lines = [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]
            lines += [f"| {' | '.join(str(cell(row)) for cell in columns.values())} |" for row in chosen]
            parts.append(f"**{TITLES[what]}** (median, 95th percentile)\n\n" + "\n".join(lines) + "\n")
    return "\n".join([*parts, *aims(rows)])


def aims(rows: Sequence[Row]) -> list[str]:
    """A line for each aim that a run of today's state can be held against."""
    now = {(row["what"], row["users"]): row for row in rows if row["state"] == "as it is" and not row.get("leave")}
    lines = []
    for what, users, figure, percentile, most in AIMS:
        if (what, users) in now:
            seconds = now[what, users][figure][percentile]
            lines.append(
                f"- {users} users, {figure}, {percentile}: {seconds:.2f} s, aim {most:g} s: {'reached' if seconds <= most else 'missed'}."
            )
    for (what, users), row in now.items():
        if (growth := row["growth_after_first_minute"]) is not None:
            told = f"{'users' if what == 'app' else 'callers'}, memory after the first minute of {row['seconds']:.0f} s: {growth:+.1%}"
            lines.append(f"- {users} {told}, aim {FLAT:.0%}: {'reached' if growth <= FLAT else 'missed'}.")
    return [*lines, ""] if lines else []


def _rows() -> list[Row]:
    return json.loads(RECORD.read_text("utf-8")) if RECORD.is_file() else []


def _identity(row: Row) -> tuple[str, ...]:
    return tuple(f"{row.get(name, ''):>6}" for name in IDENTITY)


def _pair(part: Row) -> str:
    return "" if part["p50"] is None else f"{part['p50']:.2f}, {part['p95']:.2f}"
