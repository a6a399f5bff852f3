"""What the Datasets page draws: what a data set is, what its images look like, and what its audit found."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from lungcad.app import store, url
from lungcad.app.components.case_grid import case_grid, case_picture
from lungcad.app.components.chart import chart_with_csv
from lungcad.app.components.literal import literal
from lungcad.app.components.text import class_label, class_text
from lungcad.app.datasets.audit import show_audit
from lungcad.app.datasets.own_folder import owner_of, pick_own_folder
from lungcad.app.figures.style import BELOW, COLOURS
from lungcad.app.jobs import run_on_server
from lungcad.datasets import DATASETS, Case, Dataset, Protocol, Split
from lungcad.datasets.audit import Audit, audit
from lungcad.datasets.info import describe
from lungcad.datasets.stored_audits import StoredAudit, audit_as_published
from lungcad.errors import LungcadError

OWN = "own"
SAMPLES = 5
"""Pictures of each class."""


def pick_folder() -> tuple[Dataset | None, Path | None]:
    """A known data set on this machine, or a folder of the reader's own on the server; None for a folder that is not there yet."""
    name = url.selectbox(
        "Data set",
        [*DATASETS, OWN],
        key="dataset",
        default=next(iter(DATASETS)),
        format_func=lambda choice: "a folder of my own" if choice == OWN else f"{DATASETS[choice].title} ({choice})",
        help="A published data set, or images of your own, with a folder for each class.",
    )
    if name != OWN:
        try:
            return DATASETS[name], DATASETS[name].locate()
        except LungcadError:
            _say_not_here(DATASETS[name])
            return DATASETS[name], None
    return None, pick_own_folder()


def _say_not_here(dataset: Dataset) -> None:
    """For who reads the page, and for who runs the server."""
    command = f"python -m lungcad data {'make' if dataset.is_made else 'download'} {dataset.name}"
    st.info(
        f"The images of {dataset.title} are not on the computer that runs lungcad. What was counted and found in them before is shown below, "
        f"where it is stored. To fetch them, run `{command}` there."
    )


def show_about(dataset: Dataset) -> None:
    st.markdown(f"**{dataset.title}**, {dataset.publisher}. Licence: {dataset.licence}.")
    st.caption(dataset.citation)
    st.markdown(f"**Kept together when the data are split:** {dataset.grouping}.")
    st.markdown(f"**Limits.** {dataset.limits}")


def stored_audit_of(dataset: Dataset) -> StoredAudit | None:
    """The audit that the repository holds of the data set; None, and a line that says so, where its file is damaged."""
    try:
        return store.stored_audit(dataset.name)
    except LungcadError as error:
        st.info(literal(error))
        return None


def show_counts(dataset: Dataset, cases: Sequence[Case]) -> None:
    """Cases by class (and published part), and a few pictures of each class."""
    parts = sorted({str(case.split or "all") for case in cases}, key=["train", "valid", "test", "all"].index)
    counts = Counter((str(case.split or "all"), case.label) for case in cases)
    labels = [name for name in dataset.classes if any(case.label == name for case in cases)]
    _draw_counts({part: {name: counts[part, name] for name in labels} for part in parts})
    rng = np.random.default_rng(0)
    for name in labels:
        of_class = [case for case in cases if case.label == name]
        st.markdown(f"**{class_text(name)}**")
        sample = rng.choice(len(of_class), min(SAMPLES, len(of_class)), replace=False)
        for container, index in zip(case_grid(len(sample)), sample, strict=True):
            with container:
                case_picture(of_class[index].path)


def show_stored_counts(stored: StoredAudit) -> None:
    """The same without pictures, for a data set that is not on this machine."""
    _draw_counts({part["split"]: part["by_class"] for part in stored.counts["protocols"][Protocol.PUBLISHED]["parts"]})


def _draw_counts(counts: dict[str, dict[str, int]]) -> None:
    """counts: part -> class -> images."""
    figure = go.Figure(
        [
            go.Bar(name=part, y=[class_label(name) for name in of_part], x=list(of_part.values()), orientation="h", marker_color=colour)
            for (part, of_part), colour in zip(counts.items(), cycle(COLOURS))
        ]
    )
    labels = next(iter(counts.values()))
    figure.update_xaxes(title="images")
    figure.update_yaxes(automargin=True, type="category")
    figure.update_layout(
        barmode="stack",
        height=150 + 40 * len(labels),
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        legend=BELOW | {"traceorder": "normal"},
    )
    listing = "; ".join(
        f"{class_label(name)}: {', '.join(f'{part} {of_part[name]}' for part, of_part in counts.items())}" for name in labels
    )
    chart_with_csv(figure, key="counts", alt=f"Images by class and part. {listing}.")


def show_protocols(dataset: Dataset, folder: Path | None, stored: StoredAudit | None) -> None:
    """Cases, groups and copies by split under each protocol: counted here, or as stored in the repository."""
    counts = None
    if folder is not None:
        counts = run_on_server(
            "protocols",
            ("protocols", str(folder), dataset.name, store.folder_fingerprint(str(folder))),
            "the count by protocol",
            lambda on_progress: describe(dataset, folder, on_progress=on_progress),
            help="Reads every image to find groups and copies, then splits them as the papers did, and without anything on both sides.",
        )
    if counts is None and stored is not None:
        counts = stored.counts
        st.caption(f"As counted on {literal(stored.date)}; comes with lungcad.")
    if counts is None:
        return
    rows = [
        {
            "protocol": name,
            "part": part["split"],
            "images": part["n"],
            "groups": part["groups"],
            "copies of training": part["copies_of_training"],
        }
        | {class_label(label): n for label, n in part["by_class"].items()}
        for name, protocol in counts["protocols"].items()
        for part in protocol["parts"]
    ]
    st.dataframe(rows, hide_index=True, alt="Images, groups and copies by part under each protocol.")
    for name, protocol in counts["protocols"].items():
        st.caption(
            f"**{literal(name)}**: {literal(protocol['split'])}"
            + (f"; {protocol['left_out']} images left out" if protocol["left_out"] else "")
            + "."
        )


def audited(folder: Path, dataset: Dataset | None, parts: Mapping[str, Split]) -> Audit | None:
    """The audit when it has run on this server and the folder has not changed; otherwise its button, or its progress.

    parts: as the reader says.
    """
    name = dataset.name if dataset else None
    return run_on_server(
        "audit",
        ("audit", owner_of(dataset), str(folder), name, tuple(sorted(parts.items())), store.folder_fingerprint(str(folder))),
        "the audit",
        lambda on_progress: (
            audit_as_published(dataset, folder, on_progress=on_progress) if dataset else audit(folder, parts=parts, on_progress=on_progress)
        ),
        help=(
            "Looks for copies, leaks between the parts, conflicting labels, unreadable files, and classes that format or border give away."
        ),
    )


def show_stored_audit(stored: StoredAudit, dataset: Dataset, cases: Sequence[Case] | None, folder: Path | None) -> None:
    """The audit stored in the repository. cases: those in the folder on this machine, None without one."""
    published = stored.counts["protocols"][Protocol.PUBLISHED]
    counted = sum(part["n"] for part in published["parts"]) + published["left_out"] + len(published["unreadable"])
    differs = (
        "" if cases is None or len(cases) == counted else " The folder on this machine holds other images: run the audit to see yours."
    )
    st.caption(f"As found on {literal(stored.date)} in {stored.audit.n_images} images; comes with lungcad.{differs}")
    show_audit(stored.audit, folder, dataset, stored.counts, stored.date)
