"""Commands about data sets: audit, data info, data download."""

import os
from pathlib import Path
from typing import Annotated

import typer

from lungcad.cli.common import Json, Parts, app, messages, print_json, print_table, progress, table_of

data_app = typer.Typer(no_args_is_help=True, help="Known data sets: counts, download.")
app.add_typer(data_app, name="data")


@app.command()
def audit(
    folder: Annotated[str, typer.Argument(help="A folder of images, or the name of a known data set.")],
    layout: Annotated[str | None, typer.Option(help="How the folder is laid out; by default found out.")] = None,
    protocol: Annotated[
        str | None, typer.Option(help="Split a data set that comes without parts, published or grouped, to see what leaks.")
    ] = None,
    parts: Parts = None,
    as_json: Json = False,
) -> None:
    """Find copies (turned, mirrored and zoomed ones too), leaks between splits, label conflicts, unreadable files and classes that the files' metadata give away."""
    from lungcad.datasets import DATASETS, Protocol
    from lungcad.datasets.audit import audit as run_audit
    from lungcad.datasets.parts import parse_parts
    from lungcad.errors import lookup

    known = DATASETS.get(folder) if not os.path.isdir(folder) else None
    named = parse_parts(parts) if parts is not None else None
    chosen = lookup({each.value: each for each in Protocol}, protocol, "protocol") if protocol else None
    with progress("reading images") as on_progress:
        result = run_audit(
            known.locate() if known else folder,
            layout or (known.name if known else None),
            parts=named,
            protocol=chosen,
            on_progress=on_progress,
        )
    values = result.to_dict()
    if as_json:
        print_json(values)
        return
    print(f"{result.n_images} images ({', '.join(f'{name} {n}' for name, n in result.n_by_class.items())}), split: {result.split}")
    print(f"{len(result.unreadable)} unreadable files; {sum(result.not_looked_at.values())} files not looked at")
    for note in (*result.notes, *result.sentences()):
        print(note)
    print(f"{result.seconds} s")


@data_app.command("info")
def data_info(
    name: str,
    data: Annotated[Path | None, typer.Option(help="Its folder; by default looked for in data/.")] = None,
    task: Annotated[str | None, typer.Option(help="Which task; by default the usual one.")] = None,
    as_json: Json = False,
) -> None:
    """Counts of a data set by class, split and group under both protocols, its licence and citation."""
    from lungcad.datasets import DATASETS
    from lungcad.datasets.info import describe
    from lungcad.errors import lookup

    dataset = lookup(DATASETS, name, "data set")
    with progress("reading images") as on_progress:
        values = describe(dataset, data or dataset.locate(), task, on_progress=on_progress)
    if as_json:
        print_json(values)
        return
    for key in ("title", "publisher", "licence", "citation", "task", "grouping"):
        print(f"{key}: {values[key]}")
    for protocol, counts in values["protocols"].items():
        table = table_of("split", *values["classes"], "groups", "copies of training", title=f"{protocol}: {counts['split']}")
        for row in counts["parts"]:
            table.add_row(
                row["split"],
                *(str(row["by_class"][each]) for each in values["classes"]),
                str(row["groups"]),
                str(row["copies_of_training"]),
            )
        print_table(table)


@data_app.command("keep")
def data_keep(name: str, data: Annotated[Path | None, typer.Option(help="Its folder; by default looked for in data/.")] = None) -> None:
    """Keep a data set's audit and counts in data/audits, for those who have not its images."""
    from lungcad.datasets import DATASETS
    from lungcad.datasets.stored_audits import store_audit
    from lungcad.errors import lookup

    dataset = lookup(DATASETS, name, "data set")
    with progress("reading images") as on_progress:
        print(store_audit(dataset, data or dataset.locate(), on_progress=on_progress))


@data_app.command("make")
def data_make(
    name: Annotated[str, typer.Argument(help="What to make: phantoms.")],
    out: Annotated[Path | None, typer.Argument(help="A new folder; by default data/phantoms.")] = None,
    n: Annotated[int, typer.Option(min=24, max=1_000_000, help="Synthetic patients, one slice each.")] = 2000,
    shortcut: Annotated[
        str | None, typer.Option(help="Plant marker, table, dot, border or texture in 95 % of the lesions and 5 % of the others.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2000, help="Other patients for another seed.")] = 0,
    size: Annotated[int, typer.Option(min=64, max=1024, help="Pixels of a side.")] = 256,
) -> None:
    """Draw a data set of synthetic patients with exact contours; the same options give the same files."""
    from lungcad.datasets import DATASETS
    from lungcad.datasets.phantoms import PHANTOMS, make_phantoms
    from lungcad.errors import DatasetError, lookup
    from lungcad.paths import DATA

    if not lookup(DATASETS, name, "data set").is_made:
        raise DatasetError(f"{DATASETS[name].title} is not made but fetched: python -m lungcad data download {name}.")
    with progress("drawing phantoms") as on_progress:
        print(make_phantoms(out or DATA / PHANTOMS.folder, n, shortcut=shortcut, seed=seed, size=size, on_progress=on_progress))


@data_app.command("download")
def data_download(
    name: Annotated[str, typer.Argument(help="A data set that `data info` knows; or: lidc-idri, whole CT series with readers' contours.")],
    patients: Annotated[int, typer.Option(min=1, max=1010, help="Of lidc-idri: how many patients, some 70 MB each.")] = 3,
) -> None:
    """Fetch a data set from its publisher into data/ (needs internet access); resumes a part that was fetched."""
    from lungcad.datasets import DATASETS, lidc_idc
    from lungcad.datasets.download import download
    from lungcad.errors import lookup

    if name == lidc_idc.NAME:
        _download_series(patients)
        return
    dataset = lookup(DATASETS, name, "data set (or lidc-idri)")
    messages.print(f"{dataset.title}, {dataset.licence}. Cite: {dataset.citation}")
    with progress(name) as on_progress:
        print(download(dataset, on_progress=on_progress))


def _download_series(n_patients: int) -> None:
    from lungcad.datasets import lidc_idc

    series = lidc_idc.choose(n_patients)
    messages.print(f"LIDC-IDRI, {lidc_idc.LICENCE}. Cite: {lidc_idc.CITATION}")
    messages.print(
        f"{len(series)} CT series, {sum(each.n_files for each in series):,} slices, {sum(each.megabytes for each in series):,.0f} MB"
    )
    with progress(lidc_idc.NAME) as on_progress:
        for folder in lidc_idc.download_series(series, on_progress=on_progress):
            print(folder)
