"""What an evaluation run must hold to be scored: checked as it is read, so that a bad one is a sentence and never a wrong number."""

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import numpy as np
import pandas as pd
import pydantic
from pandas.api.types import is_bool_dtype, is_integer_dtype, is_numeric_dtype
from pydantic import Field, StrictInt, StrictStr

from lungcad.datasets import Protocol, Split
from lungcad.errors import DatasetError
from lungcad.names import printable

MOST_OFF = 0.01
"""By which the probabilities of a case may miss a sum of 1: float16, or rounded to two or three places."""
MOST_FOLDS = 1000
MOST_COLUMNS = 100
"""Of learning curves."""
_AGAIN = "make the run again"


class RunFacts(pydantic.BaseModel):
    """``run.json``: what a reader may rely on. An absent fact is empty, never guessed; further ones stay as they are."""

    model_config = pydantic.ConfigDict(extra="allow", frozen=True)

    classes: Annotated[list[Annotated[StrictStr, Field(min_length=1)]], Field(min_length=2)]
    recipe: StrictStr = ""
    network: StrictStr = ""
    backbone: StrictStr = ""
    attention: StrictStr = ""
    weights_sha256: StrictStr = ""
    dataset: StrictStr = ""
    task: StrictStr | None = None
    protocol: StrictStr = ""
    split: StrictStr = ""
    grouping: StrictStr = ""
    n_train: Annotated[StrictInt, Field(ge=0)] | None = None
    seed: StrictInt | None = None
    folds: Annotated[StrictInt, Field(ge=2, le=MOST_FOLDS)] | None = None
    date: StrictStr = ""
    timings: dict[str, Any] = {}
    shortcut: StrictStr | None = None
    skipped: list[StrictStr] = []
    left_out: list[StrictStr] = []


def checked_facts(values: dict[str, Any], run: str) -> dict[str, Any]:
    """The facts with every known key. Raises :class:`DatasetError` naming the first that is not what it should be."""
    try:
        facts = RunFacts.model_validate(values)
    except pydantic.ValidationError as fault:
        first = fault.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise DatasetError(
            printable(f"run.json of the run {run}: {key}: {first['msg']} (it is {str(first.get('input'))[:40]!r}); {_AGAIN}.")
        ) from None
    if facts.protocol not in ("", *map(str, Protocol)):
        raise DatasetError(f"run.json of the run {run} names the protocol {printable(facts.protocol)[:40]!r}, which is none; {_AGAIN}.")
    if len(set(facts.classes)) < len(facts.classes):
        raise DatasetError(f"run.json of the run {run} names a class twice; {_AGAIN}.")
    found = facts.model_dump()
    for key, value in found.items():
        if any(printable(text) != text for text in _texts(value)):
            raise DatasetError(f"run.json of the run {run} holds characters that cannot be shown, in {printable(key)[:40]}; {_AGAIN}.")
    return found


def _texts(value: object) -> Iterator[str]:
    """Every text in a value of JSON, without backslashes, which are shown twice."""
    if isinstance(value, str):
        yield value.replace("\\", "")
    elif isinstance(value, dict):
        yield from (text for pair in value.items() for part in pair for text in _texts(part))
    elif isinstance(value, list):
        yield from (text for part in value for text in _texts(part))


def check_predictions(table: pd.DataFrame, classes: Sequence[str], protocol: str, run: str) -> None:
    """Raises :class:`DatasetError` in one sentence for a table from which nothing should be computed."""
    table_name = f"The predictions of the run {run}"
    if missing := sorted({"case", "group", "split", "label", "copy_of_training", *_columns(classes)} - set(table.columns)):
        raise DatasetError(f"{table_name} lack the column {missing[0]}; {_AGAIN}.")
    if not len(table):
        raise DatasetError(f"{table_name} are empty; {_AGAIN}.")
    in_folds = "fold" in table
    for column in ("case", "group", "split", "label", "copy_of_training", *(["fold"] if in_folds else [])):
        if n := int(table[column].isna().sum()):
            raise DatasetError(f"{table_name} lack the {column} of {n} of {len(table)} cases; {_AGAIN}.")
    for column in ("case", "group", "split", "label"):
        if not isinstance(table[column].dtype, pd.StringDtype) and pd.api.types.infer_dtype(table[column], skipna=False) != "string":
            raise DatasetError(f"{table_name} hold a {column} that is no text; {_AGAIN}.")
        if column in ("case", "group"):
            _check_names(table[column], f"{table_name} hold a {column}")
    if in_folds and not (is_integer_dtype(table.fold) and table.fold.between(0, MOST_FOLDS).all()):
        raise DatasetError(f"{table_name} hold a fold that is no number from 0 to {MOST_FOLDS}; {_AGAIN}.")
    if not is_bool_dtype(table.copy_of_training):
        raise DatasetError(f"{table_name} do not say true or false in copy_of_training; {_AGAIN}.")
    for column, allowed, what in (("split", list(map(str, Split)), "parts"), ("label", list(classes), "classes")):
        if unknown := sorted(set(table[column].unique()) - set(allowed)):
            raise DatasetError(
                printable(f"{table_name} hold the {column} {unknown[0]!r}, which is none of its {what} ({', '.join(allowed)}); {_AGAIN}.")
            )
    check_probabilities(table, classes, table_name)
    repeated = table.duplicated(["fold", "split", "case"]) if in_folds else ~_first(table.case)
    if repeated.any():
        raise DatasetError(f"{table_name} hold the case {printable(table.case[repeated.to_numpy()].iloc[0])} twice; {_AGAIN}.")
    if protocol == Protocol.GROUPED and not in_folds:
        _check_groups(table, run)


def _check_names(names: pd.Series, what: str) -> None:
    """Each is something, and can be shown."""
    for name in names.unique():
        if not name or not (name.isprintable() or printable(name.replace("\\", "")) == name.replace("\\", "")):
            raise DatasetError(f"{what} that is empty or cannot be shown; {_AGAIN}.")


def check_history(table: pd.DataFrame, run: str) -> None:
    """Learning curves: a column an epoch, the others numbers."""
    names = list(map(str, table.columns))
    if "epoch" not in names or len(names) > MOST_COLUMNS or not all(re.fullmatch(r"\w{1,40}", name) for name in names):
        raise DatasetError(f"history.csv of the run {run} has other columns than learning curves; restore it or {_AGAIN}.")
    if len(table) and not all(is_numeric_dtype(table[name]) and not is_bool_dtype(table[name]) for name in names):
        raise DatasetError(f"history.csv of the run {run} holds something else than numbers; restore it or {_AGAIN}.")


def check_baselines(table: pd.DataFrame, classes: Sequence[str], run: str, cases: pd.Series) -> None:
    """The trivial baselines' table, as :func:`check_predictions`; cases: of the predictions."""
    table_name = f"The baselines of the run {run}"
    if missing := sorted({"baseline", "case", *_columns(classes)} - set(table.columns)):
        raise DatasetError(f"{table_name} lack the column {missing[0]}; {_AGAIN}.")
    if not len(table):
        return
    for column in ("baseline", "case"):
        if pd.api.types.infer_dtype(table[column], skipna=False) != "string":
            raise DatasetError(f"{table_name} hold a {column} that is no text; {_AGAIN}.")
    _check_names(table.baseline, f"{table_name} hold a name")
    if not table.case.isin(cases).all() or table.duplicated(["baseline", "case", *(["fold"] if "fold" in table else [])]).any():
        raise DatasetError(f"{table_name} hold a case twice, or one that the predictions lack; {_AGAIN}.")
    check_probabilities(table, classes, table_name)


def check_probabilities(table: pd.DataFrame, classes: Sequence[str], table_name: str) -> None:
    """Each is a number from 0 to 1, and those of a case sum to 1."""
    columns = _columns(classes)
    if not all(is_numeric_dtype(table[name]) and not is_bool_dtype(table[name]) for name in columns):
        raise DatasetError(f"{table_name} hold probabilities that are not numbers; {_AGAIN}.")
    if any(table[name].isna().any() for name in columns if not isinstance(table[name].dtype, np.dtype)):
        raise DatasetError(f"{table_name} lack probabilities; {_AGAIN}.")
    values = table[columns].to_numpy()
    low, high = float(values.min()), float(values.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise DatasetError(f"{table_name} hold probabilities that are not numbers (NaN or infinite); {_AGAIN}.")
    if low < -1e-6 or high > 1 + 1e-3:
        raise DatasetError(f"{table_name} hold probabilities from {low:.3g} to {high:.3g} instead of 0 to 1 (logits?); {_AGAIN}.")
    sums = values.sum(1, dtype=np.float64)
    worst = int(np.abs(sums - 1).argmax())
    if abs(sums[worst] - 1) > MOST_OFF:
        raise DatasetError(f"{table_name} hold a case whose probabilities sum to {sums[worst]:.3f} instead of 1; {_AGAIN}.")


def check_answers(table: pd.DataFrame, classes: object, table_name: str) -> None:
    """Raises :class:`DatasetError` where the classes are none, a label is none of them, or a case has none, or its probabilities are none
    (:func:`check_probabilities`).
    """
    if not isinstance(classes, list) or len(classes) < 2 or len(set(map(str, classes))) < len(classes):
        raise DatasetError(f"{table_name} are of no classes, or of one that is named twice; {_AGAIN}.")
    if missing := sorted({"case", "group", "label", *_columns(classes)} - set(table.columns)):
        raise DatasetError(f"{table_name} lack the column {missing[0]}; {_AGAIN}.")
    if not len(table) or table[["case", "group"]].isna().to_numpy().any() or not table.label.isin(classes).all():
        raise DatasetError(f"{table_name} are empty, or lack a case, a group or a label of their classes; {_AGAIN}.")
    check_probabilities(table, classes, table_name)


def _check_groups(table: pd.DataFrame, run: str) -> None:
    group, names = pd.factorize(table.group)
    split, _ = pd.factorize(table.split)
    of_group = np.zeros(len(names), np.int64)
    of_group[group] = split
    if (elsewhere := np.flatnonzero(of_group[group] != split)).size:
        raise DatasetError(
            f"The run {run} says grouped, but the group {printable(names[group[elsewhere[0]]])} stands in two parts; {_AGAIN}."
        )


def _first(cases: pd.Series) -> pd.Series:
    """Whether a case stands there for the first time."""
    return pd.Series(True, index=cases.index) if cases.is_unique else ~cases.duplicated()


def _columns(classes: Sequence[str]) -> list[str]:
    return [f"p:{name}" for name in classes]
