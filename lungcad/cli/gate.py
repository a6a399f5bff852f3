"""Commands about the gate: fit, table."""

import json
from pathlib import Path
from typing import Annotated

import typer

from lungcad.cli.common import app, complain, names_in, progress
from lungcad.errors import LungcadError
from lungcad.files import check_can_make, write_whole
from lungcad.paths import GATE, to_write

gate = typer.Typer(no_args_is_help=True, help="Knowing when not to answer: fit the gates of networks, and show what they keep and decline.")
app.add_typer(gate, name="gate")


@gate.command()
def fit(
    model: Annotated[str | None, typer.Option(help="A name that `models` lists, or several with commas between.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every installed network that was trained on a published data set.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Leave out networks whose gate and test are there already, of their present weights.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Where NAME.npz (the gate) and NAME.json (its test) go.")] = to_write(GATE),
) -> None:
    """Fit gates on the training images and other kinds of pictures, set their limits on validation, test them."""
    from lungcad.datasets import is_made
    from lungcad.evaluate.gate.fit import fit_gate
    from lungcad.evaluate.gate.trial import try_gate
    from lungcad.evaluate.stores.gates import read_gate_tests
    from lungcad.models import list_cards, load_model

    if (model is None) == (not every):
        raise LungcadError("Name the networks with --model, or take all of them with --all.")
    check_can_make(out)
    cards = {card.name: card for card in list_cards()}
    names = [card.name for card in cards.values() if not is_made(card.dataset)] if model is None else names_in(model)
    done = {test["network"]: test["weights_sha256"] for test in read_gate_tests(out)} if resume else {}
    for name in names:
        if name in cards and done.get(name) == cards[name].sha256 and (out / f"{name}.npz").is_file():
            print(f"{name}: there already", flush=True)
            continue
        network = load_model(name)
        with progress(f"{name}: fitting") as on_progress:
            fitted = fit_gate(network, on_progress)
        with progress(f"{name}: testing") as on_progress:
            record = try_gate(network, fitted, on_progress)
        fitted.gate.write(out / f"{network.card.name}.npz")
        write_whole(out / f"{network.card.name}.json", json.dumps(record, indent=1, ensure_ascii=False) + "\n")
        kept = record["own_test"]["kept"]["value"]
        print(
            f"{network.card.name}: keeps {kept:.1%} of its {record['own_test']['n']} test images; 'lungcad gate table' shows the rest",
            flush=True,
        )


@gate.command()
def table(
    folder: Annotated[Path, typer.Option(help="Folder of the fitted gates.")] = GATE,
    write: Annotated[bool, typer.Option("--write", help="Write README.md in that folder anew.")] = False,
) -> None:
    """What each network's gate keeps of its own kind and declines of others."""
    from lungcad.evaluate.stores.gates import read_gate_tests
    from lungcad.publish.gate_tables import declined_table, gate_readme

    tests = read_gate_tests(folder, on_fault=complain)
    if write:
        write_whole(to_write(folder) / "README.md", gate_readme(tests))
    print(declined_table(tests))
