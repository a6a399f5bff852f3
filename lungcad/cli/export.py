"""The command that writes a network for other runtimes: export."""

from pathlib import Path
from typing import Annotated

import typer

from lungcad.cli.common import Json, Model, app, complain, names_in, print_json, progress
from lungcad.errors import LungcadError
from lungcad.files import check_can_write, write_whole
from lungcad.names import printable
from lungcad.paths import SHIPPED, to_write


@app.command()
def export(
    model: Model,
    out: Annotated[
        Path,
        typer.Option(
            help="The file: .onnx, .xml (OpenVINO, with .bin beside it), .pt2 (torch-export), .ts (TorchScript) or .tflite (LiteRT)."
        ),
    ],
    format_name: Annotated[
        str, typer.Option("--format", help="onnx, openvino, torch-export, torchscript or litert; a wrong name lists them all.")
    ] = "onnx",
    images: Annotated[
        Path | None,
        typer.Option(help="Folder of slices on which the file is compared with torch; by default shipped examples and phantoms."),
    ] = None,
    n: Annotated[int, typer.Option("--n", min=1, max=10_000, help="How many of them.")] = 24,
    as_json: Json = False,
) -> None:
    """Write a network as a file that runs without lungcad, and compare it with torch. A file that differs is not kept."""
    check_can_write(out)
    if images is not None and not images.is_dir():
        raise LungcadError(f"There is no folder {printable(str(images))!r} of images; check --images.")
    from lungcad.export import check_images, export_network
    from lungcad.models import load_model

    exported = export_network(load_model(model), format_name, out, check_images(images, n, complain))
    agreement = exported.agreement
    if as_json:
        print_json({
            "files": [printable(path) for path in exported.files], "bytes": sum(path.stat().st_size for path in exported.files),
            "agreement": agreement.to_dict(), "facts": exported.facts,
        })  # fmt: skip
        return
    print(
        f"{' and '.join(printable(path) for path in exported.files)} ({sum(path.stat().st_size for path in exported.files) / 1e6:.1f} MB)"
    )
    print(
        f"On {agreement.n} images the same class as torch in {agreement.same_class}, largest difference of a probability "
        f"{agreement.largest_difference:.1e}; from lungcad's own answers here ({agreement.precision}) {agreement.answer_difference:.1e}, "
        f"same class in {agreement.answer_same_class}."
    )
    print("The file answers every image: declining strange ones takes lungcad.")


@app.command("export-table")
def export_table(
    model: Annotated[str | None, typer.Option(help="Names with commas between; by default every installed network.")] = None,
    formats: Annotated[str, typer.Option("--format", help="Names with commas between.")] = "onnx",
    n: Annotated[int, typer.Option("--n", min=1, help="Images of each network's own test part.")] = 100,
    measure: Annotated[bool, typer.Option(help="Export anew and keep what is found in data/export.json.")] = True,
    write: Annotated[bool, typer.Option("--write", help="Write the table into .github/docs/export.md.")] = False,
) -> None:
    """How well exported files agree with torch, network by network."""
    from lungcad.export.record import RECORD, read_record, record_agreement, update_record
    from lungcad.models import list_cards, load_model
    from lungcad.publish.export_table import export_table, with_table

    for name in (names_in(model) or [card.name for card in list_cards()]) if measure else ():
        with progress(name) as on_progress:
            update_record(record_agreement(load_model(name), names_in(formats), n, on_progress), to_write(RECORD))
    rows = read_record()
    if write:
        page = SHIPPED / ".github" / "docs" / "export.md"
        write_whole(page, with_table(page.read_text("utf-8"), rows))
    print(export_table(rows), end="")
