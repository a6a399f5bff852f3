"""The lab on the command line: lab."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lungcad.cli.common import Json, app, check_writable, complain, print_json, print_table, progress, table_of
from lungcad.errors import LungcadError, lookup
from lungcad.files import check_can_make, write_whole
from lungcad.paths import LAB, SHIPPED, to_write

if TYPE_CHECKING:
    from lungcad.lab.settings import LabSettings

SHEET = SHIPPED / ".github" / "docs" / "lab.md"


@app.command()
def lab(
    preset: Annotated[str | None, typer.Option(help="honest, cheater, hidden cheat, too few patients or rare shortcut.")] = None,
    settings: Annotated[Path | None, typer.Option(help="YAML, as the Lab page gives it.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Another seed than theirs.")] = None,
    table: Annotated[
        bool, typer.Option("--table", help="Train clean and biased with each head over three seeds, and keep the table.")
    ] = False,
    write_sheet: Annotated[bool, typer.Option("--write-sheet", help="Put the kept table into .github/docs/lab.md; nothing else.")] = False,
    inside_marks: Annotated[
        bool,
        typer.Option(
            "--inside-marks", help="Ask the checks of an answer about marks inside the body, over three seeds, and keep the table."
        ),
    ] = False,
    out: Annotated[Path, typer.Option(help="Where --table keeps table.json, and --inside-marks inside-marks.json.")] = to_write(LAB),
    recipe: Annotated[Path | None, typer.Option(help="Write the settings of this training there (YAML).")] = None,
    as_json: Json = False,
) -> None:
    """Train a head on frozen features of synthetic patients, with or without a planted shortcut, and test what it uses."""
    if write_sheet:
        _write_sheet()
        return
    if table:
        _make_table(out, as_json)
        return
    if inside_marks:
        _measure_inside_marks(out, as_json)
        return
    from lungcad.lab.presets import PRESETS
    from lungcad.lab.settings import LabSettings

    if preset is not None and settings is not None:
        raise LungcadError("Name a preset or a file of settings, not both.")
    chosen = LabSettings.read(settings) if settings else lookup(PRESETS, preset or "cheater", "preset").settings
    if seed is not None:
        chosen = LabSettings.checked(chosen.model_dump() | {"seed": seed})
    if recipe is not None:
        check_writable(recipe, ".yaml")
        write_whole(recipe, chosen.to_yaml())
    train_settings(chosen, as_json)


def train_settings(chosen: "LabSettings", as_json: bool = False) -> None:
    """One training in the lab, its table and its sentences."""
    from lungcad.lab.run import run
    from lungcad.lab.sentences import sentences, warning

    if text := warning(chosen):
        complain(text)
    with progress("patients") as on_progress:
        outcome = run(chosen, on_progress=on_progress)
    summary = sentences(chosen, outcome.results)
    if as_json:
        print_json(outcome.to_dict() | {"sentences": summary})
        return
    rows = table_of("measure", "share of unseen patients [95 % interval]")
    for name in outcome.results.to_dict():
        if name != "n":
            rows.add_row(name.replace("_", " "), str(getattr(outcome.results, name)))
    print_table(rows)
    for sentence in summary:
        print(sentence)


def _make_table(out: Path, as_json: bool) -> None:
    from lungcad.lab.table import make_table, write_table
    from lungcad.publish.lab_tables import lab_table

    check_can_make(out)
    with progress("trainings") as on_progress:
        facts = make_table(on_training=on_progress)
    written = write_table(facts, out)
    if as_json:
        print_json(facts)
        return
    print(lab_table(facts))
    print(f"kept in {written}; --write-sheet puts it into the class's sheet")


def _measure_inside_marks(out: Path, as_json: bool) -> None:
    from lungcad.evaluate.stores.inside_marks import write_marks
    from lungcad.lab.inside_marks import measure_marks
    from lungcad.publish.inside_marks import inside_marks_table

    check_can_make(out)
    with progress("patients") as on_progress:
        facts = measure_marks(on_progress=on_progress)
    written = write_marks(facts, out)
    if as_json:
        print_json(facts)
        return
    print(inside_marks_table(facts))
    print(f"kept in {written}; 'python -m lungcad regions-tables --write' puts it into data/regions/README.md")


def _write_sheet() -> None:
    from lungcad.lab.table import read_table
    from lungcad.publish.lab_tables import sheet_with_table

    facts = read_table()
    if facts is None:
        raise LungcadError("Nothing is kept yet; 'python -m lungcad lab --table' makes the table.")
    if not SHEET.is_file():
        raise LungcadError("The sheet .github/docs/lab.md is only in a checkout of the repository.")
    write_whole(SHEET, sheet_with_table(SHEET.read_text("utf-8"), facts))
    print(SHEET)
