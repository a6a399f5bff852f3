"""Commands that train and test networks: train, tune, evaluate."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from lungcad.cli.common import (
    BackendName,
    Json,
    Layout,
    Models,
    Parts,
    Turns,
    app,
    check_writable,
    complain,
    given_options,
    print_json,
    print_table,
    progress,
    table_of,
)
from lungcad.errors import LungcadError
from lungcad.files import check_can_make, write_whole
from lungcad.paths import CHECKPOINTS, RUNS, WEIGHTS, to_write


@app.command()
def train(
    context: typer.Context,
    recipe: Path,
    data: Annotated[
        Path | None, typer.Option(help="Folder of the data set, laid out as published; by default looked for in data/.")
    ] = None,
    work: Annotated[Path | None, typer.Option(help="Checkpoints and logs; by default runs/NAME. The same folder resumes.")] = None,
    out: Annotated[Path, typer.Option(help="Where NAME.safetensors and NAME.json go.")] = to_write(WEIGHTS),
    runs: Annotated[Path, typer.Option(help="Where the evaluation run goes.")] = to_write(RUNS),
    folds: Annotated[
        int | None, typer.Option(min=2, max=20, help="Cross-validate over groups in so many folds; only the run is kept.")
    ] = None,
    protocol: Annotated[
        str | None, typer.Option(help="published or grouped instead of the recipe's; only the run is kept, as NAME-PROTOCOL.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Another seed than the recipe's; only the run is kept, as NAME-seedSEED.")] = None,
    parts: Parts = None,
) -> None:
    """Train a network by a recipe (YAML), calibrate it on validation, test it, write weights, card and run. The lab's settings train in the lab."""
    from lungcad.lab.settings import LabSettings

    if LabSettings.are_in(recipe):
        from lungcad.cli.lab import train_settings

        if unused := sorted(set(given_options(context)) - {"recipe", "seed"}):
            raise LungcadError(
                f"{recipe.name} holds settings of the lab, which takes no {', '.join(f'--{name}' for name in unused)}; leave that out."
            )
        settings = LabSettings.read(recipe)
        train_settings(
            settings if seed is None else LabSettings.parse(settings.model_dump() | {"seed": seed}, "The lab's settings", LungcadError)
        )
        return
    from lungcad.datasets import DATASETS
    from lungcad.datasets.parts import parse_parts
    from lungcad.train.fit import NotTheFirstProcess
    from lungcad.train.recipe import Recipe
    from lungcad.train.run import cross_validate
    from lungcad.train.run import train as run_training
    from lungcad.train.training_paths import TrainingPaths

    plan = Recipe.read(recipe).variant(protocol=protocol, seed=seed)
    varied = bool(folds) or protocol is not None or seed is not None
    work = work or CHECKPOINTS / (f"{plan.name}-folds" if folds else plan.name)
    named = parse_parts(parts) if parts is not None else None
    places = TrainingPaths(data or DATASETS[plan.dataset].locate(), work, None if varied else out, runs, named)
    for place in (work, runs, *([] if varied else [out])):
        check_can_make(place)
    try:
        with progress("reading images") as on_progress:
            bar = sys.stderr.isatty()
            if folds:
                run = cross_validate(plan, places, folds, on_progress=on_progress, on_note=complain, progress_bar=bar)
                print(f"cross-validation run: {run}")
                return
            card = run_training(plan, places, on_progress=on_progress, on_note=complain, progress_bar=bar)
    except NotTheFirstProcess:
        return
    except (KeyboardInterrupt, SystemExit):  # Lightning turns Ctrl-C into SystemExit
        complain("Stopped. The same command resumes after the last finished epoch.")
        raise typer.Exit(130) from None
    from lungcad.evaluate.stores.runs import read_run

    for case in read_run(card.name, runs).facts["skipped"]:
        complain(
            f"skipped {case}: it could not be read{'' if plan.preprocess.see == 'all' else ', or no lungs were found that can be trusted'}"
        )
    print(f"{card.name}: test accuracy {card.test.accuracy if card.test else None}, epoch {card.best_epoch} of {card.epochs_trained}")


@app.command()
def tune(
    recipe: Path,
    data: Annotated[Path | None, typer.Option(help="Folder of the data set; by default looked for in data/.")] = None,
    trials: Annotated[int, typer.Option(min=1, max=1000, help="Trainings in all; a second call goes on.")] = 20,
    work: Annotated[Path | None, typer.Option(help="Study and checkpoints; by default runs/NAME-tune.")] = None,
    out: Annotated[Path | None, typer.Option(help="YAML: the best recipe.")] = None,
) -> None:
    """Search rates, weight decay, dropout, label smoothing and MixUp with Optuna, on validation only."""
    import yaml

    from lungcad.datasets import DATASETS
    from lungcad.train.fit import NotTheFirstProcess
    from lungcad.train.recipe import Recipe
    from lungcad.train.tune import tune as run_tuning

    plan = Recipe.read(recipe)
    if out:
        check_writable(out, ".yaml")
    try:
        with progress("trials") as on_progress:
            tuning = run_tuning(
                plan,
                data or DATASETS[plan.dataset].locate(),
                work or CHECKPOINTS / f"{plan.name}-tune",
                trials=trials,
                on_progress=on_progress,
            )
    except NotTheFirstProcess:
        return
    except (KeyboardInterrupt, SystemExit):
        complain("Stopped. The same command goes on after the last finished trial.")
        raise typer.Exit(130) from None
    table = table_of("trial", *next(iter(tuning.trials))[0], plan.monitor.value)
    for number, (values, score) in enumerate(tuning.trials):
        table.add_row(str(number), *(f"{value:.3g}" for value in values.values()), f"{score:.4f}")
    print_table(table)
    text = yaml.safe_dump(tuning.recipe.model_dump(mode="json"), sort_keys=False)
    if out:
        write_whole(out, text)
    else:
        print(text)


@app.command()
def evaluate(
    model: Models,
    data: Annotated[Path, typer.Option(help="A folder laid out as published; its test part when it has parts.")],
    layout: Layout = None,
    parts: Parts = None,
    turns: Turns = 1,
    backend: BackendName = "auto",
    as_json: Json = False,
) -> None:
    """Test a network on a folder of labelled images."""
    from lungcad.backends import with_backend
    from lungcad.datasets.parts import parse_parts
    from lungcad.evaluate.folder import evaluate_ensemble, evaluate_folder
    from lungcad.models import load_model
    from lungcad.models.ensemble import Ensemble

    named = parse_parts(parts) if parts is not None else None
    with progress("evaluating") as on_progress:
        if "," in model or turns != 1:
            members = [with_backend(load_model(name.strip()), backend, on_message=complain) for name in model.split(",")]
            ensemble = Ensemble(members, turns=turns)
            evaluation = evaluate_ensemble(ensemble, data, layout or ensemble.members[0].card.dataset, on_progress, parts=named)
        else:
            network = with_backend(load_model(model), backend, on_message=complain)
            evaluation = evaluate_folder(network, data, layout or network.card.dataset, on_progress, parts=named)
    for note in evaluation.notes:
        complain(note)
    for case, why in evaluation.skipped:
        complain(f"skipped {case}: {why}")
    if evaluation.n_seen_in_training is None:
        complain(f"the run of {model} is missing or damaged, so it is not known whether it was trained on these images")
    elif evaluation.n_seen_in_training:
        complain(
            f"{evaluation.n_seen_in_training} of the {evaluation.result.n} images were used to train or choose {model}; the metrics are "
            "optimistic. `lungcad runs show` gives those of its test part."
        )
    values = evaluation.to_dict()
    if as_json:
        print_json(values)
        return
    table = table_of("metric", "value", "95 % interval")
    for name, (low, high) in values["intervals"].items():
        value = values["recall"].get(name.removeprefix("recall ")) if name.startswith("recall ") else values[name]
        table.add_row(
            name, *("–" if each is None else f"{each:.3f}" for each in (value,)), "–" if low is None else f"{low:.3f} to {high:.3f}"
        )
    print_table(table)
    print(f"{values['n']} images, {values['images_per_second']} images/s, {sum(evaluation.not_looked_at.values())} files not looked at")
