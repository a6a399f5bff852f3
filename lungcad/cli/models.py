"""The networks that are installed."""

from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from lungcad.cli.common import Json, app, print_json
from lungcad.paths import WEIGHTS

if TYPE_CHECKING:
    from lungcad.models.card import ModelCard


@app.command()
def models(
    as_json: Json = False,
    write_readme: Annotated[
        bool, typer.Option(help="Write aims missed (from the runs) into the cards, and weights/README.md anew.")
    ] = False,
) -> None:
    """List the installed networks with the numbers of their cards."""
    from lungcad.models.card import list_cards

    if write_readme:
        from lungcad.evaluate.stores.region_runs import read_region_runs
        from lungcad.models.complexity import complexity_of
        from lungcad.publish import cards_readme
        from lungcad.publish.aims import with_aim
        from lungcad.publish.gate_tables import with_gate
        from lungcad.publish.region_tables import with_regions
        from lungcad.publish.seeds import with_seeds
        from lungcad.train.recipe import Recipe

        region_runs = read_region_runs()
        for card in list_cards():
            counted = complexity_of(card.model_copy(update={"complexity": None}))
            card = with_aim(card, Recipe.read(WEIGHTS / f"{card.name}.yaml").selection_note).model_copy(update={"complexity": counted})
            with_seeds(with_regions(with_gate(card), region_runs)).write(WEIGHTS / f"{card.name}.json")
        cards_readme.write_readme(WEIGHTS, list_cards())
    cards = list_cards()
    if as_json:
        print_json([card.model_dump(mode="json") for card in cards])
        return
    out = Console()
    for dataset, cards_of_dataset in groupby(sorted(cards, key=lambda card: (card.dataset, card.name)), lambda card: card.dataset):
        out.print(_table_of(list(cards_of_dataset), dataset, wide=out.width >= WIDE))
    out.print("Test part, 95 % interval over groups. --json has all that the cards say.", style="dim")


WIDE = 105
"""Columns of a terminal that hold the cost of a pass and "without copies" too."""


def _table_of(cards: "list[ModelCard]", dataset: str, *, wide: bool) -> Table:
    table = Table(title=f"\n{dataset}", title_justify="left", title_style="bold", box=None, pad_edge=False)
    for name in ("network", "attention", "million\nweights", *["GFLOPs"] * wide, "accuracy", *["without copies"] * wide):
        table.add_column(name, no_wrap=True, justify="right" if name in ("million\nweights", "GFLOPs") else "left")
    for card in cards:
        cost = card.complexity
        accuracies = [str(result.accuracy) if result else "–" for result in (card.test, *[card.test_without_copies] * wide)]
        costs = (f"{cost.parameters / 1e6:.2f}", f"{cost.flops / 1e9:.2f}") if cost else ("–", "–")
        table.add_row(card.name, card.attention, *costs[: 1 + wide], *accuracies)
    return table
