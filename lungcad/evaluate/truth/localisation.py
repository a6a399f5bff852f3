"""Localisation with known truth: how well each method falls on the lesion, by its size, beside the controls."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lungcad.evaluate.truth.counterfactuals import LESION, mean_of
from lungcad.evaluate.truth.scenes import Scene, image_of
from lungcad.explain import METHODS, Options, PreparedInput, explain
from lungcad.explain.attribution import Cost, Layer
from lungcad.explain.trust.localisation import localisation
from lungcad.models import TrainedModel

SIZES_MM = ((4, 8), (8, 15), (15, 25), (25, 40))
BEFORE = "gradcam, layer before"
"""Grad-CAM of the last layer of twice the resolution."""


def localise(
    model: TrainedModel, scenes: Sequence[Scene], methods: Sequence[str], *, slow_cases: int, on_case: Callable[[], None] = lambda: None
) -> pd.DataFrame:
    """A row a lesion and method, for the class lesion: network, case, diameter_mm, method, pointing_game, energy_inside, iou.

    slow_cases: lesions on which methods of many passes are measured, spread over the sizes.
    """
    target = model.card.classes.index(LESION)
    lesions = [scene for scene in scenes if scene.patient.lesion is not None and scene.clean.lesion.any()]
    by_size = sorted(lesions, key=lambda scene: scene.patient.lesion.diameter_mm if scene.patient.lesion else 0.0)
    slow = {by_size[i].name for i in np.linspace(0, len(by_size) - 1, min(slow_cases, len(by_size))).astype(int)} if slow_cases else set()
    rows = []
    for scene in lesions:
        if scene.patient.lesion is None:
            continue
        prepared = PreparedInput.of(model, image_of(scene.clean))
        for method in methods:
            if METHODS[method].cost is not Cost.FAST and scene.name not in slow:
                continue
            variants = {method: Options(seed=scene.patient.seed)}
            if method == "gradcam":
                variants[BEFORE] = Options(seed=scene.patient.seed, layer=Layer.BEFORE)
            for name, options in variants.items():
                measured = localisation(explain(model, prepared, method, target, options), scene.clean.lesion)
                rows.append(
                    {
                        "network": model.card.name, "case": scene.name, "diameter_mm": scene.patient.lesion.diameter_mm, "method": name,
                        "pointing_game": measured.pointing if measured else 0.0, "energy_inside": measured.energy_inside if measured else 0.0,
                        "iou": measured.iou_best if measured else 0.0,
                    }
                )  # fmt: skip
        on_case()
    return pd.DataFrame(rows)


def localisation_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of network, method, size_mm, n, pointing_game, energy_inside, iou: means with 95 % intervals over patients; size_mm "all" first."""
    rows = []
    for (network, method), group in table.groupby(["network", "method"], sort=False):
        sizes = {"all": group} | {f"{low}–{high}": group[(group.diameter_mm >= low) & (group.diameter_mm < high)] for low, high in SIZES_MM}
        for size, cases in sizes.items():
            if len(cases):
                values = {name: mean_of(cases[name].to_numpy(), cases.case) for name in ("pointing_game", "energy_inside", "iou")}
                rows.append(
                    {"network": network, "method": method, "size_mm": size, "n": len(cases), **{name: mean.value for name, mean in values.items()},
                     "intervals": {name: [mean.low, mean.high] for name, mean in values.items()}}
                )  # fmt: skip
    return rows
