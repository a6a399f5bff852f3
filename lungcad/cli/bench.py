"""The command that measures what lungcad costs."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

from lungcad.cli.common import Json, app, complain, messages, print_json, print_table, table_of
from lungcad.files import write_whole
from lungcad.names import printable

if TYPE_CHECKING:
    from lungcad.bench.entry import BenchEntry, Row


@app.command()
def bench(
    only: Annotated[str | None, typer.Option(help="Names of entries with commas between; a wrong name lists them all.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every entry (about half an hour) instead of the short set.")] = False,
    data: Annotated[
        Path | None,
        typer.Option(help="Folder that holds the data sets; by default looked for in data/. Phantoms stand in where one is missing."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="JSON: each row goes there as it finishes, beside rows of other entries; by default data/bench.json."),
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Write bench.md beside that file anew.")] = False,
    as_json: Json = False,
) -> None:
    """Measure lungcad against the plain library calls, in this run on this machine: a short set of less than five minutes, --all or --only A,B."""
    from lungcad.bench.report import bench_readme
    from lungcad.bench.run import chosen, place, read_rows, run
    from lungcad.bench.table import ENTRIES

    entries = chosen(only, everything=everything)
    kept = place(out)
    rows: list[Row] = []
    faults: list[str] = []
    stopped = False
    try:
        with _entry_progress(entries) as begin:
            for row in run(entries, data=data, out=kept, on_entry=begin, on_fault=faults.append):
                rows.append(row)
    except KeyboardInterrupt:
        stopped = True
    for fault in faults:
        complain(fault)
    if write and kept.exists():
        write_whole(kept.with_suffix(".md"), bench_readme(read_rows(kept)))
    if as_json:
        print_json(rows)
    elif rows:
        table = table_of("name", "ours", "plain", "ratio", "unit", "meaning")
        for row in rows:
            name = str(row["name"])
            table.add_row(name, f"{row['ours']:.4g}", f"{row['plain']:.4g}", f"{row['ratio']:.2f}", str(row["unit"]), ENTRIES[name].what)
        print_table(table)
    if stopped:
        complain(f"Stopped: {len(rows)} of {len(entries)} entries were measured{f' and are in {printable(kept)}' if rows else ''}.")
        raise typer.Exit(130)
    if faults:
        raise typer.Exit(2)


@contextmanager
def _entry_progress(entries: "list[BenchEntry]") -> Iterator[Callable[[int, float], None]]:
    """On a terminal a bar with the entry's name and the time left; elsewhere a line an entry, so that a log tells it too."""
    on_terminal = sys.stderr.isatty()
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), _TimeLeft())
    with Progress(*columns, console=messages, transient=True, disable=not on_terminal) as bar:
        task = bar.add_task("", total=len(entries), left=0.0, since=0.0)

        def begin(number: int, left: float) -> None:
            title = f"{number + 1} of {len(entries)}: {entries[number].name}"
            bar.update(task, description=title, completed=number, left=left, since=time.monotonic())
            if not on_terminal:
                messages.print(f"{title}, {_spoken(left)} left in all")

        yield begin


class _TimeLeft(ProgressColumn):
    """What the entries are expected to take still, counted down."""

    def render(self, task: Task) -> Text:
        return Text(f"{_spoken(task.fields['left'] - (time.monotonic() - task.fields['since']))} left")


def _spoken(seconds: float) -> str:
    return f"about {max(1, round(seconds))} s" if seconds < 90 else f"about {round(seconds / 60)} min"
