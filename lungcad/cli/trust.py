"""Commands about explanations and whole data sets: trust, trust-tables, index."""

from pathlib import Path
from typing import Annotated

import typer

from lungcad.cli.common import (
    BackendName,
    DataOrName,
    Json,
    Model,
    Parts,
    app,
    complain,
    located,
    messages,
    names_in,
    print_json,
    print_table,
    progress,
    table_of,
)
from lungcad.files import check_can_make, write_whole
from lungcad.paths import INDEX, TRUST, to_write


@app.command()
def trust(
    model: Model,
    data: DataOrName,
    layout: Annotated[
        str | None,
        typer.Option(help="How the folder is laid out; by default as the network's own data set. lidc-dicom: series with contours."),
    ] = None,
    n: Annotated[int, typer.Option("--n", min=1, help="Cases, drawn from the test part.")] = 100,
    methods: Annotated[
        str | None, typer.Option(help="Names with commas between; by default every method of about one forward pass.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the draw, the noise and the shifts.")] = 0,
    parts: Parts = None,
    backend: BackendName = "auto",
    out: Annotated[Path, typer.Option(help="Where the trust run MODEL--DATA is written.")] = to_write(TRUST),
    as_json: Json = False,
) -> None:
    """Check the heat maps of a network over a data set: faithful, stable, sane, inside the lung, on the contour?"""
    from lungcad.backends import with_backend
    from lungcad.datasets.parts import parse_parts
    from lungcad.evaluate.stores.trust_runs import write_trust_run
    from lungcad.evaluate.trust import run_trust
    from lungcad.explain.trust import MEASURES
    from lungcad.models import load_model

    named = parse_parts(parts) if parts is not None else None
    check_can_make(out)
    network = with_backend(load_model(model), backend, on_message=complain)
    folder, layout = located(data, layout, network.card.dataset)
    with progress("cases") as on_progress:
        run = run_trust(network, folder, layout, n=n, methods=names_in(methods), seed=seed, parts=named, on_progress=on_progress)
    written = write_trust_run(run, out)
    for fault in run.facts["skipped"]:
        complain(f"skipped {fault['case']}: {fault['why']}")
    if as_json:
        print_json(run.to_dict())
        return
    summary = run.summary
    measures = [measure for measure in MEASURES if any(values[measure].value is not None for values in summary.values())]
    table = table_of("method", *(MEASURES[measure] for measure in measures))
    for method, values in summary.items():
        table.add_row(method, *("–" if values[measure].value is None else f"{values[measure].value:.3f}" for measure in measures))
    print_table(table)
    for note in run.facts["notes"]:
        messages.print(f"note: {note}")
    print(f"{run.facts['n']} cases; kept in {written}; --json prints the 95 % intervals")


@app.command()
def index(
    model: Annotated[str, typer.Option(help="A name that `models` lists, or several with commas between.")],
    data: Annotated[Path | None, typer.Option(help="Folder of the data set that trained it; by default looked for in data/.")] = None,
    out: Annotated[Path, typer.Option(help="Where MODEL.npz goes.")] = to_write(INDEX),
) -> None:
    """Index the training cases of a network by its embedding, for the nearest cases that the page shows."""
    from lungcad.datasets import DATASETS
    from lungcad.evaluate.index import build_index
    from lungcad.models import load_model

    check_can_make(out)
    for name in names_in(model):
        network = load_model(name)
        with progress(name) as on_progress:
            built_index = build_index(network, data or DATASETS[network.card.dataset].locate(), on_progress)
        built_index.write(out / f"{name}.npz")
        print(
            f"{name}: {len(built_index.cases)} training cases; an image further than {built_index.far:.3f} from all of them is "
            "unlike the training data"
        )


@app.command("trust-tables")
def trust_tables(
    measure: Annotated[str, typer.Option(help="Which measure's table is printed; a wrong name lists them all.")] = "faithfulness",
    runs: Annotated[Path, typer.Option(help="Folder of the trust runs.")] = TRUST,
    write: Annotated[bool, typer.Option("--write", help="Write README.md in that folder anew, with the tables of all measures.")] = False,
) -> None:
    """The explanation benchmark: method × network, from the trust runs."""
    from lungcad.datasets import is_made
    from lungcad.errors import lookup
    from lungcad.evaluate.stores.trust_runs import read_trust_runs
    from lungcad.explain.trust import MEASURES
    from lungcad.models.card import list_cards
    from lungcad.publish.trust_tables import trust_readme, trust_table

    lookup(MEASURES, measure, "measure")
    trust_runs = read_trust_runs(runs, on_fault=complain)
    if write:
        networks = [card.name for card in list_cards() if not is_made(card.dataset)]
        write_whole(to_write(runs) / "README.md", trust_readme(trust_runs, networks))
    print(trust_table(measure, trust_runs))
