"""The command runs groups: cases of a run that its network explains alike."""

from dataclasses import asdict
from typing import Annotated

import typer

from lungcad.cli.common import Json, print_json, print_table, progress, table_of
from lungcad.cli.runs import runs_app
from lungcad.errors import LungcadError, lookup


@runs_app.command("groups")
def runs_groups(
    names: Annotated[
        list[str] | None, typer.Argument(help="Runs of networks with an index; by default those of networks that were made to cheat.")
    ] = None,
    compare: Annotated[
        bool,
        typer.Option(
            "--compare",
            help="The settings of the grouping side by side, on validation phantoms of networks that were made to cheat; nothing else.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Groups of a run's cases by how the network explains them; for a planted shortcut, whether they find it (adjusted Rand index)."""
    from lungcad.publish.groups_table import grouped_run, groups_table, runs_that_cheat

    if compare:
        _compare(names or runs_that_cheat(), as_json=as_json)
        return
    grouped = [grouped_run(name) for name in names or runs_that_cheat()]
    if not grouped:
        raise LungcadError("No network that was made to cheat has an index; name a run, or make one with 'python -m lungcad index'.")
    if not as_json:
        print(groups_table(grouped))
        return
    print_json(
        [
            {
                "run": each.name, "shortcut": each.shortcut, "adjusted_rand": each.adjusted_rand,
                "groups": [
                    {"n": len(group.cases), "classes": group.classes, "answers": group.answers, "accuracy": group.accuracy.model_dump(),
                     "difference": group.difference.model_dump(), "share_of_carriers": each.share_of_carriers(group), "cases": list(group.cases)}
                    for group in each.groups
                ],
            }
            for each in grouped
        ]
    )  # fmt: skip


def _compare(names: list[str], *, as_json: bool) -> None:
    from lungcad.evaluate.truth.grouping import compare_settings
    from lungcad.evaluate.truth.networks import KNOWN_NETWORKS

    networks = [lookup(KNOWN_NETWORKS, name, "network of known truth") for name in names]
    if honest := [known.name for known in networks if known.shortcut is None]:
        raise LungcadError(f"Nobody planted a shortcut for {', '.join(honest)}; name networks that were made to cheat.")
    with progress("validation phantoms") as on_progress:
        settings = compare_settings(networks, on_progress)
    if as_json:
        print_json([asdict(setting) for setting in settings])
        return
    table = table_of("weight of maps", "neighbours", *names)
    for setting in settings:
        table.add_row(f"{setting.weight_of_maps:g}", str(setting.neighbours), *(f"{setting.adjusted_rand[name]:.2f}" for name in names))
    print_table(table)
