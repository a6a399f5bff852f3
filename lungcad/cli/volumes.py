"""Commands about whole series: volume, volume-pooling."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lungcad.cli.common import Json, Model, app, complain, messages, print_json, print_table, progress, table_of
from lungcad.errors import LungcadError
from lungcad.files import check_can_make, write_whole
from lungcad.paths import SERIES, to_write

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from lungcad.cli.volume_output import SeriesOutputs
    from lungcad.imaging.volume import CTVolume, Series, Study
    from lungcad.series.nodule import NoduleReading
    from lungcad.series.readers import ReadersMarks
    from lungcad.series.result import SeriesAnswer

EXAMPLE = "example"
MARKED = "marked"
"""In place of a point: every nodule that readers marked."""


@app.command()
def volume(
    path: Annotated[
        Path,
        typer.Argument(help="A folder or zip of DICOM files, an enhanced multi-frame file, a NIfTI file; or: example, a made-up chest."),
    ],
    model: Model,
    out: Annotated[
        Path | None,
        typer.Option(
            help="A folder for answer.json, slices.csv and the heat maps as one volume, heat.nii.gz; with --point nodule.json and nodule.png (marked: nodules.json)."
        ),
    ] = None,
    series: Annotated[int | None, typer.Option(min=1, help="Which series, where there are several; without it they are listed.")] = None,
    method: Annotated[str, typer.Option(help="A method of about one forward pass: gradcam, hirescam, attention, ...")] = "gradcam",
    target: Annotated[
        str | None, typer.Option(help="Class whose maps and positions are given; by default the finding found most probable.")
    ] = None,
    point: Annotated[
        str | None,
        typer.Option(
            help="x,y,z in patient mm: rate the nodule there (networks trained on nodules). Or: marked, each nodule that readers marked."
        ),
    ] = None,
    beside: Annotated[
        str | None,
        typer.Option("--with", help="With --point: a network of whole slices, which is asked about the slice; both alone and together."),
    ] = None,
    dicom: Annotated[
        str | None, typer.Option(help="DICOM objects that refer to the series, into --out: sc,pm,seg,sr or some of them.")
    ] = None,
    report: Annotated[str | None, typer.Option(help="A report of the series, into --out: pdf,html or one of them.")] = None,
    show_anyway: Annotated[
        bool, typer.Option("--show-anyway", help="Count and show slices that the gate declined; the output says so.")
    ] = False,
    as_json: Json = False,
) -> None:
    """A network over every slice of a series that lies inside the lungs: a curve, one pooled answer, and where to look."""
    from lungcad.cli.volume_marked import say_marked
    from lungcad.cli.volume_output import SeriesOutputs
    from lungcad.models import load_model
    from lungcad.report.series import SeriesCase
    from lungcad.series.answer import analyse_volume, check_can_read
    from lungcad.series.hybrid import check_slices
    from lungcad.series.marked import rate_marked
    from lungcad.series.nodule import read_nodule
    from lungcad.series.ranking import hits

    place = None if point == MARKED else _parsed(point)
    outputs = SeriesOutputs.of(out, report, dicom, is_point=point is not None)
    network, other = load_model(model), load_model(beside) if beside else None
    if other and place is None:
        raise LungcadError("--with goes with --point X,Y,Z: name the place that both networks are asked about.")
    if point is not None and target is not None:
        raise LungcadError(
            "--target is of whole series; a place is explained for the class that the network answers with. Leave --target or --point out."
        )
    if point is None:
        check_can_read(network.card, method)
    elif other:
        check_slices(other.card)
    given = _given(path, series, outputs)
    if point == MARKED:
        with progress(model) as on_progress:
            readings = rate_marked(given.volume, given.marks, network, method=method, show_anyway=show_anyway, on_progress=on_progress)
        say_marked(readings, outputs.write_marked(readings), as_json=as_json)
        return
    if place:
        reading = read_nodule(given.volume, place, network, beside=other, method=method, show_anyway=show_anyway)
        if other and reading.hybrid is None and not reading.answer.is_hidden:
            complain(
                f"{beside} and {model} say nothing together: the gate declined the slice, or one of them has no class without a finding"
            )
        _say_nodule(reading, outputs.write_nodule(reading), as_json=as_json)
        return
    with progress(model) as on_progress:
        answer = analyse_volume(given.volume, network, target=target, method=method, show_anyway=show_anyway, on_progress=on_progress)
    hits_by_lesion = hits(answer.positions, given.lesions)
    result = answer.report(given.volume)
    ratings = {nodule.label: nodule.malignancy for nodule in given.marks.nodules} if given.marks else {}
    result["answer"]["marked"] = [
        {"label": hit.label, "hit_by_position": hit.rank, **({"malignancy_by_reader": list(ratings[hit.label])} if ratings else {})}
        for hit in hits_by_lesion
    ]
    written = outputs.write(SeriesCase(given.volume, answer, given.lesions, given.known, ratings), result, given.headers)
    if as_json:
        print_json(result)
        return
    _say(given.about, given.volume, answer)
    for hit in hits_by_lesion:
        rated = f" (malignancy {' '.join(map(str, ratings[hit.label]))})" if ratings else ""
        print(
            f"  {hit.label}{rated}: " + (f"hit by position {hit.rank}" if hit.rank else f"missed by all {len(answer.positions)} positions")
        )
    for name in written:
        print(f"  {name}")


@dataclass(frozen=True, eq=False)
class _Given:
    """about: the series in words. lesions: known to be there, by ``known``. headers: of its files, where DICOM objects are wanted."""

    volume: "CTVolume"
    about: str
    lesions: "list[tuple[str, tuple[float, float, float], float]]"
    known: str
    headers: "dict[int, Dataset]"
    marks: "ReadersMarks | None" = None


def _given(path: Path, series: int | None, outputs: "SeriesOutputs") -> _Given:
    if str(path) == EXAMPLE:
        if series is not None:
            raise LungcadError("The example is one series; leave --series out.")
        from lungcad.imaging.phantom_volume import example_volume

        chest = example_volume()
        outputs.check(chest.volume)
        return _Given(chest.volume, "the made-up example", chest.drawn_lesions, "drawn lesions", {})
    from lungcad.imaging.volume import describe, load, opened
    from lungcad.series.known_marks import marks_of
    from lungcad.series.readers import as_lesions

    with progress("headers") as on_progress, opened(path, on_progress) as study:
        chosen = _choose(study, series)
        with progress("slices") as on_slices:
            read = load(study, chosen, on_slices)
        marks = marks_of(study, read)
        return _Given(
            read, describe(chosen), as_lesions(marks.nodules) if marks else [], "marked by readers", outputs.headers(study, read), marks
        )


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


def _say_nodule(reading: "NoduleReading", written: list[str], *, as_json: bool) -> None:
    from lungcad.series.hybrid import HOW

    answer = reading.answer
    if as_json:
        print_json(reading.to_dict())
        return
    if answer.is_hidden:
        complain(f"the gate declined the crop ({answer.gate.reason}); --show-anyway shows the answer all the same")
    else:
        grade = "" if reading.grade is None else f", grade {reading.grade:.1f} of 1 to 5"
        print(
            f"{reading.point_mm} mm, slice {reading.slice_index + 1}: {answer.prediction.label} ({answer.prediction.confidence:.1%}){grade}"
        )
        for name, rated in (answer.concepts.concepts if answer.concepts else {}).items():
            print(f"  {name}: {rated.written} ({rated.word}), share {rated.share:+.2f}")
        for number, case in enumerate(reading.nearest.neighbours if reading.nearest else (), 1):
            print(f"  nearest {number}: {case.label}, distance {case.distance:.2f}, {case.case}")
        if reading.hybrid:
            both = reading.hybrid
            print(
                f"  {both.slice_model}: suspicion of the slice {both.slice_alone:.1%}; of the crop {both.crop_alone:.1%}; together {both.together:.1%}"
            )
            messages.print(f"  note: {HOW}")
    for name in written:
        print(f"  {name}")
    for sentence in answer.warnings:
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
    earlier = stored_choices(out / FILE)
    with progress("phantom volumes") as on_progress:
        chosen = choose([load_model(name) for name in models.split(",")], n=n, on_progress=on_progress)
    out.mkdir(parents=True, exist_ok=True)
    write_whole(out / FILE, (json.dumps({"networks": {**earlier, **chosen}}, indent=1) + "\n").encode())
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
