"""The command about runtimes: backends."""

from typing import Annotated

import typer

from lungcad.cli.common import Json, app, complain, names_in, print_json, print_table, progress, table_of


@app.command()
def backends(
    model: Annotated[str | None, typer.Option(help="Names with commas between; by default every installed network.")] = None,
    measure: Annotated[
        bool,
        typer.Option(
            "--measure",
            help="Write the networks for the installed runtimes, compare them with torch on images of the network's validation part (examples and phantoms "
            "without its data set), time both in turn and keep it in data/backend-cache/: --backend auto goes by it.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Which runtimes are installed, how fast each network is in them on this machine, and which one it goes through."""
    from lungcad.backends import BACKENDS, with_backend
    from lungcad.backends.measure import measure as measure_one
    from lungcad.backends.stored import AGREES, records_of
    from lungcad.errors import LungcadError
    from lungcad.models import list_cards, load_model

    here = [backend for backend in BACKENDS.values() if backend.is_installed]
    for backend in BACKENDS.values():
        if not backend.is_installed:
            complain(f"{backend.title} is not installed; pip install 'lungcad[export]' brings it.")
    rows, faults = [], False
    table = table_of("network", "runtime", "one image, ms", "in a batch of 32, ms", "largest difference", "taken")
    for name in names_in(model) or [card.name for card in list_cards()]:
        network = load_model(name)
        with progress(name) as on_progress:
            for done, backend in enumerate(here if measure else (), 1):
                try:
                    measure_one(network, backend)
                except LungcadError as error:
                    complain(str(error))
                    faults = True
                on_progress(done, len(here))
        records = [record for record in records_of(network) if record.speed and record.torch]
        taken = with_backend(network, on_message=complain).backend
        rows.append(
            {
                "network": name,
                "precision": network.device.precision,
                "taken": taken,
                "measured": [
                    record.model_dump(mode="json", exclude={"files"}) | {"agrees": record.agrees, "of_here": record.is_of_here}
                    for record in records
                ],
            }
        )
        for record in records:
            ours, usual = record.speed, record.torch
            table.add_row(
                name,
                f"{BACKENDS[record.backend].title} {record.version}"
                + ("" if record.is_of_here else ", of another machine, version or number of threads"),
                f"{ours.single_ms:.1f} (torch {usual.single_ms:.1f})" if ours and usual else "",
                f"{ours.batch_ms:.1f} (torch {usual.batch_ms:.1f})" if ours and usual else "",
                f"{record.answer_difference:.1e}",
                taken,
            )
        if not records:
            table.add_row(name, "not measured", "", "", "", taken)
    if as_json:
        print_json(rows)
    else:
        print_table(table)
        print(
            f"Largest difference: of a probability from lungcad's usual answer here; above {AGREES} a runtime is taken only where it is asked for."
        )
    if faults:
        raise typer.Exit(2)


@app.command("int8-table")
def int8_table(
    model: Annotated[str, typer.Option(help="Names with commas between.")],
    n: Annotated[int, typer.Option("--n", min=2, help="Images of each network's own test part.")] = 100,
    write: Annotated[
        bool, typer.Option("--write", help="Keep what is found in data/int8.json, and the table in .github/docs/backends.md.")
    ] = False,
) -> None:
    """What a network loses through --backend onnxruntime-int8: accuracy and agreement of heat maps, against float32."""
    from lungcad.backends.loss import RECORD, keep_loss, losses_table, measure_loss, read_losses
    from lungcad.files import write_whole
    from lungcad.models import load_model
    from lungcad.paths import SHIPPED, to_write

    rows = []
    for name in names_in(model):
        with progress(name) as on_progress:
            rows.append(measure_loss(load_model(name), n, on_progress))
        if write:
            keep_loss(rows[-1], to_write(RECORD))
    print(losses_table(rows), end="")
    if write:
        page = SHIPPED / ".github" / "docs" / "backends.md"
        before, begin, rest = page.read_text("utf-8").partition("<!-- made by: python -m lungcad int8-table --write -->\n")
        write_whole(page, f"{before}{begin}\n{losses_table(read_losses())}\n<!-- end -->{rest.partition('<!-- end -->')[2]}")
