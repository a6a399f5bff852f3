"""Commands about evaluation runs: runs list, show, compare, gain, tables, turn."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lungcad.cli.common import Json, Model, app, complain, print_json, print_table, progress, table_of
from lungcad.errors import LungcadError
from lungcad.files import write_whole
from lungcad.names import printable
from lungcad.paths import RUNS, WEIGHTS, to_write

runs_app = typer.Typer(no_args_is_help=True, help="Evaluation runs: list, show, compare.")
app.add_typer(runs_app, name="runs")

if TYPE_CHECKING:
    from lungcad.evaluate.paired_tests import Difference

RunsFolder = Annotated[Path, typer.Option(help="Folder of evaluation runs.")]


@runs_app.command("list")
def runs_list(runs: RunsFolder = RUNS, as_json: Json = False) -> None:
    """All evaluation runs with their headline numbers."""
    from lungcad.evaluate.run_summary import headline_values, headlines, run_summary
    from lungcad.evaluate.stores.runs import list_runs, read_run

    if not os.path.isdir(runs):
        raise LungcadError(f"There is no folder {printable(runs)!r} of evaluation runs; check --runs.")
    rows, table = [], table_of("run", "data set", "protocol", "n", *headlines())
    for name in list_runs(runs):
        try:
            run = read_run(name, runs)
            values = headline_values(run)
        except LungcadError as error:
            complain(str(error))
            continue
        rows.append(run_summary(run, values))
        table.add_row(rows[-1]["run"], run.facts["dataset"], run.facts["protocol"], str(len(run.test)), *map(str, values.values()))
    if as_json:
        print_json(rows)
    else:
        print_table(table)


@runs_app.command("show")
def runs_show(
    name: str,
    runs: RunsFolder = RUNS,
    without_copies: Annotated[bool, typer.Option(help="Leave out test images that copy a training image.")] = False,
    as_json: Json = False,
) -> None:
    """Every metric of a run with its interval, its confusion matrix, operating points and the trivial baselines."""
    from lungcad.evaluate.copy_marks import accuracy_by_copies
    from lungcad.evaluate.scoring import baselines, confusion, operating_points, report
    from lungcad.evaluate.stores.runs import read_run

    run = read_run(name, runs)
    by_copies = accuracy_by_copies(run)
    found, trivial = report(run, without_copies=without_copies), baselines(run, without_copies=without_copies)
    matrix = confusion(run, without_copies=without_copies)
    if as_json:
        print_json({
            "facts": run.facts,
            "accuracy_by_copies": {part: {"n": n, "accuracy": each.model_dump()} for part, (n, each) in by_copies.items()},
            "metrics": {metric: each.model_dump() for metric, each in found.items()}, "confusion": matrix.tolist(),
            "operating_points": [
                point | {"test": {metric: each.model_dump() for metric, each in point["test"].items()}} for point in operating_points(run)
            ],
            "baselines": {each: {metric: value.model_dump() for metric, value in values.items()} for each, values in trivial.items()},
        })  # fmt: skip
        return
    print(f"{name}: {run.facts['dataset']}, {run.facts['protocol']}, {matrix.sum()} test cases in {run.test.group.nunique()} groups")
    table = table_of("metric", "value [95 % interval over groups]", *trivial)
    for metric, value in found.items():
        table.add_row(
            metric,
            str(value),
            *(str(values[metric]) if metric in values else "" for values in trivial.values()),
        )
    print_table(table)
    if by_copies:
        print("accuracy: " + ", ".join(f"{each} on {part} ({n})" for part, (n, each) in by_copies.items()))
    table = table_of("true \\ predicted", *run.classes)
    for label, row in zip(run.classes, matrix, strict=True):
        table.add_row(label, *map(str, row))
    print_table(table)
    for point in operating_points(run):
        rates = ", ".join(f"{metric} {value}" for metric, value in point["test"].items())
        print(f"{point['name']} (threshold {point['threshold']:.3f}, chosen on validation): {rates}")


@runs_app.command("mark-copies")
def runs_mark_copies(
    names: list[str],
    data: Annotated[Path | None, typer.Option(help="Folder of the data set; by default looked for in data/.")] = None,
    runs: RunsFolder = RUNS,
) -> None:
    """Mark anew which cases of runs copy a training image, by today's audit, in the runs and in the cards of the shipped networks that they tested."""
    from lungcad.evaluate.copy_marks import card_by_copies, mark_copies
    from lungcad.evaluate.stores.runs import read_run
    from lungcad.models import list_cards

    for name in names:
        with progress("reading images") as on_progress:
            n = mark_copies(read_run(name, runs), to_write(runs), data, on_progress=on_progress)
        print(f"{printable(name)}: {n} test cases copy a training image")
        for card in list_cards():
            if to_write(runs) == to_write(RUNS) and card.run == f"data/runs/{name}":
                card_by_copies(card, read_run(name, runs)).write(to_write(WEIGHTS) / f"{card.name}.json")


@runs_app.command("turn")
def runs_turn(
    model: Model,
    data: Annotated[Path | None, typer.Option(help="Folder of the data set that trained it; by default looked for in data/.")] = None,
    runs: RunsFolder = RUNS,
) -> None:
    """Ask a network its own validation and test cases again, as means over four quarter turns; kept as the run MODEL-turned."""
    from lungcad.datasets import DATASETS
    from lungcad.evaluate.own_parts import answer_own_parts
    from lungcad.evaluate.stores.runs import write_run
    from lungcad.models import load_model
    from lungcad.models.turned import ALL_TURNS

    network = load_model(model)
    name = f"{model}-turned"
    with progress("turning images") as on_progress:
        folder = data or DATASETS[network.card.dataset].locate()
        run = answer_own_parts(network, folder, name, turns=ALL_TURNS, on_progress=on_progress, runs=runs)
    write_run(to_write(runs) / name, run.facts, run.predictions, run.baselines)
    print(f"kept as {name}; `python -m lungcad runs show {name}` says what it reaches")


@runs_app.command("tables")
def runs_tables(
    runs: RunsFolder = RUNS,
    write: Annotated[bool, typer.Option("--write", help="Write README.md in that folder anew, with both tables.")] = False,
) -> None:
    """The tables of protocols and of attention's gain, as Markdown."""
    from lungcad.publish.run_tables import gain_table, protocols_table, runs_readme

    if write:
        write_whole(to_write(runs) / "README.md", runs_readme(runs, complain))
        return
    protocols = protocols_table(runs, complain)
    print(f"{protocols}\n\n{gain_table(runs, lambda _: None)}")  # a bad run is said once


@runs_app.command("compare")
def runs_compare(
    first: str,
    second: str,
    runs: RunsFolder = RUNS,
    common: Annotated[bool, typer.Option("--common", help="Compare the test cases that both runs have.")] = False,
    as_json: Json = False,
) -> None:
    """Second run minus first on the same cases: DeLong, McNemar, paired bootstrap over groups."""
    from lungcad.evaluate.paired_tests import compare_runs
    from lungcad.evaluate.stores.runs import read_run

    _print_differences(compare_runs(read_run(first, runs), read_run(second, runs), common_only=common), first, second, as_json)


@runs_app.command("gain")
def runs_gain(
    baseline: Annotated[str, typer.Argument(help="A run without attention; its NAME-seedN runs are taken too.")],
    attended: Annotated[str, typer.Argument(help="The run with attention; its NAME-seedN runs are taken too.")],
    runs: RunsFolder = RUNS,
    as_json: Json = False,
) -> None:
    """What attention gains, as a paired difference over all seeds."""
    from lungcad.evaluate.paired_tests import attention_gain
    from lungcad.evaluate.stores.runs import read_seeds

    _print_differences(attention_gain(read_seeds(baseline, runs), read_seeds(attended, runs)), baseline, attended, as_json)


def _print_differences(differences: Sequence["Difference"], first: str, second: str, as_json: bool) -> None:
    if as_json:
        print_json([each.to_dict() for each in differences])
        return
    table = table_of("metric", first, second, "difference [95 % interval]", "p", "test")
    for each in differences:
        p = "–" if each.p is None else f"{each.p:.3g}"
        table.add_row(
            each.metric,
            f"{each.first:.3f}",
            f"{each.second:.3f}",
            f"{each.difference:+.3f} [{each.low:+.3f}, {each.high:+.3f}]",
            p,
            each.test,
        )
    print_table(table)
