"""A reader's blind answers, before and after seeing a network's map, against the truth and against the networks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lungcad.evaluate.bootstrap import Resamples
from lungcad.evaluate.metrics import binary_rates, cohen_kappa, one_against_rest, resampled_confusion


@dataclass(frozen=True)
class Reading:
    """One case: the true label, the reader's answer before and after the map (None: not given), and each network's answer."""

    case: str
    label: str
    before: str
    after: str | None
    networks: Mapping[str, str]


def scores(readings: Sequence[Reading], classes: Sequence[str], negative: str | None) -> pd.DataFrame:
    """A row for the reader before and after the map: n, accuracy, sensitivity, specificity, and Cohen's kappa with the truth and each network.

    Sensitivity and specificity take every class but ``negative`` as positive; they are NaN without a negative class. After: of the cases answered twice.
    """
    rows = []
    for when in ("before", "after"):
        kept = [each for each in readings if getattr(each, when) is not None]
        if not kept:
            continue
        answers = [getattr(each, when) for each in kept]
        truth = [each.label for each in kept]
        row = {"when": f"{when} the map", "n": len(kept), "accuracy": float(np.mean([a == b for a, b in zip(answers, truth, strict=True)]))}
        row |= dict.fromkeys(("sensitivity", "specificity"), np.nan)
        if negative is not None:
            rates = binary_rates(one_against_rest(_confusion(truth, answers, classes), list(classes).index(negative)))
            row |= {
                "sensitivity": float(rates["specificity"][0]),
                "specificity": float(rates["sensitivity"][0]),
            }  # of the negative class, turned round
        row["kappa with the truth"] = _kappa(truth, answers, classes)
        for name in kept[0].networks:
            row[f"kappa with {name}"] = _kappa([each.networks[name] for each in kept], answers, classes)
        rows.append(row)
    return pd.DataFrame(rows)


def to_table(readings: Sequence[Reading]) -> pd.DataFrame:
    """A row a case, for a CSV file."""
    return pd.DataFrame(
        [{"case": each.case, "truth": each.label, "before": each.before, "after": each.after, **each.networks} for each in readings]
    )


def _confusion(truth: Sequence[str], answers: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    places = {name: index for index, name in enumerate(classes)}
    rows, columns = (np.array([places[name] for name in each]) for each in (truth, answers))
    return resampled_confusion(rows, columns, len(classes), Resamples.none(len(rows)))


def _kappa(one: Sequence[str], other: Sequence[str], classes: Sequence[str]) -> float:
    return float(cohen_kappa(_confusion(one, other, classes))[0])
