"""What all sessions share: networks and cards. Nothing a user uploaded is kept here."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from lungcad.app.figures import shrunk
from lungcad.datasets import DATASETS, Case
from lungcad.errors import LungcadError
from lungcad.evaluate.baselines import MAJORITY
from lungcad.evaluate.metrics import Resamples
from lungcad.evaluate.report import baselines, headlines, report
from lungcad.evaluate.runs import RUNS, Run, list_runs, read_run
from lungcad.evaluate.trust_runs import TRUST, TrustRun
from lungcad.evaluate.trust_tables import read_all
from lungcad.imaging import read_image
from lungcad.models import ModelCard, TrainedModel, list_cards, load_model
from lungcad.models.card import Estimate
from lungcad.models.weights import WEIGHTS


def cards() -> dict[str, ModelCard]:
    """The shipped networks' cards by name."""
    return _cards(_fingerprint(sorted(WEIGHTS.glob("*.json"))))


def model(name: str) -> TrainedModel:
    """A network, loaded once for all sessions. It carries no hooks and is never written to, so threads share it freely."""
    return _model(name, cards()[name].sha256)


def trust_runs() -> list[TrustRun]:
    """The trust runs in ``data/trust``, read once for all sessions until a file changes."""
    return _trust_runs(_fingerprint(sorted(TRUST.glob("*/trust.json"))))


def runs_table() -> tuple[pd.DataFrame, list[str]]:
    """(a row a run with its headline numbers, a sentence for each run that cannot be read)."""
    return _runs_table(_fingerprint(_run_files()))


def run(name: str) -> Run:
    """The evaluation run, read once for all sessions until its files change."""
    return _run(name, _fingerprint(_run_files(name)))


def report_of(name: str, without_copies: bool) -> dict[str, Estimate]:
    return _report(name, without_copies, _fingerprint(_run_files(name)))


def resamples_of(name: str, without_copies: bool) -> Resamples:
    """Bootstrap resamples of the run's test cases."""
    return _resamples(name, without_copies, _fingerprint(_run_files(name)))


def baselines_of(name: str) -> dict[str, dict[str, Estimate]]:
    return _baselines(name, _fingerprint(_run_files(name)))


def baseline_tables(name: str) -> dict[str, pd.DataFrame]:
    """Baseline -> the run's test cases with the baseline's probabilities."""
    found = run(name)
    if found.baselines is None:
        return {}
    test = found.test[[column for column in found.test.columns if not column.startswith("p:")]]
    on = ["case", "fold"] if "fold" in test else ["case"]
    return {each: test.merge(rows, on=on) for each, rows in found.baselines.groupby("baseline", sort=False) if each != MAJORITY}


@st.cache_data(max_entries=8, ttl=600, show_spinner="Reading the data set …")
def cases(dataset: str, folder: str) -> list[Case]:
    """The data set's cases under its usual task; read again after ten minutes."""
    return DATASETS[dataset].read(folder)


@st.cache_data(max_entries=512, show_spinner=False)
def thumbnail(path: str, modified: int) -> np.ndarray:
    """Grey, at most 256 pixels a side, of an image of a data set on this machine."""
    return shrunk(read_image(path).grey(), 256)


def _run_files(name: str = "*") -> list[Path]:
    return sorted(path for path in RUNS.glob(f"{name}/*") if path.suffix in (".json", ".parquet", ".csv"))


@st.cache_data(max_entries=2, show_spinner="Reading the evaluation runs …")
def _runs_table(fingerprint: str) -> tuple[pd.DataFrame, list[str]]:
    rows, faults = [], []
    for name in list_runs():
        try:
            found = read_run(name)
            headline = headlines(found)
        except LungcadError as error:
            faults.append(str(error))
            continue
        known = {key: str(found.facts.get(key, "")) for key in ("dataset", "task", "protocol", "network", "attention")}
        rows.append(
            {
                "run": name,
                **known,
                "n": len(found.test),
                **{key: str(value) for key, value in headline.items()},
                "date": found.facts.get("date", ""),
            }
        )
    return pd.DataFrame(rows), faults


@st.cache_resource(max_entries=32, show_spinner=False)
def _run(name: str, fingerprint: str) -> Run:
    return read_run(name)


@st.cache_data(max_entries=64, show_spinner=False)
def _report(name: str, without_copies: bool, fingerprint: str) -> dict[str, Estimate]:
    return report(run(name), without_copies=without_copies)


@st.cache_resource(max_entries=8, show_spinner=False)
def _resamples(name: str, without_copies: bool, fingerprint: str) -> Resamples:
    table = run(name).test
    return Resamples.of((table[~table.copy_of_training] if without_copies else table).group.to_numpy())


@st.cache_data(max_entries=64, show_spinner=False)
def _baselines(name: str, fingerprint: str) -> dict[str, dict[str, Estimate]]:
    return baselines(run(name))


def _fingerprint(paths: list[Path]) -> str:
    stats = [(path.parent.name, path.name, path.stat().st_mtime_ns) for path in paths]
    return hashlib.sha256(repr(stats).encode()).hexdigest()


@st.cache_resource(max_entries=2, show_spinner=False)
def _trust_runs(fingerprint: str) -> list[TrustRun]:
    return read_all()


@st.cache_data(max_entries=2, show_spinner=False)
def _cards(fingerprint: str) -> dict[str, ModelCard]:
    return {card.name: card for card in list_cards()}


@st.cache_resource(max_entries=8, show_spinner="Loading the network …")
def _model(name: str, sha256: str) -> TrainedModel:
    return load_model(name)
