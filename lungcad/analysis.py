"""One call from bytes to an explained prediction: what the page, the command line and Python use."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lungcad.datasets import DATASETS
from lungcad.errors import ImageError, lookup
from lungcad.explain import METHODS, Attribution, Fill, Options, PreparedInput, explain
from lungcad.explain.engine import hidden, masked_probabilities
from lungcad.explain.neighbours import Index, Nearest, embed
from lungcad.explain.trust import Check, Subject, check_localisation, quick_checks, slow_checks
from lungcad.explain.trust.panel import without_support
from lungcad.imaging import CTImage, Scale, Unit, read_image
from lungcad.imaging.lungs import lung_field
from lungcad.models import ModelCard, Prediction, TrainedModel, load_model
from lungcad.models.ensemble import Ensemble
from lungcad.models.predict import calibrated
from lungcad.preprocess import Geometry
from lungcad.progress import Progress

COLOURED = 0.02
"""Share of clearly coloured pixels above which an image is called a photograph; no slice of Chest CT-Scan reaches it (tests/test_analysis.py)."""

MIN_CONTRAST = 0.02
"""99th less 1st percentile of the grey level (of 1) below which an image shows nothing."""


@dataclass(frozen=True, eq=False)
class Analysis:
    """prediction, the class explained, attributions by method (on the image's grid, in the usual view), seconds by step.

    warnings: reasons to doubt the answer. notes: harmless facts about the file and how it was read. Both for the user, a sentence each.
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
    notes: tuple[str, ...] = ()

    def values_in_file(self, method: str) -> np.ndarray:
        """The method's raw map on the grid of the file, float32, wherever the image was turned to the usual view."""
        return np.ascontiguousarray(self.image.turn.to_file(self.attributions[method].values))

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON: no pixels, no file name, no patient identifier; the image is named by its SHA-256."""
        top, left, bottom, right = self.geometry.box
        return {
            "image_sha256": self.image.provenance.sha256,
            "image": {"rows": self.image.shape[0], "columns": self.image.shape[1], "unit": self.image.unit.value,
                      "spacing_mm": self.image.spacing_mm, "synthetic": self.image.provenance.synthetic,
                      "orientation": self.image.orientation.value, "turned": asdict(self.image.turn), "pixel_aspect": self.image.aspect},
            "model": self.model_name,
            "class": self.prediction.label,
            "probabilities": self.prediction.probabilities,
            "explained_class": self.target,
            "seen_box": {"top": top, "left": left, "bottom": bottom, "right": right},
            "attributions": {
                name: {"minimum": float(each.values.min()), "maximum": each.peak, "facts": each.facts, "notes": list(each.notes)}
                for name, each in self.attributions.items()
            },
            "precision": self.precision,
            "seconds": self.timings,
            "warnings": list(self.warnings),
            "notes": list(self.notes),
            "notice": "Research software, not a medical device.",
        }  # fmt: skip


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
) -> Analysis:
    """Read, preprocess, predict and explain one slice.

    target: the class to explain; None takes the predicted one. frame, scale: as for :func:`~lungcad.imaging.read_image`.
    Same input, same options: the same answer, bit for bit, on
    one machine. Raises a :class:`~lungcad.errors.LungcadError` with one sentence for every bad input.
    """
    clock = _Clock()
    if isinstance(model, str):
        model = load_model(model)
    methods = list(methods)
    for method in methods:
        lookup(METHODS, method, "method")
    target_index = None if target is None else model.class_index(target)
    clock.lap("load")
    image = source if isinstance(source, CTImage) else read_image(source, frame=frame, scale=scale)
    clock.lap("read")
    scene = PreparedInput.of(model, image)
    with torch.no_grad():
        probabilities = calibrated(model, model.network.classify(scene.features)[0])[0].tolist()
    prediction = Prediction(dict(zip(model.card.classes, probabilities, strict=True)))
    clock.lap("predict")
    if target_index is None:
        target_index = model.class_index(prediction.label)
    attributions = {}
    for method in methods:
        attributions[method] = explain(model, scene, method, target_index, options, on_progress)
        clock.lap(method)
    warnings = (*_warnings(image, model.card), *(note for each in attributions.values() for note in each.notes))
    return Analysis(
        image, model.card.name, prediction, model.card.classes[target_index], attributions, scene.geometry, clock.seconds, warnings,
        model.device.precision, _notes(image),
    )  # fmt: skip


def trust_checks(
    image: CTImage, model: TrainedModel, result: Analysis, method: str, options: Options = Options(), *, partner: TrainedModel | None = None
) -> Iterator[Check]:
    """The cheap checks of one of the result's maps, as they finish; partner: the same network with, or without, attention (:func:`partner_of`)."""
    subject = Subject(model, image, method, model.class_index(result.target), options, has_lungs=sees_lungs(model.card), partner=partner)
    yield from quick_checks(subject, result.attributions[method])


def partner_of(card: ModelCard, cards: Iterable[ModelCard]) -> ModelCard | None:
    """The card that differs in attention only, a baseline and an attention network; None where there is none."""

    def key(each: ModelCard) -> tuple[object, ...]:
        return each.dataset, each.task, each.protocol, each.backbone, each.inputs, each.classes, each.preprocess

    return next((each for each in cards if key(each) == key(card) and (each.attention == "none") != (card.attention == "none")), None)


def dear_trust_checks(
    image: CTImage, model: TrainedModel, result: Analysis, method: str, options: Options = Options(), on_progress: Progress | None = None
) -> list[Check]:
    """Weight randomisation and, for methods that cost more than a forward pass, stability: some dozens of maps."""
    subject = Subject(model, image, method, model.class_index(result.target), options, has_lungs=sees_lungs(model.card))
    return slow_checks(subject, result.attributions[method], on_progress)


def contour_check(image: CTImage, model: TrainedModel, result: Analysis, method: str, contour: np.ndarray) -> Check:
    """A drawn contour (bool, on the image's grid) against one of the result's maps, beside the controls."""
    scene, target = PreparedInput.of(model, image), model.class_index(result.target)
    controls = {name: explain(model, scene, name, target) for name in ("random", "centre")}
    found = result.attributions[method]
    return without_support(check_localisation(found, contour, controls), found)


def nearest_cases(image: CTImage, model: TrainedModel, n: int = 6) -> Nearest:
    """The training cases that the network finds most like the image. Raises :class:`~lungcad.errors.ModelError` where no index is there."""
    return Index.read(model.card).nearest(embed(model, PreparedInput.of(model, image).features)[0], n)


def predict_without(image: CTImage, model: TrainedModel, region: np.ndarray, fill: Fill = Fill.BLUR) -> Prediction:
    """What the network says when a region (bool, on the image's grid) is hidden."""
    scene = PreparedInput.of(model, image)
    if not region.any():
        raise ImageError("The region lies outside the image or is empty; draw it on the image.")
    keep = scene.geometry.labels_to_input((~region).astype(np.uint8), scene.grey.shape[-2:]) > 0
    if keep.all():
        raise ImageError("The region lies outside what the network sees of this image; draw it further inside.")
    probabilities = masked_probabilities(model, scene, torch.from_numpy(keep)[None], hidden(scene.grey, fill))[0].tolist()
    return Prediction(dict(zip(model.card.classes, probabilities, strict=True)))


def sees_lungs(card: ModelCard) -> bool:
    """Whether the network was trained on whole CT slices."""
    dataset = DATASETS.get(card.dataset)
    return not (dataset and (dataset.is_histology or dataset.crop_side))


@dataclass(frozen=True, eq=False)
class Answer:
    """What several networks say together."""

    prediction: Prediction
    warnings: tuple[str, ...]
    notes: tuple[str, ...] = ()


def answer_together(
    source: bytes | str | Path | CTImage, ensemble: Ensemble, *, frame: int | None = None, scale: Scale | str = Scale.AUTO
) -> Answer:
    """The ensemble's prediction of one slice, unexplained: a heat map belongs to one network."""
    image = source if isinstance(source, CTImage) else read_image(source, frame=frame, scale=scale)
    return Answer(ensemble.predict(image), tuple(_warnings(image, ensemble.members[0].card)), _notes(image))


def _warnings(image: CTImage, card: ModelCard) -> list[str]:
    found = list(image.warnings)
    dataset = DATASETS.get(card.dataset)
    if dataset and dataset.is_histology:
        if image.provenance.colour_fraction <= COLOURED:
            found.append("The network was trained on coloured microscope tiles; this image is grey, so do not trust the answer.")
    elif image.provenance.colour_fraction > COLOURED:
        found.append(
            f"{image.provenance.colour_fraction:.0%} of the image is coloured: it is not like the grey CT slices the network was "
            "trained on, so do not trust the answer."
        )
    if dataset and dataset.crop_side and max(image.shape) > 1.5 * dataset.crop_side:
        found.append(
            f"The network was trained on crops of {dataset.crop_side}×{dataset.crop_side} pixels with a nodule in the middle; this image is "
            f"{image.shape[1]}×{image.shape[0]}: crop it around the nodule, or the answer means nothing."
        )
    if image.contrast < MIN_CONTRAST:
        found.append(
            "The image has no contrast (it is black, white or of one grey): there is nothing to classify, so do not trust the answer."
        )
    elif sees_lungs(card) and image.provenance.colour_fraction <= COLOURED and not lung_field(image).lungs.any():
        found.append("No lungs were found in this image; the network was trained on chest slices, so do not trust the answer.")
    if image.provenance.synthetic:
        found.append("This is a synthetic phantom made by lungcad, not a patient; the network was never trained on phantoms.")
    return found


def _notes(image: CTImage) -> tuple[str, ...]:
    windowed = "The network was trained on 8-bit pictures; the Hounsfield units were windowed to look like them."
    return (*image.notes, windowed) if image.unit is Unit.HU else image.notes


class _Clock:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.seconds[name] = round(now - self._last, 4)
        self._last = now
