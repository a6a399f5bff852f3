"""What every command shares: the Typer apps, options, progress, output."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from lungcad.errors import LungcadError

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
messages = Console(stderr=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Model = Annotated[str, typer.Option(help="A name that `models` lists.")]
Models = Annotated[str, typer.Option(help="A name that `models` lists, or several with commas between: their calibrated mean.")]


def complain(sentence: str) -> None:
    """One sentence to standard error."""
    print(f"lungcad: {sentence}", file=sys.stderr)


@contextmanager
def progress(title: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error, on a terminal only."""
    with Progress(console=messages, transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(title)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def print_json(value: object, *, indent: int | None = 2) -> None:
    """To standard output; never NaN."""
    print(json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False), flush=True)


def check_writable(path: Path | None, suffix: str) -> None:
    """A usage error, before any work, where the file could not be written or ends otherwise."""
    if path is None:
        return
    if path.suffix.lower() != suffix:
        raise LungcadError(f"The output file {str(path)!r} must end in {suffix}.")
    if not path.parent.is_dir():
        raise LungcadError(f"There is no folder {str(path.parent)!r} to write to; make it first.")
