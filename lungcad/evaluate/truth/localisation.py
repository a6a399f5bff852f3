"""Localisation with known truth: how well each method falls on the lesion, by its size, beside the controls."""

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from lungcad.evaluate.truth.answers import probabilities_of
from lungcad.evaluate.truth.counterfactuals import LESION, mean_of
from lungcad.evaluate.truth.networks import KnownNetwork
from lungcad.evaluate.truth.scenes import Scene, Shown, image_of
from lungcad.evaluate.truth.variants import Variant
from lungcad.explain import PreparedInput
from lungcad.explain.trust.localisation import localisation
from lungcad.models import TrainedModel

SIZES_MM = ((4, 8), (8, 15), (15, 25), (25, 40))
MEASURES = ("pointing_game", "energy_inside", "iou", "called")


def diameter_mm(scene: Scene) -> float:
    """Of its lesion; 0 without one."""
    return scene.patient.lesion.diameter_mm if scene.patient.lesion else 0.0


def pictures(model: TrainedModel, known: KnownNetwork, scenes: Sequence[Scene]) -> list[Shown]:
    """Lesions by size, without a shortcut."""
    lesions = [scene for scene in scenes if scene.patient.lesion is not None and scene.clean.lesion.any()]
    return [Shown(scene, None) for scene in sorted(lesions, key=diameter_mm)]


def measure(model: TrainedModel, shown: Shown, variants: Sequence[Variant]) -> Iterator[dict[str, Any]]:
    """Of each method's map for the class lesion: diameter_mm, method, pointing_game, energy_inside, iou; called: whether the network answers so."""
    target, image = model.card.classes.index(LESION), image_of(shown.picture)
    prepared = PreparedInput.of(model, image)
    called = float(probabilities_of(model, [image])[0, target] > 0.5)
    for variant in variants:
        measured = localisation(variant.explain(model, prepared, target, shown.scene.patient.seed), shown.picture.lesion)
        yield {
            "diameter_mm": diameter_mm(shown.scene), "method": variant.name, "called": called,
            "pointing_game": measured.pointing if measured else 0.0, "energy_inside": measured.energy_inside if measured else 0.0,
            "iou": measured.iou_best if measured else 0.0,
        }  # fmt: skip


def rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of network, method, size_mm, n and :data:`MEASURES`: means with 95 % intervals over patients; size_mm "all" first."""
    summaries = []
    for (network, method), group in table.groupby(["network", "method"], sort=False):
        sizes = {"all": group} | {f"{low}–{high}": group[(group.diameter_mm >= low) & (group.diameter_mm < high)] for low, high in SIZES_MM}
        for size, cases in sizes.items():
            if len(cases):
                values = {name: mean_of(cases[name].to_numpy(), cases.case) for name in MEASURES}
                summaries.append(
                    {"network": network, "method": method, "size_mm": size, "n": len(cases), **{name: mean.value for name, mean in values.items()},
                     "intervals": {name: [mean.low, mean.high] for name, mean in values.items()}}
                )  # fmt: skip
    return summaries
