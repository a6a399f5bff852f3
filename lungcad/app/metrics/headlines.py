"""A run's metrics with their intervals, beside trivial baselines, and by class."""

import streamlit as st

from lungcad.app import region_store, run_store, url
from lungcad.app.components.layout import markdown_table
from lungcad.app.components.literal import literal
from lungcad.app.components.report import offer_report
from lungcad.app.components.text import class_label
from lungcad.app.navigation import plain_errors
from lungcad.evaluate.metric import Level
from lungcad.evaluate.metric_table import metrics_by_class, metrics_of
from lungcad.evaluate.stores.runs import Run
from lungcad.publish.region_tables import no_lung_seen
from lungcad.report.document import Document


def show_headlines(run: Run, *, without_copies: bool) -> None:
    """Every metric with its interval beside the trivial baselines."""
    estimates = run_store.report_of(run.name, without_copies)
    trivial = run_store.baselines_of(run.name, without_copies)
    known = None
    with plain_errors():
        known = region_store.known_without(run.facts["dataset"])
    unseen = no_lung_seen(known, run.classes)
    metrics = [metric for metric in metrics_of(Level.HEADLINE) if metric.name in estimates]
    markdown_table(  # on a phone too its columns are all there
        {
            metric.name: {literal(run.name): estimates[metric.name]}
            | {f"trivial: {each}": values[metric.name] for each, values in trivial.items()}
            | ({"trivial: no lung seen": unseen.get(metric.name, "–")} if unseen else {})
            | {"better": "higher" if metric.higher_is_better else "lower"}
            for metric in metrics
        }
    )
    part = run_store.scored_run(run.name, without_copies)
    st.caption(
        f"{len(part.labels)} test cases in {part.n_groups} groups; "
        "value [95 % bootstrap interval over groups]. Trivial baselines answer the same cases without looking at the disease."
        + (
            " “No lung seen”: a small head trained and tested on this set’s slices without the lungs, on a split of its own (Datasets page)."
            if unseen
            else ""
        ),
        help=f"A group: {literal(run.facts.get('grouping', 'what belongs to one patient'))}.",
    )
    with st.expander("What each metric means"):
        st.markdown("\n".join(f"- **{metric.name}**: {metric.what}" for metric in metrics))
    offer_report(
        lambda: _document(run),
        f"lungcad-run-{run.name}",
        key="run",
        what="One page about this run: metrics beside trivial baselines, curves, errors, split, seeds, hashes, and the commands that repeat it.",
    )


def _document(run: Run) -> Document:
    from lungcad.report.run import run_document  # the page does not wait for it

    return run_document(run)


def show_per_class(run: Run, *, without_copies: bool) -> None:
    estimates = run_store.report_of(run.name, without_copies)
    metrics = [metric.name for metric in metrics_by_class()]
    st.dataframe(
        [
            {"class": class_label(name)}
            | {metric: str(estimates[f"{metric} {name}"]) for metric in metrics if f"{metric} {name}" in estimates}
            for name in run.classes
        ],
        hide_index=True,
        alt="Metrics of each class against the rest.",
    )


def positive_class(run: Run, *, without_copies: bool) -> str:
    first = run_store.scored_run(run.name, without_copies).first_class
    return url.selectbox(
        "Class", run.classes, key="class", default=first, format_func=class_label,
        help="Curves and operating point are drawn for this class against the rest.",
    )  # fmt: skip
