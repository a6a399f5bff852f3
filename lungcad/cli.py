"""The command line: ``python -m lungcad models|predict|explain|train|tune|evaluate|audit|data|runs|bench``.

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
data_app = typer.Typer(no_args_is_help=True, help="Known data sets: counts, download.")
runs_app = typer.Typer(no_args_is_help=True, help="Evaluation runs: list, show, compare.")
app.add_typer(data_app, name="data")
app.add_typer(runs_app, name="runs")
messages = Console(stderr=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Model = Annotated[str, typer.Option(help="A name that `models` lists.")]
Models = Annotated[str, typer.Option(help="A name that `models` lists, or several with commas between: their calibrated mean.")]


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
    from dataclasses import asdict

    from lungcad.models import cards_readme
    from lungcad.models.complexity import complexity_of
    from lungcad.models.weights import WEIGHTS, list_cards

    cards = list_cards()
    if write_readme:
        cards_readme.write_readme(WEIGHTS, cards)
    if as_json:
        _print_json([card.model_dump(mode="json") | asdict(complexity_of(card)) for card in cards])
        return
    table = Table("name", "network", "attention", "data set", "parameters", "GFLOPs", "test accuracy [95 %]", "without copies [95 %]")
    for card in cards:
        cost = complexity_of(card)
        added = f" ({cost.added_flops:+.1%})" if card.attention != "none" else ""
        table.add_row(card.name, card.backbone, card.attention, card.dataset, f"{cost.parameters / 1e6:.2f} M", f"{cost.flops / 1e9:.2f}{added}", *(
            f"{result.accuracy.value:.3f} [{result.accuracy.low:.3f}, {result.accuracy.high:.3f}]" if result else "–"
            for result in (card.test, card.test_without_copies)
        ))  # fmt: skip
    Console().print(table)


@app.command()
def predict(images: list[Path], model: Models, as_json: Json = False) -> None:
    """Classify images. With --json, one JSON object a line for each image."""
    from lungcad.analysis import analyse, answer_together
    from lungcad.models import load_model
    from lungcad.models.ensemble import Ensemble

    together = Ensemble.load(model) if "," in model else None
    network = None if together else load_model(model)
    failed = False
    for path in images:
        try:
            result = answer_together(str(path), together) if together else analyse(str(path), network, methods=())
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
    folds: Annotated[
        int | None, typer.Option(min=2, max=20, help="Cross-validate over groups in so many folds; only the run is kept.")
    ] = None,
    protocol: Annotated[
        str | None, typer.Option(help="published or grouped instead of the recipe's; only the run is kept, as NAME-PROTOCOL.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Another seed than the recipe's; only the run is kept, as NAME-seedSEED.")] = None,
) -> None:
    """Train a network by a recipe (YAML), calibrate it on validation, test it, write weights, card and run."""
    from lungcad.datasets import DATASETS
    from lungcad.train.recipe import Recipe
    from lungcad.train.run import Places, cross_validate
    from lungcad.train.run import train as run_training

    plan = Recipe.read(recipe).variant(protocol=protocol, seed=seed)
    varied = bool(folds) or protocol is not None or seed is not None
    work = work or Path("runs") / (f"{plan.name}-folds" if folds else plan.name)
    places = Places(data or DATASETS[plan.dataset].locate(), work, None if varied else out, runs)
    try:
        with _progress("reading images") as on_progress:
            watch = {"on_progress": on_progress, "progress_bar": sys.stderr.isatty()}
            if folds:
                print(f"cross-validation run: {cross_validate(plan, places, folds, **watch)}")
                return
            card = run_training(plan, places, **watch)
    except (KeyboardInterrupt, SystemExit) as stop:  # Lightning turns Ctrl-C into SystemExit
        if isinstance(stop, SystemExit) and stop.code == 0:
            raise
        _complain("Stopped. The same command resumes after the last finished epoch.")
        raise typer.Exit(130) from None
    from lungcad.evaluate.runs import read_run

    for case in read_run(card.name, runs).facts["skipped"]:
        _complain(f"skipped {case}: it could not be read")
    tested = card.test.accuracy
    print(
        f"{card.name}: test accuracy {tested.value:.3f} [{tested.low:.3f}, {tested.high:.3f}], epoch {card.best_epoch} of {card.epochs_trained}"
    )


@app.command()
def tune(
    recipe: Path,
    data: Annotated[Path | None, typer.Option(help="Folder of the data set; looked for in data/ unless told.")] = None,
    trials: Annotated[int, typer.Option(min=1, max=1000, help="Trainings in all; a second call goes on.")] = 20,
    work: Annotated[Path | None, typer.Option(help="Study and checkpoints; runs/NAME-tune unless told.")] = None,
    out: Annotated[Path | None, typer.Option(help="YAML: the best recipe.")] = None,
) -> None:
    """Search rates, weight decay, dropout, label smoothing and MixUp with Optuna, on validation only."""
    import yaml

    from lungcad.datasets import DATASETS
    from lungcad.train.recipe import Recipe
    from lungcad.train.tune import tune as run_tuning

    plan = Recipe.read(recipe)
    if out:
        _check_writable(out, ".yaml")
    try:
        with _progress("trials") as on_progress:
            found = run_tuning(
                plan,
                data or DATASETS[plan.dataset].locate(),
                work or Path("runs") / f"{plan.name}-tune",
                trials=trials,
                on_progress=on_progress,
            )
    except (KeyboardInterrupt, SystemExit):
        _complain("Stopped. The same command goes on after the last finished trial.")
        raise typer.Exit(130) from None
    table = Table("trial", *next(iter(found.trials))[0], plan.monitor.value)
    for number, (values, score) in enumerate(found.trials):
        table.add_row(str(number), *(f"{value:.3g}" for value in values.values()), f"{score:.4f}")
    Console().print(table)
    text = yaml.safe_dump(found.recipe.model_dump(mode="json"), sort_keys=False)
    if out:
        out.write_text(text, "utf-8")
    else:
        print(text)


@app.command()
def evaluate(
    model: Models,
    data: Annotated[Path, typer.Option(help="A folder laid out as published; its test part when it has parts.")],
    layout: Annotated[str | None, typer.Option(help="How the folder is laid out; as the network's own data set unless told.")] = None,
    as_json: Json = False,
) -> None:
    """Test a network on a folder of labelled images."""
    from lungcad.evaluate.folder import evaluate_ensemble, evaluate_folder
    from lungcad.models import load_model
    from lungcad.models.ensemble import Ensemble

    with _progress("evaluating") as on_progress:
        if "," in model:
            ensemble = Ensemble.load(model)
            evaluation = evaluate_ensemble(ensemble, data, layout or ensemble.members[0].card.dataset, on_progress)
        else:
            network = load_model(model)
            evaluation = evaluate_folder(network, data, layout or network.card.dataset, on_progress)
    for case, why in evaluation.skipped:
        _complain(f"skipped {case}: {why}")
    if evaluation.seen:
        _complain(
            f"{evaluation.seen} of the {evaluation.result.n} images belong to the data that {model} was trained or chosen on, so these numbers are too "
            "good; `lungcad runs show` has those of its test part."
        )
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
def audit(
    folder: Annotated[str, typer.Argument(help="A folder of images, or the name of a known data set.")],
    layout: Annotated[str | None, typer.Option(help="How the folder is laid out; found out unless told.")] = None,
    protocol: Annotated[
        str | None, typer.Option(help="Split a data set that comes without parts, published or grouped, to see what leaks.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Find copies, leaks between splits, label conflicts, unreadable files and classes that the files' metadata give away."""
    from lungcad.datasets import DATASETS, Protocol
    from lungcad.datasets.audit import audit as run_audit
    from lungcad.errors import lookup

    known = DATASETS.get(folder) if not Path(folder).is_dir() else None
    chosen = lookup({each.value: each for each in Protocol}, protocol, "protocol") if protocol else None
    with _progress("reading images") as on_progress:
        found = run_audit(known.locate() if known else folder, layout or (known and known.name), protocol=chosen, on_progress=on_progress)
    values = found.to_dict()
    if as_json:
        _print_json(values)
        return
    out = Console()
    out.print(f"{found.n_images} images ({', '.join(f'{name} {n}' for name, n in found.n_by_class.items())}), split: {found.split}")
    out.print(
        f"{len(found.duplicate_groups)} groups of copies, {found.exact_groups} of them with equal pixels; {len(found.unreadable)} unreadable files"
    )
    table = Table("split", "class", "copies of training images", "share")
    for leak in found.leaks:
        table.add_row(leak.split, leak.label, str(leak.n), f"{leak.share:.1%}")
    if found.leaks:
        out.print(table)
    for conflict in found.label_conflicts:
        out.print(f"one picture, two labels ({', '.join(conflict.labels)}): {'; '.join(conflict.cases[:4])}")
    for case, why in found.unreadable[:20]:
        out.print(f"unreadable: {case}: {why}")
    if found.neighbours:
        out.print(
            f"{len(found.neighbours)} pairs of neighbouring slices stand on two sides of the split, for example {' and '.join(found.neighbours[0])}"
        )
    if told := found.metadata_only:
        out.print(f"format, size, mode and border alone: balanced accuracy {told.balanced_accuracy:.3f} (chance {told.chance:.3f})")
    out.print(f"{found.seconds} s")


@data_app.command("info")
def data_info(
    name: str,
    data: Annotated[Path | None, typer.Option(help="Its folder; looked for in data/ unless told.")] = None,
    task: Annotated[str | None, typer.Option(help="Which task; the usual one unless told.")] = None,
    as_json: Json = False,
) -> None:
    """Counts of a data set by class, split and group under both protocols, its licence and citation."""
    from lungcad.datasets import DATASETS
    from lungcad.datasets.info import describe
    from lungcad.errors import lookup

    dataset = lookup(DATASETS, name, "data set")
    with _progress("reading images") as on_progress:
        values = describe(dataset, data or dataset.locate(), task, on_progress=on_progress)
    if as_json:
        _print_json(values)
        return
    out = Console()
    for key in ("title", "publisher", "licence", "citation", "task", "grouping"):
        out.print(f"[bold]{key}[/bold] {values[key]}", highlight=False)
    for protocol, counts in values["protocols"].items():
        table = Table(title=f"{protocol}: {counts['split']}", title_justify="left")
        for column in ("split", *values["classes"], "groups", "copies of training"):
            table.add_column(column)
        for row in counts["parts"]:
            table.add_row(
                row["split"],
                *(str(row["by_class"][each]) for each in values["classes"]),
                str(row["groups"]),
                str(row["copies_of_training"]),
            )
        out.print(table)


@data_app.command("download")
def data_download(name: str) -> None:
    """Fetch a data set from its publisher into data/ (needs internet access); resumes a part that was fetched."""
    from lungcad.datasets import DATASETS
    from lungcad.datasets.download import download
    from lungcad.errors import lookup

    dataset = lookup(DATASETS, name, "data set")
    messages.print(f"{dataset.title}, {dataset.licence}. Cite: {dataset.citation}", highlight=False)
    with _progress(name) as on_progress:
        print(download(dataset, on_progress=on_progress))


RunsFolder = Annotated[Path, typer.Option(help="Folder of evaluation runs.")]


@runs_app.command("list")
def runs_list(runs: RunsFolder = Path("data/runs"), as_json: Json = False) -> None:
    """All evaluation runs with their headline numbers."""
    from lungcad.evaluate.report import report
    from lungcad.evaluate.runs import list_runs, read_run

    rows = []
    for name in list_runs(runs):
        try:
            run = read_run(name, runs)
            found = report(run)
        except LungcadError as error:
            _complain(str(error))
            continue
        facts = {
            key: run.facts.get(key) for key in ("dataset", "task", "protocol", "network", "backbone", "attention", "seed", "folds", "date")
        }
        rows.append(
            {
                "run": name,
                **facts,
                "n": len(run.test),
                **{metric: found[metric].model_dump() for metric in ("accuracy", "macro F1", "ROC-AUC")},
            }
        )
    if as_json:
        _print_json(rows)
        return
    table = Table("run", "data set", "protocol", "n", "accuracy", "macro F1", "ROC-AUC")
    for row in rows:
        table.add_row(
            row["run"],
            row["dataset"],
            row["protocol"],
            str(row["n"]),
            *(_interval(row[metric]) for metric in ("accuracy", "macro F1", "ROC-AUC")),
        )
    Console().print(table)


@runs_app.command("show")
def runs_show(
    name: str,
    runs: RunsFolder = Path("data/runs"),
    without_copies: Annotated[bool, typer.Option(help="Leave out test images that copy a training image.")] = False,
    as_json: Json = False,
) -> None:
    """Every metric of a run with its interval, its confusion matrix, operating points and the trivial baselines."""
    from lungcad.evaluate.report import baselines, confusion, operating_points, report
    from lungcad.evaluate.runs import read_run

    run = read_run(name, runs)
    found, trivial = report(run, without_copies=without_copies), baselines(run)
    matrix = confusion(run, without_copies=without_copies)
    if as_json:
        _print_json({
            "facts": run.facts, "metrics": {metric: each.model_dump() for metric, each in found.items()}, "confusion": matrix.tolist(),
            "operating_points": operating_points(run),
            "baselines": {each: {metric: value.model_dump() for metric, value in values.items()} for each, values in trivial.items()},
        })  # fmt: skip
        return
    out = Console()
    out.print(f"{name}: {run.facts['dataset']}, {run.facts['protocol']}, {matrix.sum()} test cases in {run.test.group.nunique()} groups")
    table = Table("metric", "value [95 % interval over groups]", *trivial)
    for metric, value in found.items():
        table.add_row(
            metric,
            _interval(value.model_dump()),
            *(_interval(values[metric].model_dump()) if metric in values else "" for values in trivial.values()),
        )
    out.print(table)
    table = Table("true \\ predicted", *run.classes)
    for label, row in zip(run.classes, matrix, strict=True):
        table.add_row(label, *map(str, row))
    out.print(table)
    for point in operating_points(run):
        rates = ", ".join(f"{metric} {_interval(value)}" for metric, value in point["test"].items())
        out.print(f"{point['name']} (threshold {point['threshold']:.3f}, chosen on validation): {rates}")


@runs_app.command("tables")
def runs_tables(runs: RunsFolder = Path("data/runs")) -> None:
    """The README's tables of protocols and of attention's gain, as Markdown."""
    from lungcad.evaluate.tables import gain_table, protocols_table

    print(f"{protocols_table(runs)}\n\n{gain_table(runs)}")


@runs_app.command("compare")
def runs_compare(
    first: str,
    second: str,
    runs: RunsFolder = Path("data/runs"),
    common: Annotated[bool, typer.Option("--common", help="Compare the test cases that both runs have.")] = False,
    as_json: Json = False,
) -> None:
    """Second run minus first on the same cases: DeLong, McNemar, paired bootstrap over groups."""
    from lungcad.evaluate.compare import compare_runs
    from lungcad.evaluate.runs import read_run

    _print_differences(compare_runs(read_run(first, runs), read_run(second, runs), common_only=common), first, second, as_json)


@runs_app.command("gain")
def runs_gain(
    baseline: Annotated[str, typer.Argument(help="A run without attention; its NAME-seedN runs are taken too.")],
    attended: Annotated[str, typer.Argument(help="The run with attention; its NAME-seedN runs are taken too.")],
    runs: RunsFolder = Path("data/runs"),
    as_json: Json = False,
) -> None:
    """What attention gains, as a paired difference over all seeds."""
    from lungcad.evaluate.compare import attention_gain
    from lungcad.evaluate.runs import read_seeds

    _print_differences(attention_gain(read_seeds(baseline, runs), read_seeds(attended, runs)), baseline, attended, as_json)


def _print_differences(differences, first: str, second: str, as_json: bool) -> None:
    if as_json:
        _print_json([each.to_dict() for each in differences])
        return
    table = Table("metric", first, second, "difference [95 % interval]", "p", "test")
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
    Console().print(table)


def _interval(value: dict) -> str:
    return "–" if value["value"] is None else f"{value['value']:.3f} [{value['low']:.3f}, {value['high']:.3f}]"


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
