"""The rows of a benchmark as Markdown: data/bench.md is made of them."""

from collections.abc import Sequence

from lungcad.bench.cold_start import STEPS
from lungcad.bench.entry import Row
from lungcad.bench.table import ENTRIES

UNKNOWN = "not noted"


def bench_readme(rows: Sequence[Row]) -> str:
    """The text of data/bench.md."""
    return "\n".join(
        [
            "# What it costs",
            "",
            "`python -m lungcad bench` measures a short set of entries (less than five minutes on two cores), `--all` every one, `--only A,B` those named;",
            "each is lungcad against the plain library call, in one run on one machine; its row is in [`data/bench.json`](bench.json) as soon as it is measured.",
            "`python -m lungcad bench --only NAME --write` makes this page anew. Times depend on the machine: see the last column.",
            "",
            table(rows),
            "",
            *_machines(rows),
            "",
            *_missing(rows),
            *_first_minute(rows),
            "What a page and its controls take in a browser, beside the barest Streamlit page, over runs of 10,000 and of a million predictions:",
            "`pytest tests/e2e/test_runs_browser.py -k how_long` prints it.",
            "",
        ]
    )


def table(rows: Sequence[Row]) -> str:
    """Markdown table of the rows."""
    machines = _named(rows)
    lines = ["| entry | ours | plain | ratio | what is measured | measured |", "|---|---|---|---|---|---|"]
    for row in rows:
        name, unit = str(row["name"]), row["unit"]
        what = ENTRIES[name].what if name in ENTRIES else "(an entry that is gone)"
        when = (
            f"{row['date']}, {machines[str(row['machine'])]}, load {row.get('load_average_before', '–')}" if "machine" in row else UNKNOWN
        )
        if "processor_seconds" in row:
            when += f", {row['processor_seconds']:.0f} of {row['seconds']:.0f} s on a processor"
        lines.append(f"| `{name}` | {row['ours']:.3g} {unit} | {row['plain']:.3g} {unit} | {row['ratio']:.2f} | {what} | {when} |")
    return "\n".join(lines)


def _missing(rows: Sequence[Row]) -> list[str]:
    missing = [f"`{name}`" for name in ENTRIES if name not in {row["name"] for row in rows}]
    return [f"Not measured yet: {', '.join(missing)}.", ""] if missing else []


def _first_minute(rows: Sequence[Row]) -> list[str]:
    """What `cold_start` found, step by step, beside issue 15's figures."""
    row = next((row for row in rows if row["name"] == "cold_start"), None)
    if row is None:
        return []
    lines = [
        "## The first minute",
        "",
        f"From the row of `cold_start`, each step in processes of its own, {row['disk']} disk; the app's steps count from its start. Processor time hardly depends",
        "on what else the machine does. Before: as issue 15 tells it, on two free cores of another machine, so only roughly comparable.",
        "",
        "| step | before, s | now, s | of processor time | aim, s |",
        "|---|---|---|---|---|",
    ]
    for step in STEPS:
        now = [f"{float(row[key]):.2f}" if key in row else "left out" for key in (f"{step.key}_s", f"{step.key}_cpu_s")]
        lines.append(f"| {step.what} | {step.before} | {now[0]} | {now[1]} | {step.aim} |")
    return [*lines, ""]


def _named(rows: Sequence[Row]) -> dict[str, str]:
    """Machine -> its letter in the table."""
    machines = dict.fromkeys(str(row["machine"]) for row in rows if "machine" in row)
    return {machine: chr(ord("A") + number) for number, machine in enumerate(machines)}


def _machines(rows: Sequence[Row]) -> list[str]:
    lines = [f"- {letter}: {machine}" for machine, letter in _named(rows).items()]
    if lines:
        lines = ["Machines (load: the load average of the last minute as the entry began; of two cores, 2 is busy):", "", *lines]
    if any("machine" not in row for row in rows):
        lines += [
            "",
            f"Rows “{UNKNOWN}” are of earlier sessions, on three machines of two cores without a GPU; two of them lack bfloat16 (`precision` in the file), where",
            "lungcad's own side gains nothing from reduced precision.",
        ]
    return lines
