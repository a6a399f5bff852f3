"""What all sessions share: networks, cards, trust runs, and what folders of data hold. Nothing a user uploaded is kept here."""

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from lungcad.app.cards import cards as cards
from lungcad.app.cards import fingerprint, shipped_cards, size_and_time
from lungcad.app.own_networks import own_networks
from lungcad.backends import AUTO, with_backend
from lungcad.datasets import DATASETS, Case
from lungcad.datasets.folders import LabelledFolder
from lungcad.datasets.layouts import read_folder
from lungcad.datasets.listing import list_images
from lungcad.errors import LungcadError
from lungcad.evaluate.stores.inside_marks import FILE as INSIDE_MARKS
from lungcad.evaluate.stores.inside_marks import read_marks
from lungcad.evaluate.stores.trust_runs import TrustRun, read_trust_runs
from lungcad.evaluate.stores.truth import read_truth
from lungcad.models import TrainedModel, load_model
from lungcad.models.partner import partner_of
from lungcad.paths import AUDITS, LAB, TRUST, TRUTH

if TYPE_CHECKING:
    from lungcad.datasets.stored_audits import StoredAudit

BACKEND = "backend"
"""In the session: the runtime that it asks for."""


def model(name: str) -> TrainedModel:
    """A network, loaded once for all sessions, or the session's own. It carries no hooks and is never written to, so threads share it freely."""
    own = own_networks().get(name)
    chosen = chosen_backend()
    if own is not None:
        return own if chosen == AUTO else with_backend(own, chosen)
    sha256 = cards()[name].sha256
    return _model(name, sha256) if chosen == AUTO else _model_through(name, sha256, chosen)


def chosen_backend() -> str:
    """The runtime that this session asks for (:mod:`lungcad.backends`)."""
    return str(st.session_state.get(BACKEND, AUTO)) if get_script_run_ctx(suppress_warning=True) is not None else AUTO


def partner(name: str) -> TrainedModel | None:
    """The shipped network that differs from this shipped one in attention only. A session's own network is nobody's: it was trained otherwise, and
    results of examples, which every session sees, would name it.
    """
    shipped = shipped_cards()
    card = partner_of(shipped[name], shipped.values()) if name in shipped else None
    return model(card.name) if card else None


def trust_runs() -> list[TrustRun]:
    """The trust runs in ``data/trust``, read once for all sessions until a file changes."""
    return _trust_runs(trust_fingerprint())[0]


def trust_faults() -> list[str]:
    """A sentence for each trust run that cannot be read."""
    return _trust_runs(trust_fingerprint())[1]


def trust_fingerprint() -> str:
    """Changes with the files of the trust runs."""
    return fingerprint(sorted(TRUST.glob("*/*")))


def truth() -> dict[str, Any] | None:
    """How the trust checks fared on networks of known truth, read once for all sessions until the file changes; None where it cannot be read."""
    return _truth(fingerprint(sorted(TRUTH.glob("*.json"))))


def inside_marks() -> dict[str, Any] | None:
    """What the checks of an answer make of marks inside the body, likewise."""
    return _inside_marks(fingerprint(sorted(LAB.glob(INSIDE_MARKS))))


@st.cache_data(max_entries=8, ttl=600, show_spinner="Reading the data set …")
def cases(dataset: str, folder: str) -> list[Case]:
    """The data set's cases under its usual task; read again after ten minutes."""
    return DATASETS[dataset].read(folder)


def stored_audit(dataset: str) -> "StoredAudit | None":
    """What the repository keeps of the data set: :func:`~lungcad.datasets.stored_audits.read_stored_audit`."""
    return _stored_audit(dataset, fingerprint(sorted(AUDITS.glob(f"{dataset}.json"))))


@st.cache_data(max_entries=8, ttl=30, show_spinner="Looking at the folder …")
def folder_fingerprint(folder: str) -> str:
    """Changes when a file below the folder comes, goes or is written; looked at again after half a minute."""
    stats: list[tuple[object, ...]] = []
    for parent, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            stats.append((parent, name, *size_and_time(Path(parent, name), follow=False)))  # a dangling link is no fault
    stats += [(name, *size_and_time(Path(folder, name), follow=True)) for name in list_images(folder).files]  # those behind links too
    return hashlib.sha256(repr(stats).encode()).hexdigest()


def labelled_folder(folder: str, fingerprint: str) -> LabelledFolder:
    """How a folder of the reader's own reads: :func:`~lungcad.datasets.layouts.read_folder`."""
    return _labelled_folder(folder, fingerprint)


@st.cache_resource(max_entries=4, show_spinner="Looking at the folder …")
def _labelled_folder(folder: str, fingerprint: str) -> LabelledFolder:
    return read_folder(folder)


@st.cache_resource(max_entries=8, show_spinner=False)
def _stored_audit(dataset: str, fingerprint: str) -> "StoredAudit | None":
    from lungcad.datasets.stored_audits import read_stored_audit  # scikit-learn comes with it, which the other pages do not wait for

    return read_stored_audit(DATASETS[dataset])


@st.cache_resource(max_entries=2, show_spinner=False)
def _trust_runs(fingerprint: str) -> tuple[list[TrustRun], list[str]]:
    faults: list[str] = []
    return read_trust_runs(on_fault=faults.append), faults


@st.cache_resource(max_entries=2, show_spinner=False)
def _truth(fingerprint: str) -> dict[str, Any] | None:
    try:
        return read_truth()
    except LungcadError:  # the checks do without their record
        return None


@st.cache_resource(max_entries=2, show_spinner=False)
def _inside_marks(fingerprint: str) -> dict[str, Any] | None:
    try:
        return read_marks()
    except LungcadError:
        return None


@st.cache_resource(max_entries=8, show_spinner=False)
def _model(name: str, sha256: str) -> TrainedModel:
    return with_backend(load_model(name))


@st.cache_resource(max_entries=8, show_spinner="Preparing the network for this runtime, some seconds once …")
def _model_through(name: str, sha256: str, backend: str) -> TrainedModel:
    return with_backend(load_model(name), backend)
