"""Commands about attention that was taught: taught, taught-tables."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lungcad.cli.common import Json, app, print_json, progress
from lungcad.files import check_can_make, write_whole
from lungcad.paths import CHECKPOINTS, RUNS, TAUGHT, WEIGHTS, to_write

if TYPE_CHECKING:
    from lungcad.models import TrainedModel

Runs = Annotated[Path, typer.Option(help="Folder of the evaluation runs.")]


@app.command()
def taught(
    data: Annotated[Path | None, typer.Option(help="Folder of LIDC-IDRI; by default looked for in data/.")] = None,
    work: Annotated[
        Path, typer.Option(help="Work folders of the trainings under other seeds, whose weights are not shipped.")
    ] = CHECKPOINTS,
    runs: Runs = RUNS,
    out: Annotated[Path, typer.Option(help="Where the rows and README.md go.")] = to_write(TAUGHT),
    arm: Annotated[
        str | None,
        typer.Option(help="none, gate or taught gate: only its networks' maps are measured anew, and the other rows in --out stay."),
    ] = None,
) -> None:
    """Measure what teaching a gate the readers' contours brings on LIDC: mask and Grad-CAM on moved test crops; and nodule networks together and turned."""
    from lungcad.datasets import DATASETS, Split
    from lungcad.errors import lookup
    from lungcad.evaluate.nodule_candidates import answers
    from lungcad.evaluate.stores.runs import read_run
    from lungcad.evaluate.stores.taught import ANSWERS, LOCALISATION, read_table, write_table
    from lungcad.evaluate.taught import ARMS, TODAY, TODAY_NETWORK, localise_moved, with_others
    from lungcad.models import load_model

    check_can_make(out)
    recipes = ARMS if arm is None else {arm: lookup(ARMS, arm, "arm")}
    stored = None if arm is None else read_table(LOCALISATION, out)
    dataset = DATASETS["lidc-nodules"]
    cases = {case.id: case for case in dataset.read(data or dataset.locate(), "binary")}
    networks = {} if arm else {(TODAY, 0): load_model(TODAY_NETWORK)}
    networks |= {(each, seed): network for each, name in recipes.items() for seed, network in _of_every_seed(name, work, runs)}
    run = read_run(ARMS["none"], runs)
    with progress("moving crops") as on_progress:
        table = localise_moved(networks, [cases[name] for name in run.test.case], on_progress)
    write_table(table if stored is None else with_others(table, stored), LOCALISATION, out)
    if arm is None:
        parts = {Split.VALID: [cases[name] for name in run.valid.case], Split.TEST: [cases[name] for name in run.test.case]}
        with progress("turning crops") as on_progress:
            recipe_of = {TODAY: TODAY_NETWORK, "none": ARMS["none"]}
            named = {(recipe_of[each], seed): network for (each, seed), network in networks.items() if each in recipe_of}
            write_table(answers(named, parts, on_progress), ANSWERS, out)
    taught_tables(folder=out, runs=runs, write=True, as_json=False)


@app.command("taught-tables")
def taught_tables(
    folder: Annotated[Path, typer.Option(help="Folder of the rows.")] = TAUGHT,
    runs: Runs = RUNS,
    write: Annotated[bool, typer.Option("--write", help="Write README.md in that folder anew.")] = False,
    as_json: Json = False,
) -> None:
    """None beside gate beside taught gate, and the better nodule networks, from the rows of the last measuring and the runs."""
    from lungcad.publish.taught_tables import aims_sentences, candidate_sentences, localisation_table, taught_readme

    facts, candidates = measured(folder, runs)
    if write:
        write_whole(to_write(folder) / "README.md", taught_readme(facts, candidates))
    if as_json:
        print_json({**facts, "candidates": candidates})
        return
    print("\n".join([localisation_table(facts), "", *aims_sentences(facts), *candidate_sentences(candidates)]))


def measured(folder: Path, runs: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The comparison of the three, and the candidates, from the rows in ``folder`` and the runs."""
    from lungcad.evaluate.nodule_candidates import candidate_rows
    from lungcad.evaluate.stores.runs import read_seeds
    from lungcad.evaluate.stores.taught import ANSWERS, LOCALISATION, read_table
    from lungcad.evaluate.taught import ARMS, taught_facts

    facts = taught_facts({arm: read_seeds(name, runs) for arm, name in ARMS.items()}, read_table(LOCALISATION, folder))
    return facts, candidate_rows(read_table(ANSWERS, folder))


def _of_every_seed(name: str, work: Path, runs: Path) -> Iterator[tuple[int, "TrainedModel"]]:
    """The networks of a recipe and its repetitions: shipped, or from their work folders. Raises for weights other than the run's."""
    from lungcad.errors import LungcadError
    from lungcad.evaluate.stores.runs import read_seeds
    from lungcad.models import load_model

    for run in read_seeds(name, runs):
        folder = next((place for place in (WEIGHTS, work / run.name / "weights") if (place / f"{run.name}.json").is_file()), None)
        command = f"python -m lungcad train weights/{name}.yaml" + (f" --seed {run.facts['seed']}" if run.name != name else "")
        if folder is None:
            raise LungcadError(f"The weights of {run.name} are not shipped; '{command}' makes them.")
        network = load_model(run.name, folder=folder)
        if network.card.sha256 != run.facts["weights_sha256"]:
            raise LungcadError(f"The run {run.name} is of other weights than those that were found; '{command}' makes both anew.")
        yield int(run.facts["seed"]), network
