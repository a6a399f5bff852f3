"""A network evaluated on a folder of images: every metric, the curves, and from a number down to its images."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import streamlit as st

from lungcad.app import store, url
from lungcad.app.components.case_grid import case_grid, case_picture
from lungcad.app.components.chart import chart_with_csv
from lungcad.app.components.enlarged import enlarge_button, enlarged_case, full_size, show_answered
from lungcad.app.components.literal import literal
from lungcad.app.components.text import class_label, class_text
from lungcad.app.figures.curves import curve_figure
from lungcad.app.jobs import run_on_server
from lungcad.app.navigation import plain_errors
from lungcad.backends import with_backend
from lungcad.datasets import DATASETS, Split
from lungcad.estimate import percent
from lungcad.evaluate.folder import Evaluation, evaluate_folder
from lungcad.evaluate.metric import Level
from lungcad.evaluate.metric_table import metrics_of
from lungcad.evaluate.scoring import ScoredCases
from lungcad.models import load_model
from lungcad.names import path_of_id
from lungcad.progress import Progress

MOST_CASES = 12
"""Pictures that are drawn."""


def show_evaluation(folder: Path, layout: str, owner: str | None, parts: Mapping[str, Split]) -> None:
    """Evaluates a network on the folder, on demand. owner: whose folder it is, None for a published data set."""
    classes = [task.classes for task in DATASETS[layout].tasks]
    fitting = [name for name, card in store.cards().items() if card.classes in classes]
    if not fitting:
        st.info(f"No shipped network knows the classes of {literal(layout)}.")
        return
    network = url.selectbox("Network", fitting, key="evaluated", default=fitting[0], help="Networks whose classes the folder has.")

    def evaluate(on_progress: Progress) -> tuple[Evaluation, ScoredCases]:
        model = with_backend(load_model(network))  # a copy of its own: what pages share belongs to their sessions' threads
        evaluation = evaluate_folder(model, folder, layout, on_progress, parts=parts)
        return evaluation, ScoredCases(evaluation.as_run(model.card, layout))

    done = run_on_server(
        "evaluation",
        (
            "evaluation",
            owner,
            str(folder),
            layout,
            store.cards()[network].sha256,
            tuple(sorted(parts.items())),
            store.folder_fingerprint(str(folder)),
        ),
        "the evaluation",
        evaluate,
        help="Answers every image of the folder's test part (all, when it has no parts) and compares with the labels.",
    )
    if done is not None:
        _show(*done, folder)


def _show(evaluation: Evaluation, part: ScoredCases, folder: Path) -> None:
    name = part.run.name
    st.dataframe(
        [
            {"metric": metric.name, name: str(part.report[metric.name])}
            for metric in metrics_of(Level.HEADLINE)
            if metric.name in part.report
        ],
        hide_index=True,
        alt="Metrics of the evaluation.",
    )
    st.caption(
        f"{len(part.labels)} images in {part.n_groups} groups, value [95 % bootstrap interval over groups], {evaluation.images_per_second:.0f} images/s."
    )
    for note in evaluation.notes:
        st.caption(literal(note))
    if evaluation.n_seen_in_training:
        st.warning(
            f"{evaluation.n_seen_in_training} of the images belong to the data that {literal(name)} was trained or chosen on, so the metrics are optimistic.",
            icon=":material/info:",
        )
    elif evaluation.n_seen_in_training is None:
        st.caption("The network's own run is missing, so it is not known whether it was trained on these images.")
    for case, why in evaluation.skipped:
        st.caption(literal(f"skipped {case}: {why}"))
    with plain_errors():
        _show_curves(part)
    _show_answers(part, folder)


@st.fragment
@plain_errors()
def _show_curves(part: ScoredCases) -> None:
    label = url.selectbox(
        "Class", part.run.classes, key="class", default=part.first_class, format_func=class_label,
        help="The curves are drawn for this class against the rest.",
    )  # fmt: skip
    kind = url.segments("Curve", ("ROC", "Precision-recall", "Reliability"), key="curve", help="Discrimination, and calibration.")
    figure = curve_figure(kind, [(part.run, part.cases)], label, {})
    chart_with_csv(figure, key="evaluated_curves", alt=f"{kind} of the evaluation for {class_label(label)}.")


@st.fragment
@plain_errors()
def _show_answers(part: ScoredCases, folder: Path) -> None:
    """A number of the confusion matrix chooses its images; at first those answered wrongly, the surest first."""
    classes, table = part.run.classes, part.table
    st.download_button(
        "Answers (CSV)", lambda: table.to_csv(index=False), "lungcad-evaluation.csv", "text/csv", key="answers_csv", on_click="ignore",
        icon=":material/download:", help="Every image with its label, the answer and the probabilities.",
    )  # fmt: skip
    event = st.dataframe(
        pd.DataFrame(part.counts, index=[f"true {class_label(each)}" for each in classes], columns=list(classes)),
        column_config={name: st.column_config.NumberColumn(class_label(name)) for name in classes},
        key="evaluated_cells", on_select="rerun", selection_mode="single-cell", alt="Confusion matrix: rows are true classes, columns the answers.",
    )  # fmt: skip
    st.caption("Rows: the true class; columns: the answer. Click a number to see its images.")
    rows, title = part.labels != part.answers, "answered wrongly"
    if cells := event["selection"]["cells"]:
        truth, column = cells[0]
        answer = classes.index(column)
        rows, title = (
            (part.labels == truth) & (part.answers == answer),
            f"true {class_label(classes[truth])}, predicted {class_label(column)}",
        )
    chosen = table[rows].sort_values("confidence", ascending=False)
    st.markdown(f"**{len(chosen)} images: {literal(title)}**" + (f", the {MOST_CASES} surest:" if len(chosen) > MOST_CASES else ""))
    shown = {row.case: row for row in chosen[:MOST_CASES].itertuples()}
    if (case := enlarged_case("evaluated", shown)) and (image := full_size(path_of_id(folder, case))):
        show_answered(image, part.run.name, shown[case].answer, shown[case].label, key="evaluated")
        st.caption(literal(case))
    for index, (place, row) in enumerate(zip(case_grid(len(shown)), shown.values(), strict=True)):
        with place:
            is_here = case_picture(path_of_id(folder, row.case))
            st.caption(f"true {class_text(row.label)}, predicted {class_text(row.answer)} ({percent(row.confidence)})")
            if is_here:
                enlarge_button("evaluated", index, row.case)
