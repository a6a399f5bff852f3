"""The command about concepts of ordinary networks: tcav."""

from pathlib import Path
from typing import Annotated

import typer

from lungcad.cli.common import Json, app, names_in, print_json, progress
from lungcad.files import check_can_make
from lungcad.paths import CONCEPTS, TCAV, to_write


@app.command()
def tcav(
    models: Annotated[
        str, typer.Option(help="Ordinary nodule networks, with commas between.")
    ] = "lidc-efficientnet-lite0,lidc-efficientnet-lite0-soft",
    data: Annotated[Path | None, typer.Option(help="Folder of LIDC-IDRI with attributes.csv; by default looked for in data/.")] = None,
    out: Annotated[Path, typer.Option(help="Where NAME.json goes; the tables in data/concepts/README.md are made anew.")] = to_write(TCAV),
    as_json: Json = False,
) -> None:
    """Whether a nodule network's answer depends on the readers' concepts: concept activation vectors, with random concepts as control."""
    from lungcad.datasets import DATASETS
    from lungcad.evaluate.stores.concepts import read_concepts
    from lungcad.evaluate.stores.tcav import write_tcav
    from lungcad.evaluate.tcav_run import tcav_facts
    from lungcad.explain.concept_vectors import read_tcav
    from lungcad.files import write_whole
    from lungcad.models import load_model
    from lungcad.publish.concept_tables import concepts_readme
    from lungcad.publish.tcav_tables import tcav_table

    check_can_make(out)
    networks = [load_model(name) for name in names_in(models)]
    measured = []
    for network in networks:
        with progress(network.card.name) as on_progress:
            measured.append(tcav_facts(network, data or DATASETS[network.card.dataset].locate(), on_progress))
        write_tcav(measured[-1], out)
    if out == to_write(TCAV):
        write_whole(to_write(CONCEPTS) / "README.md", concepts_readme(read_concepts(), read_tcav()))
    if as_json:
        print_json(measured)
        return
    print("\n\n".join(f"{facts['network']}\n\n{tcav_table(facts)}" for facts in measured))
