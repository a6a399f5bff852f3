"""The two measures of Sun et al., "Right for the wrong reason: can interpretable ML techniques detect spurious correlations?", MICCAI 2023: does a map show the
mark that the network relies on, and does it change when the answer does?
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lungcad.evaluate.truth.answers import probabilities_of
from lungcad.evaluate.truth.counterfactuals import LESION, mean_of
from lungcad.evaluate.truth.networks import KnownNetwork
from lungcad.evaluate.truth.scenes import Scene, Shown, image_of
from lungcad.evaluate.truth.variants import Variant
from lungcad.explain import PreparedInput
from lungcad.models import TrainedModel

TOP = 0.1
"""Share of the picture's pixels, those with the largest values, among which the mark's are looked for."""


def confounder_sensitivity(values: np.ndarray, mark: np.ndarray) -> float:
    """Share of the mark's pixels (bool) among the tenth of all pixels with the largest values.

    Pixels without positive evidence never count, and of pixels that are equal at the cut each counts by the share of them that still fits in.
    """
    size = round(TOP * values.size)
    cut = np.partition(values, -size, axis=None)[-size]
    above, equal = values > cut, values == cut
    counted = above + equal * ((size - above.sum()) / equal.sum())
    return float((counted * (values > 0))[mark].sum() / mark.sum())


def correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Normalised cross-correlation of two maps, -1 to 1: their values less their means, over their standard deviations. 0 where one of them is the same
    everywhere: it has nothing in common with the other.
    """
    deviations = first.std() * second.std()
    return float(((first - first.mean()) * (second - second.mean())).mean() / deviations) if deviations > 0 else 0.0


def pictures(model: TrainedModel, known: KnownNetwork, scenes: Sequence[Scene]) -> list[Shown]:
    """Lesions that the network calls so with the mark, and not without it."""
    lesion = model.card.classes.index(LESION)
    shown = [Shown(scene, known.shortcut) for scene in scenes if scene.has_lesion and scene.planned.carries]
    with_mark, without = (
        probabilities_of(model, map(image_of, those))[:, lesion]
        for those in ([each.picture for each in shown], [each.scene.clean for each in shown])
    )
    return [each for each, first, second in zip(shown, with_mark, without, strict=True) if first > 0.5 >= second]


def measure(model: TrainedModel, shown: Shown, variants: Sequence[Variant]) -> Iterator[dict[str, Any]]:
    """Of each method's map for the class lesion, on the picture with the mark and on the one without."""
    target, mark = model.card.classes.index(LESION), shown.picture.shortcut
    if mark is None:
        return
    with_mark, without = PreparedInput.several(model, [image_of(shown.picture), image_of(shown.scene.clean)])
    for variant in variants:
        first, second = (variant.explain(model, prepared, target, shown.scene.patient.seed).values for prepared in (with_mark, without))
        yield {
            "cheat": shown.shortcut, "method": variant.name, "cs": confounder_sensitivity(first, mark), "spc": correlation(first, second),
            "cs_at_most": min(1.0, TOP * mark.size / mark.sum()),
        }  # fmt: skip


def rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of network, cheat, method, n, cs, spc with 95 % intervals over patients, and cs_at_most: what a map that shows nothing but the mark would reach."""
    summaries = []
    for (network, cheat, method), cases in table.groupby(["network", "cheat", "method"], sort=False):
        means = {name: mean_of(cases[name].to_numpy(), cases.case) for name in ("cs", "spc")}
        summaries.append(
            {
                "network": network, "cheat": cheat, "method": method, "n": len(cases), **{name: mean.value for name, mean in means.items()},
                "cs_at_most": round(float(cases.cs_at_most.mean()), 4), "intervals": {name: [mean.low, mean.high] for name, mean in means.items()},
            }
        )  # fmt: skip
    return summaries
