"""The command for more images than one sitting or one machine holds: batch."""

import sys
from contextlib import redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from lungcad.cli.common import BackendName, Json, Model, app, complain, names_in, print_json, print_table, progress, table_of
from lungcad.cli.images import ScaleName, ShowAnyway
from lungcad.errors import LungcadError
from lungcad.names import printable


@app.command()
def batch(
    source: Annotated[
        str,
        typer.Argument(
            help="A folder, a Parquet list (ends in .parquet; column path, and id if paths are not to be the names; label and group for metrics), "
            "or a URL of either."
        ),
    ],
    model: Model,
    out: Annotated[Path, typer.Option(help="Folder of the batch; its rows are in OUT/rows. On a cluster: one that every machine sees.")],
    make: Annotated[
        str, typer.Option(help="answers (with labels in the list: their metrics too), trust (checks of heat maps) or index (embeddings).")
    ] = "answers",
    engine: Annotated[
        str, typer.Option(help="local: this process; ray: workers of a Ray cluster (pip install 'lungcad\\[ray]').")
    ] = "local",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the batch in OUT; what is finished stays.")] = False,
    shard_size: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="Images a file; what a kill costs at most, for each worker.")
    ] = 1000,
    workers: Annotated[int | None, typer.Option(min=1, help="With ray: how many, each with a network; by default as many as fit.")] = None,
    cpus: Annotated[float | None, typer.Option(min=0.1, help="With ray: CPUs a worker; by default 1.")] = None,
    gpus: Annotated[float | None, typer.Option(min=0, help="With ray: GPUs a worker, 0.5 for two workers on one; by default none.")] = None,
    address: Annotated[
        str | None, typer.Option(help="With ray: of the cluster; by default RAY_ADDRESS, else one is started on this machine.")
    ] = None,
    methods: Annotated[
        str | None, typer.Option(help="With trust: names with commas between; by default every method of about one forward pass.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="With trust: of noise and shifts.")] = 0,
    scale: ScaleName = "auto",
    show_anyway: ShowAnyway = False,
    backend: BackendName = "auto",
    as_json: Json = False,
) -> None:
    """Answers, checks of heat maps or embeddings of many images, into Parquet files: a row an image, or the sentence of its fault.

    Survives a kill: --resume goes on.
    """
    from lungcad.batch import WORK, Pool, Question, run_batch

    given = {"workers": workers, "cpus": cpus, "gpus": gpus, "address": address}
    if engine != "ray" and (options := [name for name, value in given.items() if value is not None]):
        raise LungcadError(f"--{options[0]} is for --engine ray; leave it out, or add that.")
    pool = Pool(workers, cpus or 1, gpus or 0, address)
    named = tuple(names_in(methods) or ())
    question = Question(source, model, "", backend, scale, show_anyway, shard_size, make=make, methods=named, seed=seed)
    with redirect_stdout(sys.stderr), progress("images") as on_progress:  # Ray prints news of its cluster to standard output
        summary = run_batch(question, out, engine=engine, pool=pool, resume=resume, on_message=complain, on_progress=on_progress)
    for note in summary.notes:
        complain(note)
    if as_json:
        print_json(summary.to_dict())
        return
    counts = summary.counts
    print(
        f"{counts.images:,} images: {counts.answered:,} answered, {counts.declined:,} declined, {counts.faults:,} with a fault; rows in "
        f"{printable(summary.folder / 'rows')}."
    )
    if summary.answered_now:
        print(f"Of them {summary.answered_now:,} now, {summary.images_per_second:.1f} a second.")
    if summary.result is not None:
        print(*WORK[make].told(summary.result), sep="\n")
        for note in summary.result.get("notes", ()):
            complain(note)


@app.command("batch-nearest")
def batch_nearest(
    image: Annotated[Path, typer.Argument(help="A slice.")],
    index: Annotated[Path, typer.Option(help="Folder of a finished batch of the kind --make index.")],
    n: Annotated[int, typer.Option("--n", min=1, help="How many.")] = 6,
    scale: ScaleName = "auto",
    as_json: Json = False,
) -> None:
    """The images of an index that its network finds most like a slice."""
    from lungcad.batch.index import nearest
    from lungcad.batch.plan import Plan
    from lungcad.imaging import read_image
    from lungcad.models import load_model

    found = nearest(index, read_image(image, scale=scale), load_model(Plan.read(index).question.model), n)
    if as_json:
        print_json([asdict(each) for each in found])
        return
    table = table_of("image", "label", "distance")
    for each in found:
        table.add_row(each.id, each.label or "", f"{each.distance:.3f}")
    print_table(table)
