"""The command about concept networks: concepts."""

from pathlib import Path
from typing import Annotated

import typer

from lungcad.cli.common import Json, Model, app, print_json, progress
from lungcad.files import check_can_make, write_whole
from lungcad.paths import CONCEPTS, RUNS, to_write


@app.command()
def concepts(
    model: Model = "lidc-efficientnet-lite0-concepts",
    data: Annotated[Path | None, typer.Option(help="Folder of LIDC-IDRI with attributes.csv; by default looked for in data/.")] = None,
    beside: Annotated[
        str, typer.Option(help="Runs of the same test part to stand beside it, with commas between.")
    ] = "lidc-efficientnet-lite0,lidc-efficientnet-lite0-soft",
    runs: Annotated[Path, typer.Option(help="Folder of the evaluation runs.")] = RUNS,
    out: Annotated[Path, typer.Option(help="Where NAME.json and README.md go.")] = to_write(CONCEPTS),
    as_json: Json = False,
) -> None:
    """Hold a concept network's ratings to the readers', and its AUC to that of other networks by the number of readers; on its test part."""
    from lungcad.datasets import DATASETS
    from lungcad.evaluate.concepts import concept_facts
    from lungcad.evaluate.stores.concepts import read_concepts, write_concepts
    from lungcad.evaluate.stores.runs import read_run, read_seeds
    from lungcad.explain.concept_vectors import read_tcav
    from lungcad.explain.concepts import refuse_without_concepts
    from lungcad.models import load_model
    from lungcad.publish.concept_tables import closeness_table, concepts_readme, gains_table, readers_table

    network = load_model(model)
    refuse_without_concepts(network.card)
    check_can_make(out)
    dataset = DATASETS[network.card.dataset]
    cases = {case.id: case for case in dataset.read(data or dataset.locate(), network.card.task)}
    seeds = [run for run in read_seeds(model, runs) if run.name != model]
    others = [*(read_run(name.strip(), runs) for name in beside.split(",") if name.strip()), *seeds, read_run(model, runs)]
    with progress("rating nodules") as on_progress:
        facts = concept_facts(network, others, cases, on_progress)
    write_concepts(facts, out)
    write_whole(out / "README.md", concepts_readme(read_concepts(out), read_tcav()))
    if as_json:
        print_json(facts)
        return
    print("\n\n".join([closeness_table(facts), readers_table(facts), gains_table(facts)]))
