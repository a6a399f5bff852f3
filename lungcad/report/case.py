"""The report of one case: what the network said of a slice, where it looked, and whether to believe it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from lungcad.analysis import Analysis
from lungcad.datasets import class_title
from lungcad.evaluate.conformal import USUAL_LEVEL
from lungcad.explain import METHODS, Options
from lungcad.explain.neighbours import Nearest
from lungcad.explain.trust import Check
from lungcad.imaging import Scale
from lungcad.models.card import ModelCard
from lungcad.publish.truth_tables import record
from lungcad.report.cards import data_card, network_card
from lungcad.report.concepts import concepts_section
from lungcad.report.document import Bars, Block, Code, Document, Facts, Picture, Pictures, Section, Table, Text, Tone
from lungcad.report.pictures import CasePictures, colour_bar, scale_label
from lungcad.report.provenance import today, versions

VERDICTS = {"supports": "✓ supports", "unclear": "? unclear", "contradicts": "✗ contradicts", "does not apply": "– does not apply"}
HIDDEN = "No answer: the gate declined this image, so class, probabilities, heat map and checks are left out."
SHOWN_ANYWAY = "Declined, do not believe this answer: the gate declined this image, and somebody asked for the answer all the same."


@dataclass(frozen=True, eq=False)
class Case:
    """A result, and what was found out about it.

    method: of the map that is shown. options: it was made with. checks: of that map. nearest: training cases. truth: facts of the marking of
    the checks (:func:`~lungcad.evaluate.stores.truth.read_truth`). opacity, threshold: of the map, as it was shown.
    """

    result: Analysis
    card: ModelCard
    method: str
    options: Options = field(default_factory=Options)
    checks: Sequence[Check] = ()
    nearest: Nearest | None = None
    truth: Mapping[str, Any] | None = None
    opacity: float = 0.5
    threshold: float = 0.0

    @property
    def name(self) -> str:
        """Of a file, without ending; nobody's file name or identifier is in it."""
        return self.result.file_stem("gate" if self.result.is_hidden else self.method)


def case_document(case: Case, *, date: str | None = None) -> Document:
    """Of a hidden answer it holds the slice and the gate's reasons alone. date: ISO; by default today."""
    result = case.result
    sections = [Section("Slice", _slice(case))] if result.is_hidden else _answered(case)
    data = data_card(case.card)
    sections += [
        Section("The network", network_card(case.card)),
        *([Section("The data it learnt from", data)] if data else []),
        Section("How to repeat this", _repeat(case)),
    ]
    return Document(
        "Explained slice" if not result.is_hidden else "Slice without an answer",
        f"{case.card.name} · image {result.image.provenance.sha256[:12]}"
        + ("" if result.is_hidden else f" · {METHODS[case.method].title}"),
        date or today(),
        sections,
        _opening(result),
    )


def _opening(result: Analysis) -> list[Block]:
    """The gate's word, before anything else."""
    if not result.gate.is_declined:
        return [Text(sentence, Tone.WARNING) for sentence in result.warnings]
    word = HIDDEN if result.is_hidden else SHOWN_ANYWAY
    reasons = [Text(sentence, Tone.WARNING) for sentence in (*result.gate.reasons, *result.other_warnings)]
    return [Text(word, Tone.GRAVE), *reasons]


def _answered(case: Case) -> list[Section]:
    result = case.result
    order = sorted(result.prediction.probabilities.items(), key=lambda item: -item[1])
    sections = [
        Section(
            "Answer",
            [
                Text(f"{class_title(result.prediction.label)}, {result.prediction.confidence:.1%}", Tone.LEAD),
                Bars([(class_title(name), share) for name, share in order], "Calibrated probability of each class"),
                *_set_of_classes(result),
            ],
        ),
        Section(f"Slice and {METHODS[case.method].title}", [*_slice(case), *_map(case)]),
        Section("Can the map be believed?", _trust(case)),
    ]
    if result.concepts is not None:
        sections.insert(2, concepts_section(result.concepts))
    if case.nearest is not None:
        sections.append(Section("Nearest training cases", _nearest(case.nearest)))
    return sections


def _set_of_classes(result: Analysis) -> list[Block]:
    classes = result.prediction_set
    named = replace(classes, classes=classes.classes and tuple(map(class_title, classes.classes)))
    set_of_classes = [] if classes.classes is None else [Text(f"Set of classes: {named}.")]
    return [*set_of_classes, *([Text(classes.note, Tone.NOTE)] if classes.note else [])]


def _slice(case: Case) -> list[Block]:
    """The slice, with the map beside it where there is an answer."""
    result, pictures = case.result, CasePictures(case.result)
    rows, columns = result.image.shape
    caption = f"The slice, {columns}×{rows} pixels"
    caption += ", the patient's left on the right." if result.image.orientation == "axial" else "."
    shown = [Picture(pictures.slice(), caption + pictures.size_note, "The slice")]
    if not result.is_hidden:
        drawn = f"{scale_label(result.attributions[case.method])}. Opacity {case.opacity:.0%}"
        drawn += f", drawn from {case.threshold:.0%} of the scale on." if case.threshold else "."
        shown.append(
            Picture(pictures.heat_map(case.method, opacity=case.opacity, threshold=case.threshold), drawn, "The heat map on the slice")
        )
    blocks: list[Block] = [Pictures(shown, () if len(shown) > 1 else (0.6,))]
    if pictures.marks.words:
        blocks.append(Text("Text beside the body was left out of the pictures: it might be a name.", Tone.NOTE))
    if result.image.provenance.synthetic:
        blocks.append(Text("Synthetic phantom made by lungcad, not a patient.", Tone.NOTE))
    return blocks


def _map(case: Case) -> list[Block]:
    result, method = case.result, METHODS[case.method]
    attribution = result.attributions[case.method]
    facts = ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in attribution.facts.items())
    bar = Picture(
        colour_bar(attribution, threshold=case.threshold),
        f"Values from {attribution.values.min():.4g} to {attribution.peak:.4g}; nothing is stretched.",
        "Colour scale",
    )
    blocks: list[Block] = [
        Pictures([bar], (0.62,)),
        Text(f"{method.what} ({method.paper}.)" + (f" Measured: {facts}." if facts else ""), Tone.NOTE),
    ]
    return [*(Text(note, Tone.WARNING) for note in attribution.notes if note not in result.warnings), *blocks]


def _trust(case: Case) -> list[Block]:
    if not case.checks:
        return [Text("The map was not checked.", Tone.WARNING)]
    rows = []
    for check in case.checks:
        number = "" if check.value is None else f"\n{check.value:.2f} (control {'–' if check.control is None else f'{check.control:.2f}'})"
        own = record(case.truth, check.name, case.method) if check.value is not None else None
        measured = f"{check.measure[:1].upper()}{check.measure[1:]}. " if check.value is not None and check.measure else ""
        rows.append((check.question, VERDICTS[check.verdict] + number, measured + check.sentence + (f"\nIts record: {own}" if own else "")))
    return [
        Table(("Check", "Result", "What was measured, and what it means"), rows, (1.15, 0.95, 2.6)),
        Text("The checks ask different questions, so there is no overall score. The control is an uninformative map's value.", Tone.NOTE),
    ]


def _nearest(nearest: Nearest) -> list[Block]:
    rows = [(str(place), class_title(case.label), f"{case.distance:.3f}", case.case) for place, case in enumerate(nearest.neighbours, 1)]
    first, far = nearest.neighbours[0].distance, nearest.far
    introduction = (
        Text(
            f"Not like anything seen in training: the nearest case is {first:.2f} away; 95 % of validation lie within {far:.2f}.",
            Tone.WARNING,
        )
        if nearest.is_unlike_training
        else Text(f"The nearest training case is {first:.2f} away; 95 % of the validation images lie within {far:.2f} of one.")
    )
    columns = ("", "Class", "Cosine distance", "Training case (its file in the published data)")
    return [introduction, Table(columns, rows, (0.2, 1.2, 0.8, 2.6))]


def _repeat(case: Case) -> list[Block]:
    result, image = case.result, case.result.image
    top, left, bottom, right = result.geometry.box
    measured = ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in result.gate.measured.items())
    settings = ", ".join(f"{name} {getattr(value, 'value', value)}" for name, value in asdict(case.options).items())
    facts = [
        ("Image (SHA-256)", image.provenance.sha256),
        ("Read as", f"{image.provenance.format}, {image.provenance.stored_mode}, {image.unit.value}, {image.orientation.value}"),
        ("Weights (SHA-256)", case.card.sha256),
        ("Seen by the network", f"rows {top} to {bottom}, columns {left} to {right}"),
        ("Gate", str(result.gate.outcome) + (f"; measured: {measured}" if measured else "")),
        ("Notes", " ".join(result.notes) or "none"),
        ("Versions", f"{versions()}; {result.precision}"),
    ]
    if not result.is_hidden:
        facts.insert(4, ("Explained", f"{METHODS[case.method].title} of {class_title(result.target)}; {settings}"))
    return [Facts(facts), Text("Run again on the same file; the report must name the same SHA-256:", Tone.NOTE), Code(_command(case))]


def _command(case: Case) -> str:
    options, result, image = case.options, case.result, case.result.image.provenance
    words = ["python -m lungcad explain IMAGE", f"--model {case.card.name}", f"--method {case.method}"]
    if not result.is_hidden:
        words.append(f'--target "{result.target}"')
    if result.prediction_set.level != USUAL_LEVEL:
        words.append(f"--set-level {result.prediction_set.level:g}")
    words += [f"--scale {scale.value}" for scale in Scale if image.reading.endswith(f" as {scale.value}")]
    changed = {name: value for name, value in asdict(options).items() if value != getattr(Options(), name)}
    words += [f"--{name}" if value is True else f"--{name} {getattr(value, 'value', value)}" for name, value in changed.items()]
    if image.frames > 1:
        words.append(f"--frame {image.frame}")
    if result.show_anyway and result.gate.is_declined:
        words.append("--show-anyway")
    return " ".join([*words, "--report pdf,html --out FOLDER"])
