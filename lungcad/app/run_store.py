"""What all sessions share of the evaluation runs: each is read and scored once until its files change."""

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from lungcad.app import store
from lungcad.app.cards import cards, fingerprint
from lungcad.datasets import DATASETS
from lungcad.errors import LungcadError, ModelError
from lungcad.estimate import Estimate
from lungcad.evaluate.baselines import MAJORITY
from lungcad.evaluate.paired_tests import Difference, compare_runs
from lungcad.evaluate.scoring import ScoredCases, baselines, flags, task_of
from lungcad.evaluate.set_coverage import SetsOnTest
from lungcad.evaluate.slices import Slice, folds, slices
from lungcad.evaluate.stores.runs import Run, list_runs, read_run
from lungcad.evaluate.stores.trust_runs import TrustRun
from lungcad.explain.neighbours import Index
from lungcad.paths import INDEX, RUNS


def runs_table() -> tuple[pd.DataFrame, list[str]]:
    """(a row a run with its headline numbers, a sentence for each run that cannot be read)."""
    rows = [_row(name, fingerprint_of(name)) for name in list_runs()]
    return pd.DataFrame([row for row in rows if not isinstance(row, str)]), [row for row in rows if isinstance(row, str)]


def run(name: str) -> Run:
    """The evaluation run, read once for all sessions until its files change."""
    return _run(name, fingerprint_of(name))


def report_of(name: str, without_copies: bool) -> dict[str, Estimate]:
    return scored_run(name, without_copies).report


def scored_run(name: str, without_copies: bool) -> ScoredCases:
    """The run's test cases and what their metrics need, computed once for all sessions until the run's files change."""
    return _scored_run(name, without_copies, fingerprint_of(name))


def scored_table(name: str, without_copies: bool) -> pd.DataFrame:
    """The run's test cases, with the answer, its confidence and the loss (natural logarithm) beside the probabilities."""
    return scored_run(name, without_copies).table


def index_of(name: str) -> Index:
    """The index of the run's network. Raises :class:`LungcadError` where there is none, or where the run was made with other weights."""
    evaluation_run = run(name)
    card = cards().get(evaluation_run.facts["network"])
    if card is None or card.sha256 != evaluation_run.facts.get("weights_sha256"):
        raise ModelError(f"The run {name} was made with weights that are not shipped, so there is no map of its cases.")
    path = INDEX / f"{card.name}.npz"
    return _index(card.name, card.sha256, path.stat().st_mtime_ns if path.is_file() else 0)


def trust_of(name: str) -> TrustRun | None:
    """The trust run over the data set of this run, made with the same weights."""
    facts = run(name).facts
    same_weights = [trust_run for trust_run in store.trust_runs() if trust_run.facts.get("weights_sha256") == facts.get("weights_sha256")]
    return next((trust_run for trust_run in same_weights if trust_run.facts["data"] == facts["dataset"]), None)


def test_cases_of(network: str) -> list[str]:
    """Ids of the test cases of the network's own run, where they and the data are on this machine; else none."""
    card = cards()[network]
    if card.dataset not in DATASETS:
        return []
    try:
        folder = DATASETS[card.dataset].locate()
        return [case for case in run(Path(card.run).name).test.case if (folder / case).is_file()] if card.run else []
    except LungcadError:
        return []


def comparison_of(first: str, second: str, common: bool) -> list[Difference]:
    """Raises :class:`LungcadError` where the runs cannot be compared."""
    return _comparison(first, second, common, fingerprint_of(first), fingerprint_of(second))


def map_differences_of(first: str, second: str) -> dict[str, float]:
    """Case -> how far the two runs' small maps are apart. Raises :class:`LungcadError` as :func:`index_of`."""
    one, other = index_of(first), index_of(second)
    return _map_differences(first, second, one.weights_sha256, other.weights_sha256)


def slices_of(name: str, without_copies: bool, folder: str | None) -> list[Slice]:
    return _slices(name, without_copies, folder, fingerprint_of(name))


def folds_of(name: str) -> list[Slice]:
    return _folds(name, fingerprint_of(name))


def sets_of(name: str, without_copies: bool, level: float) -> SetsOnTest:
    """The sets of classes of the run's test cases at a level. Raises :class:`LungcadError` where it has no validation cases."""
    return _sets(name, without_copies, level, fingerprint_of(name))


def fingerprint_of(name: str) -> str:
    """Changes with the run's files."""
    return fingerprint(_run_files(name))


def baselines_of(name: str, without_copies: bool) -> dict[str, dict[str, Estimate]]:
    return _baselines(name, without_copies, fingerprint_of(name))


def baseline_tables(name: str) -> dict[str, pd.DataFrame]:
    """Baseline -> the run's test cases with the baseline's probabilities."""
    evaluation_run = run(name)
    if evaluation_run.baselines is None:
        return {}
    test = evaluation_run.test[[column for column in evaluation_run.test.columns if not column.startswith("p:")]]
    on = ["case", "fold"] if "fold" in test else ["case"]
    return {
        str(baseline): test.merge(rows, on=on)
        for baseline, rows in evaluation_run.baselines.groupby("baseline", sort=False)
        if baseline != MAJORITY
    }


def _run_files(name: str) -> list[Path]:
    """Never by a pattern: a name may hold brackets."""
    try:
        return sorted(path for path in (RUNS / name).iterdir() if path.suffix in (".json", ".parquet", ".csv"))
    except (OSError, ValueError):
        return []


@st.cache_data(max_entries=256, show_spinner="Reading the evaluation runs …")
def _row(name: str, fingerprint: str) -> dict[str, Any] | str:
    """A row of the table of runs, or the sentence that says why the run cannot be read."""
    try:
        evaluation_run = run(name)
        scored = _scored_run(name, False, fingerprint)
        headline = scored.headlines()
    except LungcadError as error:
        return str(error)
    except (TypeError, ValueError, LookupError, AttributeError) as error:  # one bad run never ends the page
        return f"The run {name} is damaged ({type(error).__name__} in its facts or cases); make it again."

    def facts_as_text(*keys: str) -> dict[str, str]:
        return {key: str(evaluation_run.facts.get(key, "")) for key in keys}

    return {
        "run": name,
        **{key: str(value) for key, value in headline.items()},
        "flags": ", ".join(flags(scored)),
        "n": len(evaluation_run.test),
        **facts_as_text("dataset", "protocol", "attention", "date", "task", "network"),
    }


@st.cache_resource(max_entries=32, show_spinner=False)
def _run(name: str, fingerprint: str) -> Run:
    return read_run(name)


@st.cache_resource(max_entries=16, show_spinner=False)
def _scored_run(name: str, without_copies: bool, fingerprint: str) -> ScoredCases:
    return ScoredCases(run(name), without_copies=without_copies)


@st.cache_resource(max_entries=8, show_spinner=False)
def _index(name: str, sha256: str, modified: int) -> Index:
    return Index.read(cards()[name])


@st.cache_data(max_entries=32, show_spinner="Comparing …")
def _comparison(first: str, second: str, common: bool, *fingerprints: str) -> list[Difference]:
    return compare_runs(run(first), run(second), common_only=common)


@st.cache_data(max_entries=16, show_spinner=False)
def _map_differences(first: str, second: str, *sha256: str) -> dict[str, float]:
    one, other = index_of(first), index_of(second)
    cases = one.test_cases.tolist()
    return dict(zip(cases, one.map_differences(other, cases), strict=True))


@st.cache_data(max_entries=32, show_spinner="Scoring parts of the test cases …")
def _slices(name: str, without_copies: bool, folder: str | None, fingerprint: str) -> list[Slice]:
    evaluation_run = run(name)
    case_by_id = None
    if folder is not None:
        task = task_of(evaluation_run)
        case_by_id = {case.id: case for case in DATASETS[evaluation_run.facts["dataset"]].read(folder, task.name if task else None)}
    return slices(evaluation_run, scored_table(name, without_copies), case_by_id)


@st.cache_data(max_entries=32, show_spinner=False)
def _folds(name: str, fingerprint: str) -> list[Slice]:
    return folds(run(name))


@st.cache_resource(max_entries=64, show_spinner=False)
def _sets(name: str, without_copies: bool, level: float, fingerprint: str) -> SetsOnTest:
    return SetsOnTest(run(name), level, without_copies=without_copies)


@st.cache_data(max_entries=64, show_spinner=False)
def _baselines(name: str, without_copies: bool, fingerprint: str) -> dict[str, dict[str, Estimate]]:
    return baselines(run(name), without_copies=without_copies)
