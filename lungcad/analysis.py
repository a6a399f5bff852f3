"""One call from bytes to an explained prediction: what the page, the command line and Python use."""

import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lungcad.answer import GatedAnswer, notes_of, warnings_of
from lungcad.backends import AUTO, with_backend
from lungcad.errors import ImageError, ModelError, lookup
from lungcad.evaluate.conformal import USUAL_LEVEL, PredictionSet, check_level, prediction_set
from lungcad.explain import METHODS, Attribution, Fill, Options, PreparedInput, explain
from lungcad.explain.attribution import refuse_ignored
from lungcad.explain.concepts import METHOD as CONCEPTS_METHOD
from lungcad.explain.concepts import ConceptAnswer, concept_answer, refuse_without_concepts
from lungcad.explain.engine import masked_probabilities, replacement_grey
from lungcad.explain.neighbours import Index, Nearest, embed
from lungcad.explain.trust import Check, Subject, check_localisation, quick_checks, slow_checks
from lungcad.explain.trust.panel import without_support
from lungcad.gate import Decision, decide, sees_lungs
from lungcad.imaging import CTImage, Scale, read_image
from lungcad.models import ModelCard, Prediction, TrainedModel, load_model
from lungcad.models.predict import calibrated
from lungcad.preprocess import Geometry
from lungcad.progress import Progress

NOTHING_PROMISED = (
    "How often such sets hold the truth is known for images like those of validation only, not for one that the gate declines."
)


@dataclass(frozen=True, eq=False)
class Analysis(GatedAnswer):
    """prediction, the class explained, attributions by method (on the image's grid, in the usual view), seconds by step.

    gate: whether the answer may be shown; ``prediction`` holds it all the same, so look at :attr:`is_hidden` before it. show_anyway: the
    user asked for it although it may be declined.
    concepts: of a concept network, the answer as a sum. prediction_set: classes of which one is the truth, as often as its level says. warnings:
    every reason to doubt the answer, the gate's among them. notes: harmless facts about the file and how it was read. Both for the user, a
    sentence each. backend: the runtime that the network's features came from (:mod:`lungcad.backends`), in ``precision``.
    """

    image: CTImage
    model_name: str
    prediction: Prediction
    target: str
    attributions: dict[str, Attribution]
    geometry: Geometry
    timings: dict[str, float]
    warnings: tuple[str, ...]
    precision: str
    prediction_set: PredictionSet
    gate: Decision
    show_anyway: bool = False
    notes: tuple[str, ...] = ()
    concepts: ConceptAnswer | None = None
    backend: str = "torch"

    def values_in_file(self, method: str) -> np.ndarray:
        """The method's raw map on the grid of the file, float32, wherever the image was turned to the usual view."""
        return np.ascontiguousarray(self.image.turn.to_file(self.attributions[method].values))

    @property
    def _notes_of_maps(self) -> tuple[str, ...]:
        """They name the class explained."""
        return tuple(note for attribution in self.attributions.values() for note in attribution.notes)

    def overlay_png(self, method: str) -> bytes:
        """The method's map over the slice at the image's own size; the file's texts say what it is, and where the gate was overruled."""
        from lungcad.explain.overlay import overlay, png  # matplotlib takes long to import

        texts = {"Method": method, "Network": self.model_name, "Class": self.target}
        if self.gate.is_declined:
            texts["Gate"] = f"declined, shown all the same: {self.gate.reason}"
        return png(overlay(self.image.grey(), self.attributions[method]), **texts)

    def file_stem(self, method: str) -> str:
        """Of a file made of the result, without ending; nobody's file name or identifier is in it."""
        declined = "-declined" if self.gate.is_declined else ""
        return f"lungcad-{self.image.provenance.sha256[:12]}-{self.model_name}-{method}{declined}"

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON: no pixels, no file name, no patient identifier; the image is named by its SHA-256.

        Without class, probabilities and maps where the answer is hidden.
        """
        top, left, bottom, right = self.geometry.box
        return {
            "image_sha256": self.image.provenance.sha256,
            "image": {
                "rows": self.image.shape[0],
                "columns": self.image.shape[1],
                "unit": self.image.unit.value,
                "spacing_mm": self.image.spacing_mm,
                "synthetic": self.image.provenance.synthetic,
                "orientation": self.image.orientation.value,
                "turned": asdict(self.image.turn),
                "pixel_aspect": self.image.aspect,
            },
            "model": self.model_name,
            **self.answer_to_dict(),
            "explained_class": None if self.is_hidden else self.target,
            "seen_box": {"top": top, "left": left, "bottom": bottom, "right": right},
            "attributions": {}
            if self.is_hidden
            else {
                name: {
                    "minimum": float(attribution.values.min()),
                    "maximum": attribution.peak,
                    "facts": attribution.facts,
                    "notes": list(attribution.notes),
                }
                for name, attribution in self.attributions.items()
            },
            **({"concepts": None if self.is_hidden else self.concepts.to_dict()} if self.concepts else {}),
            "precision": self.precision,
            "seconds": self.timings,
            "warnings": [sentence for sentence in self.warnings if not (self.is_hidden and sentence in self._notes_of_maps)],
            "notes": list(self.notes),
            "notice": "Research software, not a medical device.",
        }


def analyse(
    source: bytes | str | Path | CTImage,
    model: str | TrainedModel,
    *,
    methods: Iterable[str] = ("gradcam",),
    target: str | None = None,
    options: Options = Options(),
    on_progress: Progress | None = None,
    frame: int | None = None,
    scale: Scale | str = Scale.AUTO,
    show_anyway: bool = False,
    set_level: float = USUAL_LEVEL,
    prepared: PreparedInput | None = None,
    backend: str = AUTO,
) -> Analysis:
    """Read, preprocess, predict and explain one slice.

    methods: of heat maps; "concepts" asks for none, and refuses a network without concepts (one with them always says them).
    target: the class to explain; None takes the predicted one. frame, scale: as for :func:`~lungcad.imaging.read_image`. show_anyway: do
    not hide what the gate declines; the result and its JSON say so. set_level: share of the sets of classes that should hold the truth
    (:func:`~lungcad.evaluate.conformal.prediction_set`). prepared: the image as the network sees it, where that was done before, together
    with other images. backend: the runtime (:func:`~lungcad.backends.with_backend`); with auto a network that is loaded keeps its own.
    Same input, same options: the same answer, bit for bit, on
    one machine. Raises a :class:`~lungcad.errors.LungcadError` with one sentence for every bad input.
    """
    clock = _Clock()
    check_level(set_level)
    if isinstance(model, str) or backend != AUTO:
        asked = load_model(model) if isinstance(model, str) else model
        model = with_backend(asked, backend)
        if model is not asked:
            prepared = None  # of another runtime's features
    methods = list(methods)
    for method in methods:
        lookup({**METHODS, CONCEPTS_METHOD: None}, method, "method")
    refuse_ignored(methods, options)
    if CONCEPTS_METHOD in methods:
        refuse_without_concepts(model.card)
    target_index = None if target is None else model.class_index(target)
    clock.lap("load")
    image = source if isinstance(source, CTImage) else read_image(source, frame=frame, scale=scale)
    clock.lap("read")
    if prepared is None:
        prepared = PreparedInput.of(model, image)
    with torch.no_grad():
        probabilities = calibrated(model, model.network.classify(prepared.features)[0])[0].tolist()
    prediction = Prediction(dict(zip(model.card.classes, probabilities, strict=True)))
    clock.lap("predict")
    decision = decide(image, model, embed(model, prepared.features)[0])
    clock.lap("gate")
    if target_index is None:
        target_index = model.class_index(prediction.label)
    attributions = {}
    for method in methods:
        if method == CONCEPTS_METHOD:
            continue
        attributions[method] = explain(model, prepared, method, target_index, options, on_progress)
        clock.lap(method)
    warnings = (*warnings_of(image, decision, [model.card]), *(note for attribution in attributions.values() for note in attribution.notes))
    return Analysis(
        image,
        model.card.name,
        prediction,
        model.card.classes[target_index],
        attributions,
        prepared.geometry,
        clock.seconds,
        warnings,
        model.device.precision,
        set_of_classes(model.card, prediction, set_level, decision),
        decision,
        show_anyway,
        notes_of(image),
        concept_answer(model, prepared),
        model.backend,
    )


def set_of_classes(card: ModelCard, prediction: Prediction, level: float, gate: Decision) -> PredictionSet:
    """The network's set for the image; of one that the gate declines it says that its level promises nothing."""
    classes = prediction_set(card, prediction.probabilities, level)
    return replace(classes, note=NOTHING_PROMISED) if gate.is_declined and classes.classes is not None else classes


def trust_checks(
    image: CTImage,
    model: TrainedModel,
    result: Analysis,
    method: str,
    options: Options = Options(),
    *,
    partner: TrainedModel | None = None,
    on_progress: Progress | None = None,
    known: Collection[str] = (),
) -> Iterator[Check]:
    """The quick checks of one of the result's maps, as they finish; partner: the same network with, or without, attention
    (:func:`~lungcad.models.partner.partner_of`). on_progress: of each check by itself. known: names of checks that need not be made again.
    """
    subject = Subject(model, image, method, model.class_index(result.target), options, has_lungs=sees_lungs(model.card), partner=partner)
    yield from quick_checks(subject, result.attributions[method], on_progress, known=known)


def slow_trust_checks(
    image: CTImage, model: TrainedModel, result: Analysis, method: str, options: Options = Options(), on_progress: Progress | None = None
) -> list[Check]:
    """Weight randomisation and, for methods that cost more than a forward pass, stability: some dozens of maps."""
    subject = Subject(model, image, method, model.class_index(result.target), options, has_lungs=sees_lungs(model.card))
    return slow_checks(subject, result.attributions[method], on_progress)


def contour_check(image: CTImage, model: TrainedModel, result: Analysis, method: str, contour: np.ndarray) -> Check:
    """A drawn contour (bool, on the image's grid) against one of the result's maps, beside the controls."""
    prepared, target = PreparedInput.of(model, image), model.class_index(result.target)
    controls = {name: explain(model, prepared, name, target) for name in ("random", "centre")}
    attribution = result.attributions[method]
    return without_support(check_localisation(attribution, contour, controls), attribution)


def nearest_cases(image: CTImage, model: TrainedModel, n: int = 6) -> Nearest:
    """The training cases that the network finds most like the image. Raises :class:`~lungcad.errors.ModelError` where no index is there."""
    return Index.read(model.card).nearest(embed(model, PreparedInput.of(model, image).features)[0], n)


def nearest_or_none(image: CTImage, model: TrainedModel) -> Nearest | None:
    """The same; None where no index of these weights is there, and the answer does without."""
    try:
        return nearest_cases(image, model)
    except ModelError:
        return None


def predict_without(image: CTImage, model: TrainedModel, region: np.ndarray, fill: Fill = Fill.BLUR) -> Prediction:
    """The network's prediction when a region (bool, on the image's grid) is hidden."""
    prepared = PreparedInput.of(model, image)
    if not region.any():
        raise ImageError("The region lies outside the image or is empty; draw it on the image.")
    shown = prepared.geometry.labels_to_input((~region).astype(np.uint8), prepared.grey.shape[-2:]) > 0
    if shown.all():
        raise ImageError("The region lies outside what the network sees of this image; draw it further inside.")
    probabilities = masked_probabilities(model, prepared, torch.from_numpy(shown)[None], replacement_grey(prepared.grey, fill))[0].tolist()
    return Prediction(dict(zip(model.card.classes, probabilities, strict=True)))


class _Clock:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.seconds[name] = round(now - self._last, 4)
        self._last = now
