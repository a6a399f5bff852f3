"""The report of a whole series: the pooled answer, its curve, the ranked positions as pictures, and what is known to be there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lungcad.datasets import class_title
from lungcad.explain import METHODS
from lungcad.explain.overlay import png
from lungcad.imaging.burnt_in import burnt_in_marks
from lungcad.imaging.volume import CTVolume
from lungcad.report.cards import data_card, network_card
from lungcad.report.case import SHOWN_ANYWAY
from lungcad.report.document import Bars, Block, Code, Document, Facts, Picture, Pictures, Section, Table, Text, Tone
from lungcad.report.pictures import colour_bar, drawn_map, figure_png
from lungcad.report.provenance import today, versions
from lungcad.series.pooling import suspicion_of
from lungcad.series.ranking import hits
from lungcad.series.result import Position, SeriesAnswer, SliceAnswer

PICTURED = 6
"""Positions shown as pictures, the most suspicious; the table has them all."""
POSITION_MM, RING = 12.0, (254, 97, 0)
"""Radius and colour of the ring around a position: about the size of the map's cells is all that it can tell."""
BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#8a8f94"


@dataclass(frozen=True, eq=False)
class SeriesCase:
    """lesions: what is known to be there, as :func:`~lungcad.series.ranking.hits` takes them. known: who knows it, in words. ratings: of
    readers' nodules by their label, each reader's malignancy score.
    """

    volume: CTVolume
    answer: SeriesAnswer
    lesions: Sequence[tuple[str, tuple[float, float, float], float]] = ()
    known: str = "marked by readers"
    ratings: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


def series_document(case: SeriesCase, *, date: str | None = None) -> Document:
    """Of a declined series it holds the curve without the declined slices, and the gate's reasons."""
    volume, answer = case.volume, case.answer
    sections = [Section("Answer", _answer(answer)), Section("Slice by slice", _curve(case))]
    if answer.prediction is not None:
        sections.append(Section("Where it is most suspicious", _positions(case)))
        sections += [Section("What is known to be there", _known(case))] if case.lesions else []
    data = data_card(answer.card)
    sections += [
        Section("The network", network_card(answer.card)),
        *([Section("The data it learnt from", data)] if data else []),
        Section("How to repeat this", _repeat(case)),
    ]
    subtitle = f"{answer.card.name} · series {volume.sha256[:12]} · {METHODS[answer.method].title}"
    return Document("Explained series", subtitle, date or today(), sections, _opening(case))


def _opening(case: SeriesCase) -> list[Block]:
    answer = case.answer
    grave = (
        [Text(SHOWN_ANYWAY.replace("this image", "slices of this series"), Tone.GRAVE)] if answer.show_anyway and answer.declined else []
    )
    return [*grave, *(Text(sentence, Tone.WARNING) for sentence in answer.warnings)]


def _answer(answer: SeriesAnswer) -> list[Block]:
    if answer.prediction is None:
        return [Text("No answer: the gate declines most slices, so class and probabilities of the series are left out.", Tone.GRAVE)]
    order = sorted(answer.prediction.probabilities.items(), key=lambda item: -item[1])
    kind = "Calibrated probability" if answer.pooling.is_calibrated else "Pooled probability, not calibrated for series,"
    return [
        Text(f"{class_title(answer.prediction.label)}, {answer.prediction.confidence:.1%}", Tone.LEAD),
        Bars([(class_title(name), share) for name, share in order], f"{kind} of each class"),
        Text(f"Over the series: {answer.pooling.to_dict()['what']}. {answer.pooling.how_chosen}", Tone.NOTE),
    ]


def _curve(case: SeriesCase) -> list[Block]:
    answer = case.answer
    figure = Figure(figsize=(7.2, 1.9), dpi=200)
    axes = figure.subplots()
    _draw_curve(axes, case)
    figure.tight_layout()
    text = f"{len(answer.slices)} of {case.volume.shape[0]} slices lie inside the lungs and were read; the gate declines {answer.declined} of them."
    return [Pictures([Picture(figure_png(figure), text, "Suspicion of each slice, from the feet to the head")])]


def _draw_curve(axes: Axes, case: SeriesCase) -> None:
    answer = case.answer
    shown = answer.shown
    if shown:
        table = np.array([list(each.prediction.probabilities.values()) for each in shown])
        axes.plot([each.index + 1 for each in shown], suspicion_of(answer.card, table), ".-", color=BLUE, lw=1.2, ms=3, label="suspicion")
    hidden = [each.index + 1 for each in answer.slices if each not in shown]
    if hidden:
        axes.plot(hidden, [0.0] * len(hidden), "|", color=ORANGE, ms=8, label="declined by the gate")
    for position in answer.positions:
        axes.annotate(
            str(position.rank), (position.slice_index + 1, position.suspicion), xytext=(0, 3), textcoords="offset points", fontsize=6
        )
    for number, (_, middle, _diameter) in enumerate(case.lesions):
        at = case.volume.voxel(middle)[0] + 1
        axes.axvline(at, color=GREY, lw=0.8, ls=":", label=None if number else case.known)
    axes.set(xlim=(0, case.volume.shape[0] + 1), ylim=(-0.03, 1.3), xlabel="slice, from the feet to the head", ylabel="suspicion")
    axes.set_yticks((0, 0.25, 0.5, 0.75, 1))  # above lie the ranks and the legend
    axes.tick_params(labelsize=6)
    axes.xaxis.label.set_fontsize(7)
    axes.yaxis.label.set_fontsize(7)
    axes.legend(fontsize=6, frameon=False, loc="upper right", ncols=3)


def _positions(case: SeriesCase) -> list[Block]:
    answer, by_index = case.answer, {each.index: each for each in case.answer.slices}
    pictures = [_picture(case, position, by_index[position.slice_index]) for position in answer.positions[:PICTURED]]
    blocks: list[Block] = [
        Pictures(pictures[start : start + 3], (1 / 3,) * len(pictures[start : start + 3])) for start in range(0, len(pictures), 3)
    ]
    if answer.positions:
        attribution = answer.attribution(by_index[answer.positions[0].slice_index])
        bar = Picture(colour_bar(attribution), "Scale of position 1; each picture has its own, from 0 to its slice's peak.", "Colour scale")
        blocks.append(Pictures([bar], (0.62,)))
    rows = [
        (
            str(position.rank),
            str(position.slice_index + 1),
            f"{position.row:.0f}, {position.column:.0f}",
            ", ".join(f"{value:.0f}" for value in position.point_mm),
            f"{position.suspicion:.1%}",
        )
        for position in answer.positions
    ]
    columns = ("", "Slice", "Row, column", "x, y, z in mm", "Suspicion of the slice")
    note = "x to the patient's left, y to the back, z to the head. A place is as exact as the map's cells, some 20 to 50 mm."
    return [*blocks, Table(columns, rows, (0.3, 0.6, 1, 1.4, 1.2)), Text(note, Tone.NOTE)]


def _picture(case: SeriesCase, position: Position, each: SliceAnswer) -> Picture:
    image, answer = case.volume.image(position.slice_index), case.answer
    drawn = drawn_map(image, answer.attribution(each), burnt_in_marks(image))
    radius = max(round(POSITION_MM / case.volume.spacing[2]), 4)
    drawn = cv2.circle(drawn.copy(), (round(position.column), round(position.row)), radius, RING, max(radius // 10, 1), cv2.LINE_AA)
    caption = f"{position.rank}. Slice {position.slice_index + 1}, suspicion {position.suspicion:.0%}"
    return Picture(png(drawn), caption, f"Slice {position.slice_index + 1} with the heat map for {class_title(answer.target)}")


def _known(case: SeriesCase) -> list[Block]:
    hits_by_lesion = hits(case.answer.positions, case.lesions)
    columns = (case.known.capitalize(), "Middle, mm", "Diameter", *(["Malignancy, 1 to 5"] if case.ratings else []), "By the network")
    rows = []
    for (label, middle, diameter), hit in zip(case.lesions, hits_by_lesion, strict=True):
        place = (label, ", ".join(f"{value:.0f}" for value in middle), f"{diameter:.0f} mm")
        rated = (" ".join(map(str, case.ratings.get(label, ()))),) if case.ratings else ()
        rows.append((*place, *rated, f"hit by position {hit.rank}" if hit.rank else "missed"))
    said = f"{sum(hit.rank is not None for hit in hits_by_lesion)} of {len(hits_by_lesion)} lie under one of the {len(case.answer.positions)} positions."
    note = "A position hits what lies no farther from it than its radius (LUNA16's rule)."
    note += " Malignancy: the score of each reader who marked the nodule." if case.ratings else ""
    return [Text(said), Table(columns, rows), Text(note, Tone.NOTE)]


def _repeat(case: SeriesCase) -> list[Block]:
    volume, answer = case.volume, case.answer
    n, rows, columns = volume.shape
    apart, down, across = volume.spacing
    facts = [
        ("Series (SHA-256)", volume.sha256),
        ("Read as", f"{volume.format}, {n} slices of {columns}×{rows}, {apart:.3f} mm apart, pixels of {down:.3f}×{across:.3f} mm"),
        ("Weights (SHA-256)", answer.card.sha256),
        ("Explained", f"{METHODS[answer.method].title} of {class_title(answer.target)}"),
        ("Notes", " ".join(volume.notes) or "none"),
        ("Versions", versions()),
    ]
    words = ["python -m lungcad volume SERIES", f"--model {answer.card.name}", f"--method {answer.method}", f'--target "{answer.target}"']
    words += ["--show-anyway"] if answer.show_anyway else []
    command = " ".join([*words, "--report pdf,html --out FOLDER"])
    return [Facts(facts), Text("Run again on the same series; the report must name the same SHA-256:", Tone.NOTE), Code(command)]
