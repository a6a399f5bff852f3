"""Commands about single images: predict, explain."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lungcad.cli.common import (
    BackendName,
    Json,
    Model,
    Models,
    Turns,
    app,
    check_writable,
    complain,
    messages,
    print_json,
    print_table,
    progress,
    table_of,
)
from lungcad.cli.report import CaseOutputs
from lungcad.errors import LungcadError, lookup_choice
from lungcad.files import whole_file, write_whole
from lungcad.names import printable

if TYPE_CHECKING:
    from lungcad.analysis import Analysis
    from lungcad.answer import GatedAnswer

Frame = Annotated[
    int | None, typer.Option(min=1, help="Which slice of a DICOM file that holds several, from 1; by default the middle one.")
]
ScaleName = Annotated[
    str, typer.Option(help="Whether values are Hounsfield units: auto (what the file says or the values look like), hounsfield or grey.")
]


ShowAnyway = Annotated[
    bool, typer.Option("--show-anyway", help="Show the answer although the gate declined the image; the output says so.")
]
SetLevel = Annotated[
    float, typer.Option(help="Share of the sets of classes that should hold the truth, calibrated on the network's validation images.")
]


def _say(result: "GatedAnswer") -> None:
    """The set of classes, the gate's reasons, then the other warnings and the notes."""
    reasons, notes = result.gate.reasons, result.notes
    if not result.is_hidden:
        if result.prediction_set.classes is not None:
            print(f"  {result.prediction_set}")
        notes = (*filter(None, [result.prediction_set.note]), *notes)
    for kind, sentences in (
        ("declined" if result.gate.is_declined else "warning", reasons),
        ("warning", result.other_warnings),
        ("note", notes),
    ):
        for sentence in sentences:
            messages.print(f"  {kind}: {sentence}")


def _answer(result: "GatedAnswer") -> str:
    """Class and probability, or that there is none."""
    if result.is_hidden:
        return "declined, no answer (--show-anyway shows it)"
    return f"{result.prediction.label} ({result.prediction.confidence:.1%})" + (", although declined" if result.gate.is_declined else "")


@app.command()
def predict(
    images: list[Path],
    model: Models,
    frame: Frame = None,
    scale: ScaleName = "auto",
    show_anyway: ShowAnyway = False,
    set_level: SetLevel = 0.9,
    turns: Turns = 1,
    backend: BackendName = "auto",
    as_json: Json = False,
) -> None:
    """Classify images. With --json, one JSON object a line for each image; what the gate declines has no class (exit status 0)."""
    from lungcad.analysis import analyse
    from lungcad.backends import with_backend
    from lungcad.ensemble_answer import answer_together
    from lungcad.evaluate.conformal import check_level
    from lungcad.models import load_model
    from lungcad.models.ensemble import Ensemble

    check_level(set_level)
    networks = [
        with_backend(load_model(name.strip()), backend, passes=turns * len(images), on_message=complain) for name in model.split(",")
    ]
    together = Ensemble(networks, turns=turns) if "," in model or turns != 1 else None
    failed = False
    for path in images:
        try:
            result: GatedAnswer
            if together:
                result = answer_together(str(path), together, frame=frame, scale=scale, show_anyway=show_anyway, set_level=set_level)
            else:
                result = analyse(str(path), networks[0], methods=(), frame=frame, scale=scale, show_anyway=show_anyway, set_level=set_level)
        except LungcadError as error:
            complain(f"{printable(path)[-300:]}: {error}")
            failed = True
            continue
        if as_json:
            print_json({"path": printable(path), **result.prediction_to_dict(model)}, indent=None)
        else:
            print(f"{printable(path)}: {_answer(result)}")
            _say(result)
    if failed:
        raise typer.Exit(2)


@app.command()
def explain(
    image: Path,
    model: Model,
    method: Annotated[
        str, typer.Option(help="gradcam, hirescam, layercam, lime, occlusion, attention, ..., or concepts; a wrong name lists them all.")
    ] = "gradcam",
    target: Annotated[str | None, typer.Option(help="Class to explain; by default the predicted one.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="PNG: the overlay at the image's own size. With --report or --dicom: the folder to write into.")
    ] = None,
    values: Annotated[Path | None, typer.Option(help="NPY: the raw float32 map on the file's own grid, as the file is turned.")] = None,
    samples: Annotated[int, typer.Option(min=50, max=100_000, help="Number of samples (LIME).")] = 1000,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed (LIME, SmoothGrad, random).")] = 0,
    layer: Annotated[
        str,
        typer.Option(
            help="Feature map of the class activation maps: last, attended, before or enlarged (the last, of the image enlarged twice)."
        ),
    ] = "last",
    segments: Annotated[str, typer.Option(help="How LIME cuts the image: slic, quickshift or grid.")] = "slic",
    fill: Annotated[str, typer.Option(help="What LIME puts where it hides: mean, blur or zero.")] = "mean",
    steady: Annotated[
        float | None,
        typer.Option(
            min=0.5,
            max=0.999,
            help="LIME takes no more samples once another seed is expected to rank the segments with this correlation, say 0.9.",
        ),
    ] = None,
    coarse: Annotated[bool, typer.Option("--coarse", help="Occlusion looks closely only where wide steps change the answer.")] = False,
    frame: Frame = None,
    scale: ScaleName = "auto",
    show_anyway: ShowAnyway = False,
    set_level: SetLevel = 0.9,
    report: Annotated[
        str | None, typer.Option(help="Write a report into the folder --out: pdf, html or both with a comma between.")
    ] = None,
    dicom: Annotated[
        str | None,
        typer.Option(
            help="Write DICOM objects into the folder --out: sc, pm, seg, sr with commas between (secondary capture, parametric map, segmentation, "
            "structured report). They carry the patient's name, as the archive needs it. The image must be DICOM."
        ),
    ] = None,
    backend: BackendName = "auto",
    as_json: Json = False,
) -> None:
    """Explain one image: overlay, raw map, report, DICOM objects. Of what the gate declines no map is written, and a report without answer (exit status 0)."""
    import numpy as np

    from lungcad.analysis import analyse
    from lungcad.backends import with_backend
    from lungcad.explain import METHODS, Fill, Layer, Options, Segments
    from lungcad.explain.attribution import Cost
    from lungcad.explain.concepts import METHOD as CONCEPTS
    from lungcad.models import load_model

    if method == CONCEPTS and (out or values or report or dicom):
        raise LungcadError("The method concepts makes no heat map, so there is nothing to write; leave out the options that write files.")
    outputs = CaseOutputs.of(image, out, report, dicom)
    picture = None if outputs.folder else out
    check_writable(picture, ".png", source=image)
    check_writable(values, ".npy", source=image)
    options = Options(
        seed,
        samples,
        lookup_choice(Layer, layer, "layer"),
        lookup_choice(Segments, segments, "segmentation"),
        lookup_choice(Fill, fill, "fill"),
        steady,
        coarse,
    )
    passes = {Cost.FAST: 1, Cost.MEDIUM: 169, Cost.SLOW: samples}[METHODS[method].cost] if method in METHODS else 1
    network = with_backend(load_model(model), backend, passes=passes, batched=passes > 1, on_message=complain)
    with progress(method) as on_progress:
        result = analyse(
            str(image),
            network,
            methods=[method],
            target=target,
            options=options,
            on_progress=on_progress,
            frame=frame,
            scale=scale,
            show_anyway=show_anyway,
            set_level=set_level,
        )
    if method == CONCEPTS:
        _say_concepts(image, result, as_json=as_json)
        return
    attribution = result.attributions[method]
    if result.is_hidden and (picture or values):
        complain("the gate declined the image, so no file was written; --show-anyway writes it all the same")
    elif picture or values:
        if picture:
            write_whole(picture, result.overlay_png(method))
        if values:
            with whole_file(values) as file:
                np.save(file, result.values_in_file(method))
    files = outputs.write(result, network, method, options)
    if as_json:
        print_json({"path": printable(image), **result.to_dict(), **({"files": files} if files else {})})
    else:
        about = (
            "" if result.is_hidden else f", {method} of {result.target}, values {attribution.values.min():.4g} to {attribution.peak:.4g}"
        )
        print(f"{printable(image)}: {_answer(result)}{about}")
        _say(result)
        for name in files:
            print(f"  {name}")


def _say_concepts(image: Path, result: "Analysis", *, as_json: bool) -> None:
    """The answer as the sum of its concepts."""
    if as_json:
        print_json({"path": printable(image), **result.to_dict()})
        return
    print(f"{printable(image)}: {_answer(result)}")
    if result.concepts and not result.is_hidden:
        table = table_of("concept", "rating", "in the readers' words", "share")
        for rated in result.concepts.concepts.values():
            table.add_row(rated.concept.title, rated.written, rated.word, f"{rated.share:+.2f}")
        print_table(table)
        print(
            f"  log-odds of {result.concepts.positive}: {result.concepts.base:+.2f} for the average training nodule, "
            f"with the shares {result.concepts.log_odds:+.2f} ({result.concepts.probability:.1%})"
        )
    _say(result)
