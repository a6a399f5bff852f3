"""Commands about networks and single images: models, predict, explain."""

from pathlib import Path
from typing import Annotated

import typer

from lungcad.cli.common import Json, Model, Models, app, check_writable, complain, messages, print_json, print_table, progress, table_of
from lungcad.errors import LungcadError, lookup
from lungcad.files import whole_file, write_whole
from lungcad.names import printable
from lungcad.paths import WEIGHTS

Frame = Annotated[
    int | None, typer.Option(min=1, help="Which slice of a DICOM file that holds several, from 1; the middle one unless told.")
]
ScaleName = Annotated[
    str, typer.Option(help="Whether values are Hounsfield units: auto (what the file says or the values look like), hounsfield or grey.")
]


def _say(warnings: tuple[str, ...], notes: tuple[str, ...]) -> None:
    for kind, sentences in (("warning", warnings), ("note", notes)):
        for sentence in sentences:
            messages.print(f"  {kind}: {sentence}")


@app.command()
def models(
    as_json: Json = False,
    write_readme: Annotated[
        bool, typer.Option(help="Write aims missed (from the runs) into the cards, and weights/README.md anew.")
    ] = False,
) -> None:
    """List the installed networks with the numbers of their cards."""
    from dataclasses import asdict

    from lungcad.models.complexity import complexity_of
    from lungcad.models.weights import list_cards
    from lungcad.publish import cards_readme

    if write_readme:
        from lungcad.publish.aims import with_aim
        from lungcad.train.recipe import Recipe

        for card in list_cards():
            with_aim(card, Recipe.read(WEIGHTS / f"{card.name}.yaml").selection_note).write(WEIGHTS / f"{card.name}.json")
        cards_readme.write_readme(WEIGHTS, list_cards())
    cards = list_cards()
    if as_json:
        print_json([card.model_dump(mode="json") | asdict(complexity_of(card)) for card in cards])
        return
    table = table_of("name", "network", "attention", "data set", "parameters", "GFLOPs", "test accuracy [95 %]", "without copies [95 %]")
    for card in cards:
        cost = complexity_of(card)
        added = f" ({cost.added_flops:+.1%})" if card.attention != "none" else ""
        table.add_row(card.name, card.backbone, card.attention, card.dataset, f"{cost.parameters / 1e6:.2f} M", f"{cost.flops / 1e9:.2f}{added}", *(
            str(result.accuracy) if result else "–" for result in (card.test, card.test_without_copies)
        ))  # fmt: skip
    print_table(table)


@app.command()
def predict(images: list[Path], model: Models, frame: Frame = None, scale: ScaleName = "auto", as_json: Json = False) -> None:
    """Classify images. With --json, one JSON object a line for each image."""
    from lungcad.analysis import Answer, Result, analyse, answer_together
    from lungcad.models import load_model
    from lungcad.models.ensemble import Ensemble

    together = Ensemble.load(model) if "," in model else None
    network = None if together else load_model(model)
    failed = False
    for path in images:
        try:
            result: Answer | Result
            if together:
                result = answer_together(str(path), together, frame=frame, scale=scale)
            else:
                result = analyse(str(path), network or model, methods=(), frame=frame, scale=scale)
        except LungcadError as error:
            complain(f"{printable(path)[-300:]}: {error}")
            failed = True
            continue
        if as_json:
            print_json({"path": printable(path), "model": model, "class": result.prediction.label,
                         "probabilities": result.prediction.probabilities, "warnings": list(result.warnings),
                         "notes": list(result.notes)}, indent=None)  # fmt: skip
        else:
            print(f"{printable(path)}: {result.prediction.label} ({result.prediction.confidence:.1%})")
            _say(result.warnings, result.notes)
    if failed:
        raise typer.Exit(2)


@app.command()
def explain(
    image: Path,
    model: Model,
    method: Annotated[
        str, typer.Option(help="gradcam, hirescam, layercam, lime, occlusion, attention, ...; a wrong name lists them all.")
    ] = "gradcam",
    target: Annotated[str | None, typer.Option(help="Class to explain; the predicted one unless told.")] = None,
    out: Annotated[Path | None, typer.Option(help="PNG: the overlay at the image's own size.")] = None,
    values: Annotated[Path | None, typer.Option(help="NPY: the raw float32 map on the file's own grid, as the file is turned.")] = None,
    samples: Annotated[int, typer.Option(min=50, max=100_000, help="Number of samples (LIME).")] = 1000,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed (LIME, SmoothGrad, random).")] = 0,
    layer: Annotated[str, typer.Option(help="Feature map of the class activation maps: last, attended or before.")] = "last",
    segments: Annotated[str, typer.Option(help="How LIME cuts the image: slic, quickshift or grid.")] = "slic",
    fill: Annotated[str, typer.Option(help="What LIME puts where it hides: mean, blur or zero.")] = "mean",
    frame: Frame = None,
    scale: ScaleName = "auto",
    as_json: Json = False,
) -> None:
    """Explain one image: overlay and raw map."""
    import numpy as np

    from lungcad.analysis import analyse
    from lungcad.explain import Fill, Layer, Options, Segments
    from lungcad.explain.overlay import overlay, png

    check_writable(out, ".png")
    check_writable(values, ".npy")
    options = Options(
        seed,
        samples,
        lookup({each.value: each for each in Layer}, layer, "layer"),
        lookup({each.value: each for each in Segments}, segments, "segmentation"),
        lookup({each.value: each for each in Fill}, fill, "fill"),
    )
    with progress(method) as on_progress:
        result = analyse(
            str(image), model, methods=[method], target=target, options=options, on_progress=on_progress, frame=frame, scale=scale
        )
    attribution = result.attributions[method]
    if out:
        write_whole(out, png(overlay(result.image.grey(), attribution), Method=method, Network=model, Class=result.target))
    if values:
        with whole_file(values) as file:
            np.save(file, result.values_in_file(method))
    if as_json:
        print_json({"path": printable(image), **result.to_dict()})
    else:
        print(f"{printable(image)}: {result.prediction.label} ({result.prediction.confidence:.1%}), {method} of {result.target}, "
              f"values {attribution.values.min():.4g} to {attribution.peak:.4g}")  # fmt: skip
        _say(result.warnings, result.notes)
