"""The command that takes a patient's identity out of DICOM files: deidentify."""

from pathlib import Path
from typing import Annotated

import typer

from lungcad.cli.common import Json, app, complain, print_json, print_table, progress, table_of


@app.command()
def deidentify(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A DICOM file, or a folder of them.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new file, or a new folder.")],
    key: Annotated[
        str | None,
        typer.Option(help="The same word maps UIDs, patients and dates alike another time; keep it secret. By default a random one."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write DICOM images without what tells who the patient is (PS3.15 basic profile, dates moved); say what was removed, and warn of burnt-in text."""
    from lungcad.report.deidentify import deidentify as run

    with progress("de-identifying") as on_progress:
        result = run(source, out, key=key, on_progress=on_progress)
    values = result.to_dict()
    if as_json:
        print_json(values)
    else:
        table = table_of("what was done", "elements (number of times)")
        for action, keywords in values["changes"].items():
            table.add_row(action, ", ".join(f"{keyword} ({n})" for keyword, n in keywords.items()))
        print_table(table)
        print(f"{len(result.files)} files written")
        for why, n in result.left_aside.items():
            print(f"{n} files left aside: {why}")
    for sentence in result.warnings:
        complain(sentence)
