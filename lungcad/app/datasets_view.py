"""What the Datasets page draws: what a data set is, what its images look like, and what its audit found."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from lungcad.app import jobs, link, resources, widgets
from lungcad.app.run_figures import COLOURS, GREY
from lungcad.datasets import DATASETS, Dataset
from lungcad.datasets.audit import Audit, audit
from lungcad.datasets.info import describe
from lungcad.errors import DatasetError, LungcadError
from lungcad.evaluate.folder import Evaluation, evaluate_folder

OWN = "own"
MOST_KINDS = 8
"""Kinds of files that are drawn one by one."""
PAIRS = 6
"""Groups of copies that are drawn."""
WRONG = 8
"""Wrong answers that are drawn."""
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
    widgets.chart(figure, key="counts", alt=f"Images by class and part. {listed}.")
    rng = np.random.default_rng(0)
    for name in labels:
        of_class = [case for case in cases if case.label == name]
        st.markdown(f"**{widgets.plain(name)}**")
        columns = st.columns(SAMPLES)
        for column, index in zip(columns, rng.choice(len(of_class), min(SAMPLES, len(of_class)), replace=False), strict=False):
            _picture(column, of_class[index].path)


def show_protocols(dataset: Dataset, folder: Path) -> None:
    """Cases, groups and copies by split under each protocol."""
    found = jobs.background(
        "protocols",
        ("protocols", str(folder), dataset.name, resources.state_of(str(folder))),
        "the count by protocol",
        lambda on_progress: describe(dataset, folder, on_progress=on_progress),
        help="Reads every image to find groups and copies, then splits them as the papers did, and without anything on both sides.",
    )
    if found is None:
        return
    rows = [
        {
            "protocol": name,
            "part": part["split"],
            "images": part["n"],
            "groups": part["groups"],
            "copies of training": part["copies_of_training"],
        }
        | {widgets.plain(label): n for label, n in part["by_class"].items()}
        for name, protocol in found["protocols"].items()
        for part in protocol["parts"]
    ]
    st.dataframe(rows, hide_index=True, alt="Images, groups and copies by part under each protocol.")
    for name, protocol in found["protocols"].items():
        st.caption(f"**{name}**: {protocol['split']}" + (f"; {protocol['left_out']} images left out" if protocol["left_out"] else "") + ".")


def audited(folder: Path, layout: str | None) -> Audit | None:
    """The audit when it has run on this server and the folder has not changed; otherwise its button, or its progress."""
    return jobs.background(
        "audit",
        ("audit", str(folder), layout, resources.state_of(str(folder))),
        "the audit",
        lambda on_progress: audit(folder, layout, on_progress=on_progress),
        help="Looks for copies, leaks between the parts, conflicting labels, unreadable files, and classes that format or border give away.",
    )


def _show_files(found: Audit) -> None:
    """Size, mode, format and grey levels by class: what a network could recognise without looking at the disease."""
    sizes = Counter()
    for kind in found.files:
        sizes[f"{kind.format} {kind.mode}, {kind.columns}×{kind.rows}", kind.label] += kind.n
    totals = Counter()
    for (kind, _), n in sizes.items():
        totals[kind] += n
    kinds = [kind for kind, _ in totals.most_common(MOST_KINDS)]
    labels = list(found.intensity)
    bars = go.Figure()
    lines = go.Figure()
    for label, colour in zip(labels, COLOURS * 3, strict=False):
        counts = [sizes[kind, label] for kind in kinds] + [
            sum(n for (kind, each), n in sizes.items() if each == label and kind not in kinds)
        ]
        bars.add_trace(go.Bar(y=[*kinds, "other"], x=counts, name=widgets.plain(label), orientation="h", marker_color=colour))
        shares = found.intensity[label]
        levels = (np.arange(len(shares)) + 0.5) / len(shares)
        lines.add_trace(go.Scatter(x=levels, y=shares, name=widgets.plain(label), mode="lines", line={"color": colour}))
    bars.update_xaxes(title="images")
    bars.update_yaxes(automargin=True, autorange="reversed")
    lines.update_xaxes(title="grey level, 0 black to 1 white")
    lines.update_yaxes(title="share of the pixels", type="log")
    layout = {"margin": {"l": 8, "r": 8, "t": 8, "b": 8}, "legend": {"orientation": "h", "y": -0.25}}
    bars.update_layout(barmode="stack", height=140 + 28 * len(kinds), **layout)
    lines.update_layout(height=320, **layout)
    left, right = st.columns(2)
    with left:
        st.markdown("**Format, mode and size**")
        widgets.chart(bars, key="files", alt="Images by file format, mode and size, coloured by class.")
        if len(totals) > MOST_KINDS:
            st.caption(f"The {MOST_KINDS} most frequent of {len(totals)} kinds; the JSON has all.")
    with right:
        st.markdown("**Grey levels**")
        widgets.chart(lines, key="intensity", alt="Mean share of pixels at each grey level, for each class.")


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
        _show_shares(
            {part: {leak.label: leak.share for leak in found.leaks if leak.split == part} for part in found.leak_share},
            "share that copies training images", "leaks", None,
        )  # fmt: skip
        st.caption("Of the whole part: " + ", ".join(f"{part} {share:.1%}" for part, share in found.leak_share.items()) + ".")
    elif found.split != "none":
        st.success("No image of another part is a copy of a training image.", icon=":material/check_circle:")
    telltale = found.metadata_only
    if telltale is not None:
        st.markdown(
            f"**Format, size, mode and border alone** tell the classes apart with a balanced accuracy of "
            f"{telltale.balanced_accuracy:.2f} (chance {telltale.chance:.2f})."
        )
        _show_shares({"recall from the file alone": telltale.recall}, "recall", "telltale", telltale.chance)
        if telltale.suspicious:
            st.warning(
                f"{', '.join(widgets.plain(name) for name in telltale.suspicious)} can be recognised by the file, not the disease: a network may learn that.",
                icon=":material/info:",
            )
    if found.neighbours:
        st.markdown(f"**{len(found.neighbours)} pairs of neighbouring slices** stand on two sides of the split.")
    _show_files(found)
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


def _show_shares(series: dict[str, dict[str, float]], title: str, key: str, chance: float | None) -> None:
    """Bars by class, one colour a series; a dashed line at chance."""
    figure = go.Figure()
    for (name, shares), colour in zip(series.items(), COLOURS, strict=False):
        figure.add_trace(
            go.Bar(x=list(shares.values()), y=[widgets.plain(label) for label in shares], name=name, orientation="h", marker_color=colour)
        )
    if chance is not None:
        figure.add_vline(x=chance, line={"color": GREY, "dash": "dash"}, annotation_text="chance")
    labels = max(len(shares) for shares in series.values())
    figure.update_xaxes(title=title, range=[0, 1], tickformat=".0%")
    figure.update_yaxes(automargin=True)
    figure.update_layout(
        height=130 + 30 * labels, margin={"l": 8, "r": 8, "t": 24, "b": 8}, legend={"orientation": "h", "y": -0.5}, showlegend=True
    )
    listed = "; ".join(
        f"{name}: " + ", ".join(f"{label} {share:.0%}" for label, share in shares.items()) for name, shares in series.items()
    )
    widgets.chart(figure, key=key, alt=f"{title} by class. {listed}.")


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
    network = link.selectbox("Network", fitting, key="evaluated", default=fitting[0], help="Networks whose classes the folder has.")
    model = resources.model(network)
    found: Evaluation | None = jobs.background(
        "evaluation",
        ("evaluation", str(folder), layout, model.card.sha256, resources.state_of(str(folder))),
        "the evaluation",
        lambda on_progress: evaluate_folder(model, folder, layout, on_progress),
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
    _show_answers(found, model.card.classes)


def _show_answers(found: Evaluation, classes: tuple[str, ...]) -> None:
    """The wrong answers, the surest first, and all of them as a file."""
    table = pd.DataFrame({"case": [case.id for case in found.cases], "label": [case.label for case in found.cases]})
    table["answer"] = np.array(classes)[found.probabilities.argmax(1)]
    for column, name in enumerate(classes):
        table[f"p:{name}"] = found.probabilities[:, column]
    st.download_button(
        "Answers (CSV)", lambda: table.to_csv(index=False), "lungcad-evaluation.csv", "text/csv", key="answers_csv", on_click="ignore",
        icon=":material/download:", help="Every image with its label, the answer and the probabilities.",
    )  # fmt: skip
    wrong = np.flatnonzero(table.label != table.answer)
    wrong = wrong[np.argsort(-found.probabilities.max(1)[wrong])]
    st.markdown(f"**{len(wrong)} answered wrongly**" + (f", the {WRONG} surest:" if len(wrong) > WRONG else ""))
    for place, row in zip(widgets.grid(len(wrong[:WRONG])), wrong[:WRONG], strict=True):
        with place:
            _picture(st, found.cases[row].path)
            said = f"{widgets.plain(table.label[row])}, called {widgets.plain(table.answer[row])} ({found.probabilities[row].max():.0%})"
            st.caption(said)


def _picture(column, path: Path) -> None:
    try:
        column.image(resources.thumbnail(str(path), path.stat().st_mtime_ns), width="stretch")
    except (LungcadError, OSError) as error:
        column.caption(f"cannot be shown: {error}")
