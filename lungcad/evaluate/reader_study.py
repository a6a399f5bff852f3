"""A reader's blind answers, before and after seeing a network's map, against the truth and against the networks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lungcad.evaluate.bootstrap import Resamples
from lungcad.evaluate.metrics import binary_rates, cohen_kappa, one_against_rest, resampled_confusion


@dataclass(frozen=True)
class Reading:
    """One case: the true label, the reader's answer before and after the map (None: not given), and each network's answer (None: it declined the image)."""

    case: str
    label: str
    before: str
    after: str | None
    networks: Mapping[str, str | None]


BEFORE, AFTER = "yours, before the maps", "yours, after the maps"


def scores(readings: Sequence[Reading], classes: Sequence[str], negative: str | None) -> pd.DataFrame:
    """A row for the reader before and after the maps, and one for each network on the same cases.

    Columns: ``answers`` (whose), n, accuracy, sensitivity, specificity, Cohen's kappa with the truth, and the reader's with each network. Sensitivity and
    specificity take every class but ``negative`` as positive; NaN without a negative class, and where no case read is positive (or negative). The row after
    the maps and the networks' rows are over the cases answered twice, all cases before any was; what regards a network leaves out the cases that it declined.
    """
    if not readings:
        return pd.DataFrame()
    twice = [reading for reading in readings if reading.after is not None]
    rows = [_row(BEFORE, readings, [reading.before for reading in readings], classes, negative)]
    if twice:
        rows.append(_row(AFTER, twice, [str(reading.after) for reading in twice], classes, negative))
    compared = twice or list(readings)
    for name in readings[0].networks:
        answered = _answered_by(name, compared)
        answers = [str(reading.networks[name]) for reading in answered]
        rows.append(_row(name, answered, answers, classes, negative) | {f"kappa with {name}": np.nan})
    return pd.DataFrame(rows)


def _row(
    whose: str, readings: Sequence[Reading], answers: Sequence[str], classes: Sequence[str], negative: str | None
) -> dict[str, object]:
    truth = [reading.label for reading in readings]
    row: dict[str, object] = {
        "answers": whose,
        "n": len(readings),
        "accuracy": float(np.mean([label == answer for label, answer in zip(truth, answers, strict=True)])) if readings else np.nan,
        "sensitivity": np.nan,
        "specificity": np.nan,
    }
    if negative is not None and readings:  # the rates of the negative class, turned round
        rates = binary_rates(one_against_rest(_confusion(truth, answers, classes), list(classes).index(negative)))
        row |= {"sensitivity": float(rates["specificity"][0]), "specificity": float(rates["sensitivity"][0])}
    row["kappa with the truth"] = _kappa(truth, answers, classes)
    for name in readings[0].networks if readings else ():
        pairs = [
            (str(reading.networks[name]), own) for reading, own in zip(readings, answers, strict=True) if reading.networks[name] is not None
        ]
        row[f"kappa with {name}"] = _kappa([theirs for theirs, _ in pairs], [own for _, own in pairs], classes)
    return row


def _answered_by(name: str, readings: Sequence[Reading]) -> list[Reading]:
    """Those that the network did not decline."""
    return [reading for reading in readings if reading.networks[name] is not None]


def to_table(readings: Sequence[Reading]) -> pd.DataFrame:
    """A row a case, for a CSV file."""
    return pd.DataFrame(
        [
            {"case": reading.case, "truth": reading.label, "before": reading.before, "after": reading.after, **reading.networks}
            for reading in readings
        ]
    )


def _confusion(truth: Sequence[str], answers: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    index_of_class = {name: index for index, name in enumerate(classes)}
    rows, columns = (np.array([index_of_class[name] for name in labels], dtype=np.int64) for labels in (truth, answers))
    return resampled_confusion(rows, columns, len(classes), Resamples.none(len(rows)))


def _kappa(one: Sequence[str], other: Sequence[str], classes: Sequence[str]) -> float:
    if not one:
        return np.nan
    return float(cohen_kappa(_confusion(one, other, classes))[0])
