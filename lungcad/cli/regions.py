"""Commands about regions of the picture: regions, regions-known, regions-mend, regions-tables."""

from pathlib import Path
from typing import Annotated

import typer

from lungcad.cli.common import (
    DataOrName,
    Json,
    Layout,
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
from lungcad.paths import CHECKPOINTS, REGION_RUNS, to_write

Names = Annotated[str | None, typer.Option(help="Names with commas between; a wrong name lists them all. By default all that suit.")]


@app.command()
def regions(
    model: Model,
    data: DataOrName,
    layout: Layout = None,
    regions: Names = None,
    fills: Names = None,
    n: Annotated[int | None, typer.Option("--n", min=1, help="Cases, drawn from the test part; by default all.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the draw, and of which image is put into which.")] = 0,
    parts: Parts = None,
    out: Annotated[Path, typer.Option(help="Where the run MODEL--DATA is written.")] = to_write(REGION_RUNS),
    as_json: Json = False,
) -> None:
    """Does a network need the lungs? Its answers with regions of the picture taken away, or left alone."""
    from lungcad.datasets.parts import parse_parts
    from lungcad.evaluate.regions.run import run_regions
    from lungcad.evaluate.stores.region_runs import write_region_run
    from lungcad.models import load_model
    from lungcad.publish.region_tables import fill_title, region_title

    named = parse_parts(parts) if parts is not None else None
    check_can_make(out)
    network = load_model(model)
    folder, layout = located(data, layout, network.card.dataset)
    with progress("cases") as on_progress:
        run = run_regions(
            network, folder, layout, n=n, regions=names_in(regions), fills=names_in(fills), seed=seed, parts=named, on_progress=on_progress
        )
    written = write_region_run(run, out)
    for fault in run.facts["left_out"]:
        complain(f"left out {'' if fault['region'] == 'all' else 'of ' + fault['region'] + ' '}{fault['n']}: {fault['why']}")
    if as_json:
        print_json(run.to_dict())
        return
    table = table_of("what is seen", "filled with", "n", "accuracy", "macro F1", "answers kept", "unlike training")
    for row in run.rows:
        values = [row["accuracy"], row["macro_f1"], row["answers_kept"], row["unlike"]]
        table.add_row(
            region_title(row["region"]), fill_title(row["fill"]) + (" *" if row["least_strange"] else ""), str(row["n"]),
            *("–" if value is None else f"{value:.3f}" for value in values),
        )  # fmt: skip
    print_table(table)
    for note in run.facts["notes"]:
        messages.print(f"note: {note}")
    print(f"{run.facts['n']} cases; * the least strange fill; kept in {written}; --json prints classes, differences and the 95 % intervals")


@app.command("regions-known")
def regions_known(
    data: DataOrName,
    layout: Annotated[str | None, typer.Option(help="How a folder is laid out: the name of a data set.")] = None,
    out: Annotated[Path, typer.Option(help="Where a known data set's result is kept.")] = to_write(REGION_RUNS / "without"),
    as_json: Json = False,
) -> None:
    """How much of a data set can be known without the lungs: a small head trained and tested on what is left of the slices."""
    from lungcad.datasets import DATASETS
    from lungcad.errors import lookup
    from lungcad.evaluate.stores.known_without import known_of, write_known
    from lungcad.publish.region_tables import known_table
    from lungcad.train.known_without import how_split, known_without

    dataset = lookup(DATASETS, layout or data, "layout")
    check_can_make(out)
    cases = dataset.read(dataset.locate() if data in DATASETS else Path(data))
    with progress("slices") as on_progress:
        table, left_out = known_without(dataset, cases, on_progress=on_progress)
    known = known_of(dataset.name, table, left_out, how_split(dataset, cases))
    if data in DATASETS:
        write_known(known, out)
    if as_json:
        print_json(known.to_dict())
        return
    print(known_table(known))
    print(f"{known.facts['n']} test cases, {left_out} slices left out; {known.facts['how']}")


@app.command("regions-mend")
def regions_mend(
    recipe: Annotated[
        Path, typer.Argument(help="YAML of the plain recipe: a fitted head (probe, epochs: 0, attention: none) on a data set of slices.")
    ],
    data: Annotated[Path | None, typer.Option(help="Folder of the data set; by default looked for in data/.")] = None,
    seeds: Annotated[int, typer.Option(min=1, max=20, help="Of the augmentation; each is a fit of its own.")] = 3,
    out: Annotated[Path, typer.Option(help="Where the result is kept, as DATASET.")] = to_write(REGION_RUNS / "mended"),
    work: Annotated[
        Path | None,
        typer.Option(help="Where features are kept meanwhile; by default runs/regions-mend. A stopped call goes on from there."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Can a network be made to look where it should? The recipe as it is, with the lungs alone as input, and with surroundings swapped in training."""
    from lungcad.datasets import DATASETS
    from lungcad.evaluate.stores.mended import write_mended
    from lungcad.publish.mended_tables import mended_table, verdict
    from lungcad.train.mend import mend
    from lungcad.train.recipe import Recipe

    plan = Recipe.read(recipe)
    dataset, work = DATASETS[plan.dataset], work or CHECKPOINTS / "regions-mend"
    for place in (out, work):
        check_can_make(place)
    cases = dataset.read(data or dataset.locate(), plan.task)
    with progress("slices, then images through the network") as on_progress:
        mended = mend(plan, cases, range(seeds), on_progress, work)
    write_mended(mended, out)
    if as_json:
        print_json(mended.to_dict())
        return
    print(mended_table(mended))
    print(f"{verdict(mended)} {mended.facts['left_out']} of the cases are not among the tested; {mended.facts['how']}.")


@app.command("regions-tables")
def regions_tables(
    runs: Annotated[Path, typer.Option(help="Folder of the runs.")] = REGION_RUNS,
    write: Annotated[bool, typer.Option("--write", help="Write README.md in that folder anew.")] = False,
) -> None:
    """Every network without the lungs, from the stored runs."""
    from lungcad.evaluate.stores.inside_marks import read_marks
    from lungcad.evaluate.stores.known_without import list_known
    from lungcad.evaluate.stores.mended import list_mended
    from lungcad.evaluate.stores.region_runs import read_region_runs
    from lungcad.evaluate.stores.trained_without import list_trained
    from lungcad.models import list_cards
    from lungcad.publish.region_tables import headline_table, regions_readme

    runs_read = read_region_runs(runs, on_fault=complain)
    if write:
        stored = list_known(runs / "without"), list_mended(runs / "mended"), list_trained(runs / "trained")
        write_whole(to_write(runs) / "README.md", regions_readme(runs_read, *stored, list_cards(), read_marks()))
    print(headline_table(runs_read))
