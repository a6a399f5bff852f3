"""Commands about whole series: volume, volume-pooling."""

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lungcad.cli.common import Json, Model, app, complain, messages, print_json, print_table, progress, table_of
from lungcad.errors import LungcadError
from lungcad.files import check_can_make, write_whole
from lungcad.paths import SERIES, to_write

if TYPE_CHECKING:
    from lungcad.imaging.volume import CTVolume, Series, Study
    from lungcad.models import TrainedModel
    from lungcad.series.result import SeriesAnswer

EXAMPLE = "example"


@app.command()
def volume(
    path: Annotated[
        Path,
        typer.Argument(help="A folder or zip of DICOM files, an enhanced multi-frame file, a NIfTI file; or: example, a made-up chest."),
    ],
    model: Model,
    out: Annotated[
        Path | None, typer.Option(help="A folder for answer.json, slices.csv and the heat maps as one volume, heat.nii.gz.")
    ] = None,
    series: Annotated[int | None, typer.Option(min=1, help="Which series, where there are several; without it they are listed.")] = None,
    method: Annotated[str, typer.Option(help="A method of about one forward pass: gradcam, hirescam, attention, ...")] = "gradcam",
    target: Annotated[
        str | None, typer.Option(help="Class whose maps and positions are given; the finding found most probable unless told.")
    ] = None,
    point: Annotated[str | None, typer.Option(help="x,y,z in patient mm: rate the nodule there (networks trained on nodules).")] = None,
    show_anyway: Annotated[
        bool, typer.Option("--show-anyway", help="Count and show slices that the gate declined; the output says so.")
    ] = False,
    as_json: Json = False,
) -> None:
    """A network over every slice of a series that lies inside the lungs: a curve, one pooled answer, and where to look."""
    from lungcad.imaging.volume import describe, load, opened
    from lungcad.models import load_model
    from lungcad.series.answer import analyse_volume, check_can_read
    from lungcad.series.ranking import hits
    from lungcad.series.readers import as_lesions, readers_marks

    if out:
        check_can_make(out)
    network = load_model(model)
    place = _parsed(point)
    if place is None:
        check_can_read(network.card, method)
    if str(path) == EXAMPLE:
        from lungcad.imaging.phantom_volume import example_volume

        chest = example_volume()
        read, about, marks = chest.volume, "the made-up example", None
        lesions = [(f"lesion {number}", ball.centre_mm, ball.diameter_mm) for number, ball in enumerate(chest.balls, 1)]
    else:
        with progress("headers") as on_progress, opened(path, on_progress) as study:
            chosen = _choose(study, series)
            with progress("slices") as on_slices:
                read = load(study, chosen, on_slices)
            about, marks = describe(chosen), readers_marks(study, read)
        lesions = as_lesions(marks.nodules) if marks else []
    if place:
        _rate(read, place, network, method, show_anyway=show_anyway, as_json=as_json)
        return
    with progress(model) as on_progress:
        answer = analyse_volume(read, network, target=target, method=method, show_anyway=show_anyway, on_progress=on_progress)
    found = hits(answer.positions, lesions)
    result = answer.report(read)
    result["answer"]["marked"] = [{"label": hit.label, "hit_by_position": hit.rank} for hit in found]
    if out:
        _write(out, result, read, answer)
    if as_json:
        print_json(result)
        return
    _say(about, read, answer)
    for hit in found:
        print(f"  {hit.label}: " + (f"hit by position {hit.rank}" if hit.rank else f"missed by all {len(answer.positions)} positions"))


def _choose(study: "Study", number: int | None) -> "Series":
    if study.left_aside:
        messages.print(f"  note: {study.aside_text()}")
    return study.choose(number)


def _parsed(point: str | None) -> tuple[float, float, float] | None:
    if point is None:
        return None
    try:
        x, y, z = (float(value) for value in point.split(","))
    except ValueError:
        raise LungcadError(f"--point takes three numbers with commas between, x,y,z in mm; got {point[:60]!r}.") from None
    return x, y, z


def _rate(
    read: "CTVolume", point: tuple[float, float, float], network: "TrainedModel", method: str, *, show_anyway: bool, as_json: bool
) -> None:
    from lungcad.series.nodule import rate

    result = rate(read, point, network, method=method, show_anyway=show_anyway)
    if as_json:
        print_json(result.to_dict())
    elif result.is_hidden:
        complain(f"the gate declined the crop ({result.gate.reason}); --show-anyway shows the answer all the same")
    else:
        print(f"{point} mm: {result.prediction.label} ({result.prediction.confidence:.1%})")
        for sentence in result.warnings:
            messages.print(f"  warning: {sentence}")


def _say(about: str, read: "CTVolume", answer: "SeriesAnswer") -> None:
    print(f"{about}: {len(answer.slices)} of {read.shape[0]} slices read, {answer.declined} declined")
    if answer.prediction is None:
        print("  declined, no answer (--show-anyway shows it)")
    else:
        print(f"  {answer.prediction.label} ({answer.prediction.confidence:.1%}), {answer.pooling.to_dict()['what']}")
    for position in answer.positions:
        x, y, z = position.point_mm
        print(
            f"  position {position.rank}: slice {position.slice_index + 1}, ({x:.0f}, {y:.0f}, {z:.0f}) mm, suspicion {position.suspicion:.1%}"
        )
    messages.print(f"  note: {answer.pooling.how_chosen}")
    for kind, sentences in (("warning", answer.warnings), ("note", read.notes)):
        for sentence in sentences:
            messages.print(f"  {kind}: {sentence}")


def _write(out: Path, result: dict[str, Any], read: "CTVolume", answer: "SeriesAnswer") -> None:
    """No name of a file and nothing of the patient stands in what is written."""
    from lungcad.series.heat_volume import heat_nifti

    out.mkdir(parents=True, exist_ok=True)
    write_whole(out / "answer.json", json.dumps(result, indent=2, allow_nan=False).encode())
    buffer = io.StringIO()
    rows = result["slices"]
    writer = csv.writer(buffer)
    writer.writerow(["slice", "position_mm", "file", "frame", "gate", *answer.card.classes])
    for row in rows:
        writer.writerow([row["slice"], row["position_mm"], row["file"], row["frame"], row["gate"], *(row["probabilities"] or {}).values()])
    write_whole(out / "slices.csv", buffer.getvalue().encode())
    write_whole(out / "heat.nii.gz", heat_nifti(read, answer))


@app.command("volume-pooling")
def volume_pooling(
    models: Annotated[
        str, typer.Option(help="Networks of phantoms, with commas between.")
    ] = "phantom-honest,phantom-honest-gate,phantom-honest-taught",
    n: Annotated[int, typer.Option("--n", min=10, help="Validation volumes, and as many test volumes.")] = 30,
    out: Annotated[Path, typer.Option(help="Where pooling.json goes; what is chosen for other networks is kept.")] = to_write(SERIES),
) -> None:
    """Choose how the slices of a series are pooled, on validation phantom volumes; mark the choice on test ones."""
    from lungcad.models import load_model
    from lungcad.series.choose_pooling import choose
    from lungcad.series.stored_pooling import FILE, stored_choices

    check_can_make(out)
    with progress("phantom volumes") as on_progress:
        chosen = choose([load_model(name) for name in models.split(",")], n=n, on_progress=on_progress)
    out.mkdir(parents=True, exist_ok=True)
    write_whole(out / FILE, (json.dumps({"networks": {**stored_choices(out / FILE), **chosen}}, indent=1) + "\n").encode())
    table = table_of("network", "pooling", "validation AUC", "test AUC", "Brier, test")
    for name, facts in chosen.items():
        auc = facts["auc"][facts["pooling"]]
        table.add_row(
            name,
            facts["pooling"],
            *(f"{auc[part]['value']:.3f}" for part in ("valid", "test")),
            f"{facts['brier_test']['after']['value']:.3f}",
        )
    print_table(table)
