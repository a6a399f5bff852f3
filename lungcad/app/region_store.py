"""What all sessions share of the runs with regions taken away."""

import streamlit as st

from lungcad.app import run_store
from lungcad.app.cards import fingerprint
from lungcad.datasets import DATASETS
from lungcad.evaluate.stores.known_without import KnownWithout, read_known
from lungcad.evaluate.stores.mended import Mended, read_mended
from lungcad.evaluate.stores.region_runs import RegionRun, list_region_runs, read_region_run
from lungcad.evaluate.stores.trained_without import trained_without as stored_trained
from lungcad.paths import REGION_RUNS


def region_run_of(name: str) -> RegionRun | None:
    """The regions run made with the same weights over the same data set as this evaluation run; None where there is none. Raises
    :class:`LungcadError` where it cannot be read.
    """
    facts = run_store.run(name).facts
    wanted = f"{facts['network']}--{facts['dataset']}" if facts.get("network") else ""
    if wanted not in list_region_runs():
        return None
    region_run = _region_run(wanted, fingerprint(sorted((REGION_RUNS / wanted).iterdir())))
    return region_run if region_run.facts.get("weights_sha256") == facts.get("weights_sha256") else None


def known_without(dataset: str) -> KnownWithout | None:
    """What a small head knows of a data set without the lungs; None where it was not measured. Raises :class:`LungcadError` where its file is damaged."""
    if dataset not in DATASETS:  # a run names it: no path of a stranger's is looked up
        return None
    folder = REGION_RUNS / "without" / dataset
    return _known(dataset, fingerprint(sorted(folder.iterdir()))) if folder.is_dir() else None


def mended(dataset: str) -> Mended | None:
    """Recipes compared on where they look; None where they were not. Raises :class:`LungcadError` where the file is damaged."""
    if dataset not in DATASETS:
        return None
    folder = REGION_RUNS / "mended" / dataset
    return _mended(dataset, fingerprint(sorted(folder.iterdir()))) if folder.is_dir() else None


def trained_without(dataset: str) -> list[KnownWithout]:
    """Whole recipes trained on what is left of the slices. Raises :class:`LungcadError` where a file is damaged."""
    folder = REGION_RUNS / "trained"
    return _trained(dataset, fingerprint(sorted(folder.glob("*/*")))) if dataset in DATASETS else []


@st.cache_resource(max_entries=16, show_spinner=False)
def _region_run(name: str, fingerprint: str) -> RegionRun:
    return read_region_run(name)


@st.cache_resource(max_entries=8, show_spinner=False)
def _known(dataset: str, fingerprint: str) -> KnownWithout | None:
    return read_known(dataset)


@st.cache_resource(max_entries=8, show_spinner=False)
def _mended(dataset: str, fingerprint: str) -> Mended | None:
    return read_mended(dataset)


@st.cache_resource(max_entries=8, show_spinner=False)
def _trained(dataset: str, fingerprint: str) -> list[KnownWithout]:
    return stored_trained(dataset)
