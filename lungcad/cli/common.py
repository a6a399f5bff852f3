"""What every command shares: the Typer apps, options, progress, output."""

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, overload

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Column, Table
from typer.core import TyperGroup

from lungcad.errors import LungcadError
from lungcad.files import check_can_write, same_file
from lungcad.names import printable


class _Commands(TyperGroup):
    """Refuses an empty argument, as an unset variable of the shell leaves one: as a path it would mean the folder one stands in."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Before anything is read or written."""
        for before, argument in zip(["", *args], args, strict=False):
            option = re.fullmatch(r"(--[\w-]+)=\s*", argument)
            if option or not argument.strip():
                named = (
                    option[1]
                    if option
                    else before
                    if before.startswith("-")
                    else f"after {printable(before)[:40]!r}"
                    if before
                    else "given first"
                )
                raise LungcadError(
                    f"The argument {named} is empty (an unset variable of the shell, perhaps); give it a value or leave it out."
                )
        return super().parse_args(ctx, args)


app = typer.Typer(cls=_Commands, add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
messages = Console(stderr=True, markup=False, emoji=False, highlight=False)  # names are printed as they are: "[a]" is no markup
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Model = Annotated[str, typer.Option(help="A name that `models` lists.")]
Parts = Annotated[
    str | None,
    typer.Option(
        help=(
            "Which folders are which part, for names that are not known: a=train,b=test (train, valid or test; a folder's name or "
            "its path)."
        )
    ),
]
DataOrName = Annotated[str, typer.Option(help="Name of a data set on this machine, or a folder laid out like one.")]
Layout = Annotated[str | None, typer.Option(help="How the folder is laid out; by default as the network's own data set.")]
BackendName = Annotated[
    str,
    typer.Option(
        "--backend",
        help="Runtime of the forward passes: torch, onnxruntime, openvino, onnxruntime-int8 (less exact), or several with commas between, tried in that order; "
        "auto takes the fastest "
        "that `lungcad backends --measure` found here, torch until then.",
    ),
]
Models = Annotated[str, typer.Option(help="A name that `models` lists, or several with commas between: their calibrated mean.")]
Turns = Annotated[
    int,
    typer.Option(
        help="4: answer with the mean over the picture's four quarter turns (nodule crops and tissue tiles); 1: the picture as it is."
    ),
]


@overload
def names_in(given: str) -> list[str]: ...


@overload
def names_in(given: str | None) -> list[str] | None: ...


def names_in(given: str | None) -> list[str] | None:
    """Of an option that takes names with commas between, at least one; None where the option is not given."""
    if given is None:
        return None
    if not (names := [name.strip() for name in given.split(",") if name.strip()]):
        raise LungcadError(f"The option's text {printable(given)[:40]!r} names nothing; give names with commas between.")
    return names


def located(data: str, layout: str | None, own: str) -> tuple[Path, str]:
    """(folder, layout) of :data:`DataOrName` and :data:`Layout`. own: the network's data set."""
    from lungcad.datasets import DATASETS

    known = data in DATASETS
    return DATASETS[data].locate() if known else Path(data), layout or (data if known else own)


def complain(sentence: str) -> None:
    """One sentence to standard error."""
    print(f"lungcad: {printable(sentence)}", file=sys.stderr)


def table_of(*columns: str, title: str | None = None) -> Table:
    """A table whose cells are folded, never cut."""
    return Table(*(Column(name, overflow="fold") for name in columns), title=title, title_justify="left")


def print_table(table: Table) -> None:
    """To standard output; what stands in it is text, never markup."""
    Console(markup=False, emoji=False, highlight=False).print(table)


@contextmanager
def progress(title: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error, on a terminal only."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=messages, transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(printable(title))
        yield lambda done, total: bar.update(task, completed=done, total=total)


def print_json(value: object, *, indent: int | None = 2) -> None:
    """To standard output; never NaN."""
    in_unicode = (sys.stdout.encoding or "").lower().startswith("utf")
    print(json.dumps(value, indent=indent, ensure_ascii=not in_unicode, allow_nan=False), flush=True)


def check_writable(path: Path | None, suffix: str, *, source: Path | None = None) -> None:
    """A usage error, before any work, where the file could not be written, ends otherwise, or is the source that would be lost."""
    if path is None:
        return
    if path.suffix.lower() != suffix:
        raise LungcadError(f"The output file '{printable(path)[-200:]}' must end in {suffix}.")
    if source is not None and same_file(path, source):
        raise LungcadError(f"The output '{printable(path)[-200:]}' is the image itself, which would be lost; choose another name.")
    check_can_write(path)


def given_options(context: typer.Context) -> list[str]:
    """Names of the parameters that stand on the command line, not the defaults."""
    return [name for name in context.params if (source := context.get_parameter_source(name)) and source.name == "COMMANDLINE"]
