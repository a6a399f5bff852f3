"""Running entries one after the other; each row is kept as it finishes."""

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from lungcad.bench.entry import BenchEntry, Row
from lungcad.bench.table import ENTRIES
from lungcad.errors import LungcadError, lookup
from lungcad.files import check_can_write, write_whole
from lungcad.machine import machine
from lungcad.names import printable
from lungcad.paths import SHIPPED, to_write
from lungcad.stored_json import read_json

BENCH = SHIPPED / "data" / "bench.json"
"""The rows that the repository keeps."""


def chosen(only: str | None = None, *, everything: bool = False) -> list[BenchEntry]:
    """The entries to run: those named (commas between), all of them, or the short set."""
    if only is not None and everything:
        raise LungcadError("--only and --all exclude each other; give one of them.")
    if only is None:
        return [each for each in ENTRIES.values() if everything or each.in_short_set]
    names = dict.fromkeys(name.strip() for name in only.split(",") if name.strip())
    if not names:
        raise LungcadError(f"--only names no benchmark entry; choose from: {', '.join(ENTRIES)}.")
    return [lookup(ENTRIES, name, "benchmark entry") for name in names]


def run(
    entries: Sequence[BenchEntry],
    *,
    out: Path,
    data: Path | None = None,
    on_entry: Callable[[int, float], None] | None = None,
    on_fault: Callable[[str], None] | None = None,
) -> Iterator[Row]:
    """Measure the entries; each row is in ``out`` before it is given back, so that whoever stops keeps what was measured.

    out: JSON, a list of rows; a row of the same name there is replaced, the others stay. data: a folder that holds the data sets under their names; where it
    is None they are looked for as usual. on_entry: called before each with its number from 0 and the seconds that are about left. on_fault: called with the
    sentence of an entry that could not be measured, after which the others go on; without it the error is raised.
    """
    if data is not None and not data.is_dir():
        raise LungcadError(f"There is no folder {printable(data)!r}; --data takes the folder that holds the data sets, say data/.")
    rows = {str(row["name"]): row for row in read_rows(out)} if out.exists() else {}
    check_can_write(out)
    expected, taken = 0.0, 0.0
    for number, each in enumerate(entries):
        if on_entry:
            pace = taken / expected if expected else 1.0
            on_entry(number, pace * sum(entry.seconds for entry in entries[number:]))
        try:
            row = measured(each, data)
        except LungcadError as error:
            if on_fault is None:
                raise
            on_fault(f"{each.name}: {error}")
            continue
        expected, taken = expected + each.seconds, taken + float(row["seconds"])
        rows[each.name] = row
        write_whole(out, json.dumps(_in_order(rows), indent=2) + "\n")
        yield row


def measured(entry: BenchEntry, data: Path | None = None) -> Row:
    """The entry's row with its name, the seconds and processor seconds that it took, the date, the machine, and the load average as it began."""
    load, start, processor = os.getloadavg()[0] if hasattr(os, "getloadavg") else None, time.perf_counter(), sum(os.times()[:4])
    row = {"name": entry.name, **entry.measure(data)}
    row |= {
        "seconds": round(time.perf_counter() - start, 1),
        "processor_seconds": round(sum(os.times()[:4]) - processor, 1),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
    }
    return row if load is None else row | {"load_average_before": round(load, 2)}


def read_rows(path: Path) -> list[Row]:
    """The rows that a run kept."""
    fault = LungcadError(f"The file {printable(path)!r} holds no rows of the benchmark; name another with --out, or restore it.")
    try:
        rows = read_json(path)
    except (OSError, ValueError):
        raise fault from None
    if not isinstance(rows, list) or not all(
        isinstance(row, dict) and {"name", "ours", "plain", "ratio", "unit"} <= row.keys() for row in rows
    ):
        raise fault
    return rows


def place(out: Path | None) -> Path:
    """Where rows go by default: data/bench.json of the checkout, or below the folder one stands in."""
    if out is None:
        out = to_write(BENCH)
        out.parent.mkdir(parents=True, exist_ok=True)
    return out


def _in_order(rows: dict[str, Row]) -> list[Row]:
    order = list(ENTRIES)
    return sorted(rows.values(), key=lambda row: order.index(str(row["name"])) if row["name"] in order else len(order))
