"""What the Datasets page draws: what a data set is, what its images look like, and what its audit found."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from lungcad.app import link, resources, runner, widgets
from lungcad.app.run_figures import COLOURS
from lungcad.datasets import DATASETS, Dataset
from lungcad.datasets.audit import Audit, audit
from lungcad.errors import DatasetError, LungcadError
from lungcad.evaluate.folder import Evaluation, evaluate_folder

OWN = "own"
PAIRS = 6
"""Groups of copies that are drawn."""
SAMPLES = 4
"""Pictures of each class."""


def pick_folder() -> tuple[Dataset | None, Path | None]:
    """A known data set on this machine, or a folder of the reader's own on the server; None for a folder that is not there yet."""
    name = link.selectbox(
        "Data set",
        [*DATASETS, OWN],
        key="dataset",
        default=next(iter(DATASETS)),
        format_func=lambda each: "a folder of my own" if each == OWN else f"{DATASETS[each].title} ({each})",
        help="A published data set, or any folder of images on the computer that lungcad runs on, with a folder for each class.",
    )
    if name != OWN:
        try:
            return DATASETS[name], DATASETS[name].locate()
        except LungcadError as error:
            st.info(str(error))
            return DATASETS[name], None
    path = st.text_input(
        "Folder", key="own_folder", placeholder="/path/to/images", help="Nothing in it is changed or copied. It is not kept in the link."
    )
    if not path:
        st.info("Give a folder with one folder for each class, perhaps inside train, valid and test.")
        return None, None
    if not Path(path).is_dir():
        raise DatasetError(f"There is no folder {path!r} on the computer that lungcad runs on; check the path.")
    return None, Path(path)


def show_about(dataset: Dataset) -> None:
    st.markdown(f"**{dataset.title}**, {dataset.publisher}. Licence: {dataset.licence}.")
    st.caption(dataset.citation)
    st.markdown(f"**Never on both sides of a split:** {dataset.grouping}.")
    st.markdown(f"**Limits.** {dataset.limits}")


def show_counts(dataset: Dataset, folder: Path) -> None:
    """Cases by class (and published part), and a few pictures of each class."""
    cases = resources.cases(dataset.name, str(folder))
    parts = sorted({str(case.split or "all") for case in cases}, key=["train", "valid", "test", "all"].index)
    counts = Counter((case.label, str(case.split or "all")) for case in cases)
    labels = [name for name in dataset.classes if any(case.label == name for case in cases)]
    figure = go.Figure(
        [
            go.Bar(
                name=part,
                y=[widgets.plain(name) for name in labels],
                x=[counts[name, part] for name in labels],
                orientation="h",
                marker_color=colour,
            )
            for part, colour in zip(parts, COLOURS, strict=False)
        ]
    )
    figure.update_xaxes(title="images")
    figure.update_layout(
        barmode="stack", height=110 + 45 * len(labels), margin={"l": 8, "r": 8, "t": 8, "b": 8}, legend={"orientation": "h", "y": 1.2}
    )
    listed = "; ".join(f"{widgets.plain(name)}: {', '.join(f'{part} {counts[name, part]}' for part in parts)}" for name in labels)
    st.plotly_chart(figure, key="counts", alt=f"Images by class and part. {listed}.")
    rng = np.random.default_rng(0)
    for name in labels:
        of_class = [case for case in cases if case.label == name]
        st.markdown(f"**{widgets.plain(name)}**")
        columns = st.columns(SAMPLES)
        for column, index in zip(columns, rng.choice(len(of_class), min(SAMPLES, len(of_class)), replace=False), strict=False):
            _picture(column, of_class[index].path)


def audited(folder: Path, layout: str | None) -> Audit | None:
    """The audit when it has run in this session; otherwise its button, or its progress."""
    return runner.on_demand(
        "audit",
        ("audit", str(folder), layout),
        "the audit",
        lambda on_progress: audit(folder, layout, on_progress=on_progress),
        help="Looks for copies, leaks between the parts, conflicting labels, unreadable files, and classes that format or border give away.",
    )


def show_audit(found: Audit, folder: Path) -> None:
    """The findings, with pairs of copies side by side."""
    in_groups = sum(map(len, found.duplicate_groups))
    columns = st.columns(4)
    columns[0].metric("images", found.n_images)
    columns[1].metric(
        "in groups of copies", in_groups, help=f"{len(found.duplicate_groups)} groups, {found.exact_groups} of them equal pixel by pixel."
    )
    columns[2].metric("label conflicts", len(found.label_conflicts), help="One picture under two labels.")
    columns[3].metric("unreadable", len(found.unreadable))
    st.caption(
        f"Copies: perceptual hashes at most {found.max_bits} bits apart whose pixels correlate by {found.min_correlation} or more. {found.seconds:.0f} s."
    )
    if found.leaks:
        st.markdown("**Leaks**: images of a part that are copies of training images")
        st.dataframe(
            [
                {"part": leak.split, "class": widgets.plain(leak.label), "images": leak.n, "share of that class": f"{leak.share:.0%}"}
                for leak in found.leaks
            ],
            hide_index=True,
        )
        st.caption("Of the whole part: " + ", ".join(f"{part} {share:.1%}" for part, share in found.leak_share.items()) + ".")
    elif found.split != "none":
        st.success("No image of another part is a copy of a training image.", icon=":material/check_circle:")
    telltale = found.metadata_only
    if telltale is not None:
        st.markdown(
            f"**Format, size, mode and border alone** tell the classes apart with a balanced accuracy of "
            f"{telltale.balanced_accuracy:.2f} (chance {telltale.chance:.2f})."
        )
        if telltale.suspicious:
            st.warning(
                f"{', '.join(widgets.plain(name) for name in telltale.suspicious)} can be recognised by the file, not the disease: a network may learn that.",
                icon=":material/info:",
            )
    if found.neighbours:
        st.markdown(f"**{len(found.neighbours)} pairs of neighbouring slices** stand on two sides of the split.")
    _show_groups("Label conflicts", [conflict.cases for conflict in found.label_conflicts], folder)
    _show_groups("Copies", found.duplicate_groups, folder)
    if found.unreadable:
        st.markdown("**Unreadable**")
        st.dataframe(pd.DataFrame(found.unreadable, columns=["file", "why"]), hide_index=True)
    st.download_button(
        "Audit (JSON)",
        lambda: json.dumps(found.to_dict(), indent=2),
        "lungcad-audit.json",
        "application/json",
        on_click="ignore",
        help="Everything the audit found.",
    )


def _show_groups(title: str, groups: list[list[str]], folder: Path) -> None:
    if not groups:
        return
    with st.expander(f"{title}: {len(groups)} groups", expanded=title == "Label conflicts"):
        for group in groups[:PAIRS]:
            columns = st.columns(4)
            for column, case in zip(columns, group, strict=False):
                _picture(column, folder / case)
                column.caption(case)
            if len(group) > 4:
                st.caption(f"and {len(group) - 4} more")
        if len(groups) > PAIRS:
            st.caption(f"The first {PAIRS} groups are drawn; the JSON has all.")


def show_evaluation(folder: Path, layout: str) -> None:
    """Evaluates a network on the folder, on demand."""
    classes = [task.classes for task in DATASETS[layout].tasks]
    fitting = [name for name, card in resources.cards().items() if card.classes in classes]
    if not fitting:
        st.info(f"No shipped network knows the classes of {layout}.")
        return
    network = st.selectbox("Network", fitting, key="evaluated", help="Networks whose classes the folder has.")
    found: Evaluation | None = runner.on_demand(
        "evaluation",
        ("evaluation", str(folder), layout, resources.cards()[network].sha256),
        "the evaluation",
        lambda on_progress: evaluate_folder(resources.model(network), folder, layout, on_progress),
        help="Answers every image of the folder's test part (all, when it has no parts) and compares with the labels.",
    )
    if found is None:
        return
    result = found.result
    st.dataframe(
        [
            {"metric": name, network: str(value)}
            for name, value in (("accuracy", result.accuracy), ("macro F1", result.macro_f1), ("ROC-AUC", result.auc))
        ],
        hide_index=True,
    )
    st.caption(f"{result.n} images, value [95 % bootstrap interval over groups], {found.images_per_second:.0f} images/s.")
    if found.seen:
        st.warning(
            f"{found.seen} of the images belong to the data that {network} was trained or chosen on, so these numbers are too good.",
            icon=":material/info:",
        )
    elif found.seen is None:
        st.caption("The network's own run is missing, so it is not known whether it was trained on these images.")
    for case, why in found.skipped:
        st.caption(f"skipped {case}: {why}")


def _picture(column, path: Path) -> None:
    try:
        column.image(resources.thumbnail(str(path), path.stat().st_mtime_ns), width="stretch")
    except (LungcadError, OSError) as error:
        column.caption(f"cannot be shown: {error}")
