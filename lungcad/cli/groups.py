"""The command runs groups: cases of a run that its network explains alike."""

from typing import Annotated

import typer

from lungcad.cli.common import Json, print_json
from lungcad.cli.runs import runs_app
from lungcad.errors import LungcadError


@runs_app.command("groups")
def runs_groups(
    names: Annotated[
        list[str] | None, typer.Argument(help="Runs of networks with an index; by default those of networks that were made to cheat.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Groups of a run's cases by how the network explains them; for a planted shortcut, whether they find it (adjusted Rand index)."""
    from lungcad.publish.groups_table import grouped_run, groups_table, runs_that_cheat

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
