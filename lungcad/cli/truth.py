"""Commands about networks of known truth: truth, truth-tables."""

from pathlib import Path
from typing import Annotated

import typer

from lungcad.cli.common import Json, app, names_in, print_json, print_table, progress, table_of
from lungcad.errors import LungcadError
from lungcad.files import check_can_make, write_whole
from lungcad.paths import TRUTH, to_write


@app.command()
def truth(
    networks: Annotated[str | None, typer.Option(help="Names of networks of known truth, with commas between; by default all.")] = None,
    n: Annotated[int, typer.Option("--n", min=10, help="Test phantoms.")] = 200,
    methods: Annotated[
        str | None,
        typer.Option(help="Methods to mark, with commas between; by default those of about one forward pass that are cheapest."),
    ] = None,
    slow_checks: Annotated[
        int, typer.Option(min=0, help="Cases of each network on which the checks of about a hundred passes are asked, of the first method.")
    ] = 12,
    slow: Annotated[
        int,
        typer.Option(min=0, help="Cases on which methods of a thousand passes are measured; those of some dozens on twice as many."),
    ] = 6,
    choose_thresholds: Annotated[
        bool,
        typer.Option(
            "--choose-thresholds", help="Choose the thresholds of the checks' words on validation phantoms, and keep them; nothing else."
        ),
    ] = False,
    check: Annotated[
        str | None,
        typer.Option(
            help="One check of the answer, or a slow one, marked by itself on the phantoms of the last marking and put beside it."
        ),
    ] = None,
    again: Annotated[
        str | None,
        typer.Option(
            help="Networks that were trained anew, with commas between, marked on the phantoms of the last marking and put beside the others."
        ),
    ] = None,
    part: Annotated[
        str | None,
        typer.Option(
            help="One part of the marking (published_measures, walls, localisation) measured by itself on the phantoms of the last marking; "
            "goes on where it was broken off, and with a larger --slow it measures only what is missing."
        ),
    ] = None,
    anew: Annotated[bool, typer.Option("--anew", help="Measure the part's rows that are there again.")] = False,
    out: Annotated[Path, typer.Option(help="Where truth.json and the rows behind it go.")] = to_write(TRUTH),
    as_json: Json = False,
) -> None:
    """Mark the trust checks on networks of which it is known what they use: does each find the cheaters and leave the honest alone?"""
    from lungcad.evaluate.stores.truth import write_thresholds, write_truth
    from lungcad.evaluate.truth.marks import ALL
    from lungcad.evaluate.truth.run import choose_on_validation, mark

    check_can_make(out)
    names = names_in(networks)
    if check is not None:
        _one(check, n, slow_checks, out, choose=choose_thresholds)
        return
    if again is not None:
        _again(names_in(again), slow_checks, out)
        return
    if part is not None:
        _part(part, slow, out, anew=anew)
        return
    if choose_thresholds:
        with progress("validation phantoms") as on_progress:
            chosen = choose_on_validation(names, n=n, on_progress=on_progress)
        write_thresholds(chosen, n, out / "thresholds.json")
        print(", ".join(f"{check}: contradicts from a fall of {value}" for check, value in chosen.items()))
        return
    with progress("test phantoms") as on_progress:
        marked = mark(names, n=n, methods=names_in(methods), slow_check_cases=slow_checks, slow_cases=slow, on_progress=on_progress)
    written = write_truth(marked, out)
    if as_json:
        print_json(marked.to_dict())
        return
    table = table_of("method", "check", "cheaters found", "honest not accused", "area under ROC")
    for row in marked.facts["marks"]:
        if row["cheat"] == ALL:
            values = [row["sensitivity"], row["specificity"], row["auc"]]
            table.add_row(row["method"], row["check"], *("–" if value is None else f"{value:.2f}" for value in values))
    print_table(table)
    print(f"{marked.facts['n']} phantoms; kept in {written}; --json prints every cheat and the intervals")


def _part(name: str, slow: int, out: Path, *, anew: bool) -> None:
    import pandas as pd

    from lungcad.evaluate.stores.truth import read_part, read_truth, update_part, write_part
    from lungcad.evaluate.truth.run import measure_part

    facts = read_truth(out)
    if facts is None:
        raise LungcadError("Nothing is marked yet; 'python -m lungcad truth' does it.")
    before = pd.DataFrame() if anew else read_part(name, out)
    with progress("test phantoms") as on_progress:
        marked, table = measure_part(
            name, facts, slow_cases=slow, before=before, on_rows=lambda rows: write_part(name, rows, out), on_progress=on_progress
        )
    update_part(name, marked, table, out)
    print(f"{len(table)} maps measured for {name}; kept in {out}; 'python -m lungcad truth-tables --write' writes the tables")


def _again(names: list[str], slow_checks: int, out: Path) -> None:
    from lungcad.evaluate.stores.truth import read_part, read_peaks, read_truth, read_verdicts, write_truth
    from lungcad.evaluate.truth.again import mark_again
    from lungcad.evaluate.truth.parts import PARTS
    from lungcad.evaluate.truth.run import Truth

    facts = read_truth(out)
    if facts is None:
        raise LungcadError("Nothing is marked yet; 'python -m lungcad truth' does it.")
    last = Truth(facts, read_verdicts(out), read_peaks(out), {name: read_part(name, out) for name in PARTS})
    with progress("test phantoms") as on_progress:
        write_truth(mark_again(names, last, slow_check_cases=slow_checks, on_progress=on_progress), out)
    print(f"{', '.join(names)} marked anew; kept in {out}; 'python -m lungcad truth-tables --write' writes the tables")


def _one(check: str, n: int, slow_checks: int, out: Path, *, choose: bool) -> None:
    from lungcad.evaluate.stores.truth import read_truth, read_verdicts, update_marks, write_thresholds
    from lungcad.evaluate.truth.one_check import choose_one, mark_one

    if choose:
        with progress("validation phantoms") as on_progress:
            chosen = choose_one(check, n=n, on_progress=on_progress)
        write_thresholds(chosen, n, out / "thresholds.json")
        print(f"{check}: contradicts from {chosen[check]}")
        return
    facts = read_truth(out)
    if facts is None:
        raise LungcadError("Nothing is marked yet; 'python -m lungcad truth' does it.")
    with progress("test phantoms") as on_progress:
        marked, verdicts = mark_one(check, facts, read_verdicts(out), slow_check_cases=slow_checks, on_progress=on_progress)
    update_marks(marked, verdicts, out)
    for row in marked["marks"]:
        if row["check"] == check:
            print(
                f"{row['cheat']}: finds {row['sensitivity']:.2f} of {row['n']}, honest not accused {row['specificity']:.2f} of {row['n_honest']}"
            )


@app.command("truth-tables")
def truth_tables(
    folder: Annotated[Path, typer.Option(help="Folder of the marking.")] = TRUTH,
    write: Annotated[bool, typer.Option("--write", help="Write README.md in that folder anew.")] = False,
) -> None:
    """What the networks of known truth use, and the marks of the checks, from the last marking."""
    from lungcad.evaluate.stores.truth import read_truth
    from lungcad.publish.truth_tables import counterfactual_table, truth_readme

    facts = read_truth(folder)
    if facts is None:
        raise LungcadError("Nothing is marked yet; 'python -m lungcad truth' does it.")
    if write:
        write_whole(to_write(folder) / "README.md", truth_readme(facts))
    print(counterfactual_table(facts))
