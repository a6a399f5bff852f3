"""Trust runs on disk: what the checks measured, a row a case and method."""

import json
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import pydantic
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from lungcad.errors import DatasetError, UnknownNameError
from lungcad.estimate import Estimate
from lungcad.evaluate.bootstrap import Resamples
from lungcad.evaluate.metrics import estimate
from lungcad.evaluate.stores.damage import DAMAGED
from lungcad.explain.trust import MEASURES
from lungcad.files import whole_folder
from lungcad.list_files import listed_folders
from lungcad.paths import TRUST
from lungcad.stored_json import Stored, read_json

SCHEMA = 1
_PLAIN = re.compile(r"[\w .+-]{1,80}")
_Name = Annotated[str, pydantic.Field(pattern=r"^[\w .+-]{1,200}$")]


class _Facts(Stored):
    model: _Name
    data: _Name
    n: pydantic.NonNegativeInt
    skipped: list[str]
    notes: list[str]


@dataclass(frozen=True, eq=False)
class TrustRun:
    """The trust checks of one network over one data set.

    facts: content of ``trust.json``. cases: a row a case and method: case, group, label, target, probability, method, and a column a
    measure (:data:`~lungcad.explain.trust.table.MEASURES`), missing where it was not measured: a run that is older than a measure lacks
    all of it.
    """

    name: str
    facts: dict[str, Any]
    cases: pd.DataFrame

    @cached_property
    def summary(self) -> dict[str, dict[str, Estimate]]:
        """Method -> measure -> mean over the cases with its 95 % bootstrap interval over groups; None where it does not apply."""
        summary: dict[str, dict[str, Estimate]] = {}
        for name, rows in self.cases.groupby("method", sort=False):
            method = str(name)
            summary[method] = {}
            for measure in MEASURES:
                measured = rows[rows[measure].notna()]
                if not len(measured):
                    summary[method][measure] = Estimate(value=None, low=None, high=None)
                    continue
                means = Resamples.of(measured.group.to_numpy()).mean(measured[measure].to_numpy(np.float64))
                summary[method][measure] = estimate(means)
        return summary

    def to_dict(self) -> dict[str, Any]:
        """The JSON of ``lungcad trust``: means, null where a measure does not apply, and their intervals."""
        methods = []
        for method, measures in self.summary.items():
            intervals = {name: [mean.low, mean.high] for name, mean in measures.items() if mean.value is not None}
            methods.append({"method": method, **{name: mean.value for name, mean in measures.items()}, "intervals": intervals})
        return {**{key: self.facts[key] for key in ("model", "data", "n", "skipped", "notes")}, "methods": methods}


def write_trust_run(run: TrustRun, root: Path = TRUST) -> Path:
    """``trust.json`` and ``cases.parquet`` under ``root/MODEL--DATA``."""
    folder = root / run.name
    table = run.cases.copy()
    columns = [name for name in ("probability", *MEASURES) if name in table]
    table[columns] = table[columns].astype(np.float32)
    with whole_folder(folder, last="trust.json") as staging:
        table.to_parquet(staging / "cases.parquet", index=False)
        (staging / "trust.json").write_text(json.dumps(run.facts, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return folder


def list_trust_runs(root: Path = TRUST) -> list[str]:
    """Names of the trust runs, sorted."""
    return [folder.name for folder in listed_folders(root, "trust.json")]


def read_trust_run(name: str, root: Path = TRUST) -> TrustRun:
    """Raises :class:`DatasetError` in one sentence for a missing or damaged file or another schema."""
    folder = root / name
    if not os.path.isfile(folder / "trust.json"):  # Path.is_file raises where its folder may not be entered
        raise UnknownNameError("trust run", name, list_trust_runs(root) or ["(there are no trust runs)"])
    try:
        facts = read_json(folder / "trust.json")
        table = pd.read_parquet(folder / "cases.parquet")
    except DAMAGED:
        raise DatasetError(f"A file of the trust run {name} is damaged or missing; run lungcad trust again.") from None
    if not isinstance(facts, dict) or facts.get("schema") != SCHEMA:
        raise DatasetError(f"The trust run {name} has another schema than this lungcad reads ({SCHEMA}); run lungcad trust again.")
    if missing := sorted({"case", "group", "method"} - set(table.columns)):
        raise DatasetError(f"The cases of the trust run {name} lack the column {missing[0]}; run lungcad trust again.")
    table = table.assign(**{measure: np.nan for measure in MEASURES if measure not in table})
    try:
        _Facts.model_validate(facts)
    except pydantic.ValidationError as fault:
        key = fault.errors()[0]["loc"][0]
        raise DatasetError(
            f"trust.json of the trust run {name} lacks {key}, or it is not what it should be; run lungcad trust again."
        ) from None
    values = table[list(MEASURES)]
    if not all(is_numeric_dtype(kind) and not is_bool_dtype(kind) for kind in values.dtypes) or (
        not values.isna().to_numpy().all() and values.abs().max().max() > 1.001
    ):
        raise DatasetError(f"The cases of the trust run {name} hold measures that are no numbers from -1 to 1; run lungcad trust again.")
    if table[["case", "group", "method"]].isna().to_numpy().any() or not len(table):
        raise DatasetError(f"The cases of the trust run {name} are empty or lack a case, a group or a method; run lungcad trust again.")
    if any(pd.api.types.infer_dtype(table[column], skipna=False) != "string" for column in ("case", "group", "method")):
        raise DatasetError(f"The cases of the trust run {name} hold a case, a group or a method that is no text; run lungcad trust again.")
    if "probability" in table and not (is_numeric_dtype(table.probability) and table.probability.between(0, 1.001).all()):
        raise DatasetError(f"The cases of the trust run {name} hold a probability that is none; run lungcad trust again.")
    if table.duplicated(["case", "method"]).any() or not all(map(_PLAIN.fullmatch, table.method.unique())):
        raise DatasetError(
            f"The cases of the trust run {name} hold a case twice for one method, or an odd method; run lungcad trust again."
        )
    return TrustRun(name, facts, table)


def read_trust_runs(root: Path = TRUST, *, on_fault: Callable[[str], object] | None = None) -> list[TrustRun]:
    """Every trust run, by data set and network.

    on_fault: is told of each one that cannot be read, which is left out; without it the first raises.
    """
    runs = []
    for name in list_trust_runs(root):
        try:
            runs.append(read_trust_run(name, root))
        except DatasetError as error:
            if on_fault is None:
                raise
            on_fault(str(error))
    return sorted(runs, key=lambda run: (run.facts["data"], run.facts["model"]))


def estimates_of(measure: str, runs: Sequence[TrustRun]) -> list[tuple[TrustRun, dict[str, Estimate]]]:
    """(run, method -> estimate) for each run that has the measure."""
    estimates_by_run = [(run, {method: values[measure] for method, values in run.summary.items()}) for run in runs]
    return [(run, values) for run, values in estimates_by_run if any(mean.value is not None for mean in values.values())]
