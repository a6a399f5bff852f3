"""The command line: ``python -m lungcad models|predict|explain|train|evaluate|bench``.

Results go to standard output (clean JSON with ``--json``), progress and messages to standard error. Bad input ends with
one sentence and exit status 2.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from lungcad.errors import LungcadError

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)
messages = Console(stderr=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Model = Annotated[str, typer.Option(help="A name that `models` lists.")]


def main() -> None:
    """Run the command line; user errors become one sentence on standard error and exit status 2."""
    try:
        app()
    except LungcadError as error:
        _complain(str(error))
        sys.exit(2)
    except KeyboardInterrupt:
        _complain("Stopped.")
        sys.exit(130)


def _complain(sentence: str) -> None:
    print(f"lungcad: {sentence}", file=sys.stderr)


@contextmanager
def _progress(title: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error, on a terminal only."""
    with Progress(console=messages, transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(title)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _print_json(value: object, *, indent: int | None = 2) -> None:
    print(json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False), flush=True)


@app.command()
def models(
    as_json: Json = False, write_readme: Annotated[bool, typer.Option(help="Write weights/README.md anew from the cards.")] = False
) -> None:
    """List the installed networks with the numbers of their cards."""
    from lungcad.models import cards_readme
    from lungcad.models.weights import WEIGHTS, list_cards

    cards = list_cards()
    if write_readme:
        cards_readme.write_readme(WEIGHTS, cards)
    if as_json:
        _print_json([card.model_dump(mode="json") for card in cards])
        return
    table = Table("name", "network", "attention", "data set", "test accuracy [95 %]", "without copies [95 %]")
    for card in cards:
        table.add_row(card.name, card.backbone, card.attention, card.dataset, *(
            f"{result.accuracy.value:.3f} [{result.accuracy.low:.3f}, {result.accuracy.high:.3f}]" if result else "–"
            for result in (card.test_published, card.test_without_copies)
        ))  # fmt: skip
    Console().print(table)


@app.command()
def predict(images: list[Path], model: Model, as_json: Json = False) -> None:
    """Classify images. With --json, one JSON object a line for each image."""
    from lungcad.analysis import analyse
    from lungcad.models import load_model

    network = load_model(model)
    failed = False
    for path in images:
        try:
            result = analyse(str(path), network, methods=())
        except LungcadError as error:
            _complain(f"{path}: {error}")
            failed = True
            continue
        if as_json:
            _print_json({"path": str(path), "model": model, "class": result.prediction.label,
                         "probabilities": result.prediction.probabilities, "warnings": list(result.warnings)}, indent=None)  # fmt: skip
        else:
            print(f"{path}: {result.prediction.label} ({result.prediction.confidence:.1%})")
            for warning in result.warnings:
                messages.print(f"  note: {warning}", highlight=False)
    if failed:
        raise typer.Exit(2)


@app.command()
def explain(
    image: Path,
    model: Model,
    method: Annotated[str, typer.Option(help="gradcam, lime or attention.")] = "gradcam",
    target: Annotated[str | None, typer.Option(help="Class to explain; the predicted one unless told.")] = None,
    out: Annotated[Path | None, typer.Option(help="PNG: the overlay at the image's own size.")] = None,
    values: Annotated[Path | None, typer.Option(help="NPY: the raw float32 map at the image's own size.")] = None,
    samples: Annotated[int, typer.Option(min=50, max=100_000, help="Number of samples (LIME).")] = 1000,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed (LIME).")] = 0,
    as_json: Json = False,
) -> None:
    """Explain one image: overlay and raw map."""
    import numpy as np

    from lungcad.analysis import analyse
    from lungcad.explain import Options
    from lungcad.explain.overlay import overlay, png

    _check_writable(out, ".png")
    _check_writable(values, ".npy")
    with _progress(method) as on_progress:
        result = analyse(str(image), model, methods=[method], target=target, options=Options(seed, samples), on_progress=on_progress)
    attribution = result.attributions[method]
    if out:
        out.write_bytes(png(overlay(result.image.grey(), attribution), Method=method, Network=model, Class=result.target))
    if values:
        with values.open("wb") as file:
            np.save(file, attribution.values)
    if as_json:
        _print_json({"path": str(image), **result.to_dict()})
    else:
        print(f"{image}: {result.prediction.label} ({result.prediction.confidence:.1%}), {method} of {result.target}, "
              f"values {attribution.values.min():.4g} to {attribution.peak:.4g}")  # fmt: skip
        for warning in result.warnings:
            messages.print(f"  note: {warning}", highlight=False)


@app.command()
def train(
    recipe: Path,
    data: Annotated[
        Path | None, typer.Option(help="Folder of the data set, laid out as published; looked for in data/ unless told.")
    ] = None,
    work: Annotated[Path | None, typer.Option(help="Checkpoints and logs; runs/NAME unless told. The same folder resumes.")] = None,
    out: Annotated[Path, typer.Option(help="Where NAME.safetensors and NAME.json go.")] = Path("weights"),
    runs: Annotated[Path, typer.Option(help="Where the evaluation run goes.")] = Path("data/runs"),
) -> None:
    """Train a network by a recipe (YAML), calibrate it on validation, test it, write weights, card and run."""
    from lungcad.datasets import LAYOUTS
    from lungcad.train.recipe import Recipe
    from lungcad.train.run import train as run_training

    plan = Recipe.read(recipe)
    try:
        with _progress("reading images") as on_progress:
            card = run_training(
                plan, data=data or LAYOUTS[plan.dataset].locate(), work=work or Path("runs") / plan.name, weights=out, runs=runs,
                on_progress=on_progress, progress_bar=sys.stderr.isatty(),
            )  # fmt: skip
    except (KeyboardInterrupt, SystemExit):  # Lightning turns Ctrl-C into SystemExit
        _complain("Stopped. The same command resumes after the last finished epoch.")
        raise typer.Exit(130) from None
    tested = card.test_published.accuracy
    print(
        f"{card.name}: test accuracy {tested.value:.3f} [{tested.low:.3f}, {tested.high:.3f}], epoch {card.best_epoch} of {card.epochs_trained}"
    )


@app.command()
def evaluate(
    model: Model,
    data: Annotated[Path, typer.Option(help="A folder laid out as published; its test part when it has parts.")],
    layout: Annotated[str, typer.Option(help="How the folder is laid out.")] = "chest-ct-scan",
    as_json: Json = False,
) -> None:
    """Test a network on a folder of labelled images."""
    from lungcad.evaluate.folder import evaluate_folder
    from lungcad.models import load_model

    network = load_model(model)
    with _progress("evaluating") as on_progress:
        evaluation = evaluate_folder(network, data, layout, on_progress)
    for case, why in evaluation.skipped:
        _complain(f"skipped {case}: {why}")
    values = evaluation.to_dict()
    if as_json:
        _print_json(values)
        return
    table = Table("metric", "value", "95 % interval")
    for name, (low, high) in values["intervals"].items():
        value = values["recall"].get(name.removeprefix("recall ")) if name.startswith("recall ") else values[name]
        table.add_row(
            name, *("–" if each is None else f"{each:.3f}" for each in (value,)), "–" if low is None else f"{low:.3f} to {high:.3f}"
        )
    Console().print(table, f"{values['n']} images, {values['images_per_second']} images/s")


@app.command()
def bench(
    only: Annotated[str | None, typer.Option(help="Run one entry only.")] = None,
    data: Annotated[Path | None, typer.Option(help="Chest CT-Scan folder; phantoms are used without it.")] = None,
    as_json: Json = False,
) -> None:
    """Measure lungcad against the plain library calls, in this run on this machine."""
    from lungcad.bench import ENTRIES, run

    with _progress("measuring") as on_progress:
        rows = run(only, data=data, on_progress=on_progress)
    if as_json:
        _print_json(rows)
        return
    table = Table("name", "ours", "plain", "ratio", "unit", "meaning")
    for row in rows:
        table.add_row(
            row["name"], f"{row['ours']:.4g}", f"{row['plain']:.4g}", f"{row['ratio']:.2f}", row["unit"], ENTRIES[row["name"]].__doc__
        )
    Console().print(table)


def _check_writable(path: Path | None, suffix: str) -> None:
    if path is None:
        return
    if path.suffix.lower() != suffix:
        raise LungcadError(f"The output file {str(path)!r} must end in {suffix}.")
    if not path.parent.is_dir():
        raise LungcadError(f"There is no folder {str(path.parent)!r} to write to; make it first.")
