"""A slice network over a whole series: every slice inside the lungs, its gate, its map; one pooled answer, and where to look."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from lungcad.answer import against_networks
from lungcad.errors import ImageError, ModelError, lookup
from lungcad.explain import METHODS, Options, PreparedInput
from lungcad.explain.attribution import Cost
from lungcad.explain.neighbours import embed
from lungcad.gate import Outcome, decide, sees_lungs
from lungcad.imaging.volume import CTVolume, SliceSource
from lungcad.models import ModelCard, Prediction, TrainedModel
from lungcad.models.predict import calibrated
from lungcad.progress import Progress
from lungcad.series.inside import Lungs, find_lungs
from lungcad.series.nodule import rates_nodules
from lungcad.series.pooling import POOLINGS, negative_class, suspicion_of
from lungcad.series.ranking import ranked_positions
from lungcad.series.result import SeriesAnswer, SliceAnswer
from lungcad.series.stored_pooling import pooling_of

BATCH = 12
"""Slices a forward pass."""
MOSTLY_DECLINED = 0.5
"""Share of declined slices from which the series has no answer."""


def check_can_read(card: ModelCard, method: str = "gradcam") -> None:
    """Raises :class:`ModelError` for a network that does not see whole CT slices, and for a method that takes too long for hundreds."""
    if not sees_lungs(card):
        crops = rates_nodules(card)
        raise ModelError(
            f"The network {card.name} does not read whole CT slices (it was trained on {'crops of nodules' if crops else 'microscope tiles'}); choose one "
            f"that does{', or a nodule for it to rate' if crops else ''}."
        )
    definition = lookup(METHODS, method, "method")
    if definition.cost is not Cost.FAST or not definition.suits(card):
        raise ModelError(f"{definition.title} does not suit a whole series read by this network; choose Grad-CAM.")


def analyse_volume(
    volume: CTVolume,
    model: TrainedModel,
    *,
    lungs: Lungs | None = None,
    target: str | None = None,
    method: str = "gradcam",
    show_anyway: bool = False,
    on_progress: Progress | None = None,
) -> SeriesAnswer:
    """Read every acquired slice inside the lungs, in batches.

    target: the class whose maps and positions are given; None takes the pooled one, or the most probable finding where that is the class
    without one. method: a fast one of :data:`~lungcad.explain.METHODS`. Raises :class:`~lungcad.errors.LungcadError`: a network that reads
    no slices, an unknown class, no lungs, no acquired slice inside them.
    """
    check_can_read(model.card, method)
    target = None if target is None else model.card.classes[model.class_index(target)]
    lungs = lungs or find_lungs(volume)
    indices = [int(index) for index in np.flatnonzero(lungs.inside) if volume.sources[index] is not None]
    if not indices:
        raise ImageError("No slice inside the lungs was acquired as an axial slice, so no network can read this series.")
    answers: list[SliceAnswer] = []
    for start in range(0, len(indices), BATCH):
        answers += _read(volume, model, indices[start : start + BATCH], method)
        if on_progress:
            on_progress(len(answers), len(indices))
    return pooled(volume, model.card, answers, lungs, target=target, method=method, show_anyway=show_anyway)


def _read(volume: CTVolume, model: TrainedModel, indices: Sequence[int], method: str) -> list[SliceAnswer]:
    images = [volume.image(index) for index in indices]
    prepared = PreparedInput.several(model, images)
    maps = torch.cat([each.features for each in prepared])
    with torch.no_grad():
        probabilities = calibrated(model, model.network.classify(maps)[0]).tolist()
    embeddings = embed(model, maps)
    definition, answers = METHODS[method], []
    for index, image, each, row, embedding in zip(indices, images, prepared, probabilities, embeddings, strict=True):
        targets = range(len(model.card.classes)) if definition.for_class else range(1)
        grids = np.stack([definition.compute(model, each, target, Options())[0] for target in targets]).astype(np.float32)
        prediction = Prediction(dict(zip(model.card.classes, row, strict=True)))
        source = volume.sources[index] or SliceSource(0)
        answers.append(
            SliceAnswer(index, volume.position_mm(index), source, prediction, decide(image, model, embedding), grids, each.geometry)
        )
    return answers


def pooled(
    volume: CTVolume,
    card: ModelCard,
    answers: Sequence[SliceAnswer],
    lungs: Lungs,
    *,
    target: str | None = None,
    method: str = "gradcam",
    show_anyway: bool = False,
) -> SeriesAnswer:
    """One answer of the slices' answers; nothing is computed anew, so that showing what was declined costs nothing."""
    counted = [each for each in answers if show_anyway or not each.gate.is_declined]
    chosen = pooling_of(card)
    table = np.array([list(each.prediction.probabilities.values()) for each in counted or answers])
    suspicion = suspicion_of(card, table)
    means = chosen.calibrate(card, POOLINGS[chosen.name].compute(table, suspicion))
    has_answer = show_anyway or len(counted) > MOSTLY_DECLINED * len(answers)
    prediction = Prediction(dict(zip(card.classes, means.tolist(), strict=True))) if has_answer else None
    negative = negative_class(card)
    findings = [index for index in range(len(card.classes)) if index != negative]
    wanted = max(findings, key=lambda index: means[index])
    explained = target or card.classes[wanted]
    warnings = _warnings(answers, has_answer, show_anyway)
    answer = SeriesAnswer(
        card,
        tuple(answers),
        prediction,
        chosen,
        explained,
        method,
        (),
        lungs,
        (*volume.warnings, *against_networks([card], synthetic=volume.synthetic), *warnings),
        show_anyway,
    )
    return replace(answer, positions=ranked_positions(volume, answer)) if has_answer else answer


def _warnings(answers: Sequence[SliceAnswer], has_answer: bool, show_anyway: bool) -> tuple[str, ...]:
    """The gate's reasons, each once, with how many slices it concerns."""
    counts: dict[str, int] = {}
    for each in answers:
        for reason in each.gate.reasons:
            counts[reason] = counts.get(reason, 0) + 1
    declined = sum(each.gate.is_declined for each in answers)
    sentences = [f"{count} of {len(answers)} slices: {reason}" for reason, count in sorted(counts.items(), key=lambda item: -item[1])]
    if not has_answer:
        sentences.insert(0, f"The gate declines {declined} of the {len(answers)} slices, so there is no answer for the series.")
    elif declined:
        how = "counted all the same" if show_anyway else "left out of the answer"
        sentences.insert(0, f"The gate declines {declined} of the {len(answers)} slices; they are {how}.")
    warned = sum(each.gate.outcome is Outcome.WARN for each in answers)
    return tuple(sentences[:6]) if declined or warned else ()
