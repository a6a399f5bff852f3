"""What the Metrics page draws from evaluation runs."""

import numpy as np
import pandas as pd
import streamlit as st

from lungcad.app import resources, run_figures
from lungcad.app.widgets import data_folder, plain
from lungcad.evaluate.metrics import Resamples, accuracy, at_threshold, estimate, predictive_values, resampled_confusion
from lungcad.evaluate.report import operating_points, task_of
from lungcad.evaluate.runs import Run

MOST_SHOWN = 24
"""Cases in the grid."""


def pick_runs() -> list[str]:
    """The table of runs, filters, and the choice, which lives in the link."""
    table, faults = resources.runs_table()
    for fault in faults:
        st.warning(fault, icon=":material/info:")
    if table.empty:
        st.info(
            "There is no evaluation run in `data/runs`. Restore it from the repository, or train a network: `python -m lungcad train weights/NAME.yaml`."
        )
        st.stop()
    left, middle, right = st.columns(3)
    shown = table
    for column, place, label in (("dataset", left, "Data set"), ("protocol", middle, "Protocol"), ("attention", right, "Attention")):
        chosen = place.multiselect(
            label,
            sorted(table[column].unique()),
            key=f"filter_{column}",
            placeholder="all",
            help=f"Show only runs of this {label.lower()}.",
        )
        if chosen:
            shown = shown[shown[column].isin(chosen)]
    st.dataframe(shown, hide_index=True, height=250, alt="The evaluation runs with accuracy and macro F1, each with its interval.")
    names = list(table.run)
    wanted = [name for name in st.query_params.get("runs", "").split(",") if name]
    if "runs" not in st.session_state:
        st.session_state["runs"] = [name for name in wanted if name in names] or [names[0]]
        if unknown := [name for name in wanted if name not in names]:
            st.info(f"The link asks for the unknown run {', '.join(unknown)}; showing {', '.join(st.session_state['runs'])}.")
    chosen = st.multiselect(
        "Runs",
        names,
        key="runs",
        max_selections=6,
        help="The first is looked at in detail, the others are drawn beside it in the curves. The choice is in the link.",
    )
    if chosen:
        st.query_params["runs"] = ",".join(chosen)
    return chosen


def tested(run: Run, *, without_copies: bool) -> pd.DataFrame:
    table = run.test
    return table[~table.copy_of_training].reset_index(drop=True) if without_copies else table


def show_headlines(run: Run, *, without_copies: bool) -> None:
    """Every metric with its interval beside the trivial baselines."""
    found = resources.report_of(run.name, without_copies)
    trivial = resources.baselines_of(run.name)
    headlines = ("accuracy", "balanced accuracy", "macro F1", "ROC-AUC", "PR-AUC", "kappa", "Brier score", "ECE")
    st.dataframe(
        [
            {"metric": name, run.name: str(found[name])} | {f"trivial: {each}": str(values[name]) for each, values in trivial.items()}
            for name in headlines
        ],
        hide_index=True,
        alt="Headline metrics of the run and of trivial baselines.",
    )
    table = tested(run, without_copies=without_copies)
    st.caption(
        f"{len(table)} test cases in {table.group.nunique()} groups ({run.facts.get('grouping', '')}); "
        "value [95 % bootstrap interval over groups]. Trivial baselines answer the same cases without looking at the disease."
    )


def show_per_class(run: Run, *, without_copies: bool) -> None:
    found = resources.report_of(run.name, without_copies)
    metrics = ("sensitivity", "specificity", "PPV", "NPV", "F1", "ROC-AUC", "diagnostic odds ratio")
    st.dataframe(
        [
            {"class": plain(name)} | {metric: str(found[f"{metric} {name}"]) for metric in metrics if f"{metric} {name}" in found}
            for name in run.classes
        ],
        hide_index=True,
        alt="Metrics of each class against the rest.",
    )


def positive_class(run: Run) -> str:
    task = task_of(run)
    others = [name for name in run.classes if task is None or name != task.negative]
    return st.selectbox(
        "Class", run.classes, run.classes.index(others[0]), key=f"class_{run.facts['dataset']}_{len(run.classes)}", format_func=plain,
        help="Curves and operating point are drawn for this class against the rest.",
    )  # fmt: skip


def show_curves(runs: list[Run], label: str, *, without_copies: bool) -> None:
    """ROC, precision-recall, reliability and decision curve, all runs that know the class overlaid."""
    tables = [(run, tested(run, without_copies=without_copies)) for run in runs if label in run.classes]
    baselines = resources.baseline_tables(runs[0].name)
    if without_copies:
        kept = set(tables[0][1].case)
        baselines = {name: table[table.case.isin(kept)] for name, table in baselines.items()}
    kind = st.segmented_control(
        "Curve",
        ["ROC", "Precision-recall", "Reliability", "Decision curve"],
        default="ROC",
        key="curve",
        help="Discrimination, the same for rare classes, calibration, and what acting on the answer is worth.",
    )
    figure = {
        "Precision-recall": lambda: run_figures.precision_recall_figure(tables, label, baselines),
        "Reliability": lambda: run_figures.reliability_figure(tables),
        "Decision curve": lambda: run_figures.decision_figure(tables, label),
    }.get(kind, lambda: run_figures.roc_figure(tables, label, baselines))()
    st.plotly_chart(figure, key="curves", alt=f"{kind or 'ROC'} of {', '.join(run.name for run, _ in tables)} for {plain(label)}.")
    points = pd.concat([pd.DataFrame({"curve": trace.name, "x": trace.x, "y": trace.y}) for trace in figure.data])
    st.download_button(
        "Points (CSV)",
        points.to_csv(index=False),
        f"lungcad-{(kind or 'ROC').lower()}.csv",
        "text/csv",
        on_click="ignore",
        help="What is drawn, as numbers.",
    )


def show_operating_point(run: Run, label: str, *, without_copies: bool) -> None:
    """Sensitivity, specificity, PPV, NPV at a threshold, and what that means for 1,000 people."""
    table = tested(run, without_copies=without_copies)
    task, choices = task_of(run), {}
    if task is not None and task.negative is not None and len(run.classes) == 2 and label != task.negative:
        choices = {point["name"]: point["threshold"] for point in operating_points(run)}
    left, right = st.columns([2, 1])
    for name, value in choices.items():
        right.button(f"{name} ({value:.2f})", key=f"preset_{name}", on_click=lambda value=value: st.session_state.update(threshold_point=round(value, 2)),
                     help="Chosen on the run's validation cases.")  # fmt: skip
    threshold = left.slider(
        "Threshold", 0.0, 1.0, 0.5, 0.01, key="threshold_point", help="From this probability on a case is called positive."
    )
    prevalence = left.slider(
        "Prevalence",
        0.001,
        0.5,
        0.05,
        0.001,
        format="%.3f",
        key="prevalence",
        help="How many of 1,000 people have it. PPV and NPV depend on it.",
    )
    positive, scores = (table.label == label).to_numpy(), table[f"p:{label}"].to_numpy(np.float64)
    rates = {
        name: estimate(each)
        for name, each in at_threshold(positive, scores, threshold, resources.resamples_of(run.name, without_copies)).items()
    }
    sensitivity, specificity = rates["sensitivity"].value, rates["specificity"].value
    if sensitivity is None or specificity is None:
        left.info(f"The run has no test case that is {plain(label)}, or none that is not, so there is no operating point.")
    else:
        ill = 1000 * prevalence
        found, alarms = ill * sensitivity, (1000 - ill) * (1 - specificity)
        columns = left.columns(4)
        for column, name in zip(columns, ("sensitivity", "specificity"), strict=False):
            column.metric(name, f"{rates[name].value:.3f}", help="On the test cases, with its 95 % bootstrap interval over groups.")
            column.caption(f"[{rates[name].low:.3f}, {rates[name].high:.3f}]")
        for column, name, value in zip(
            columns[2:],
            ("PPV", "NPV"),
            predictive_values(sensitivity, specificity, prevalence),
            strict=True,
        ):
            column.metric(
                name,
                "–" if value is None else f"{value:.3f}",
                help="At the prevalence above, by Bayes' theorem from sensitivity and specificity.",
            )
            column.caption(f"at {prevalence:.1%}")
        left.markdown(
            f"Of **1,000 people** of whom **{ill:.0f}** have it: **{found:.0f}** found, **{ill - found:.0f}** missed, **{alarms:.0f}** false alarms."
        )
    right.plotly_chart(
        run_figures.score_histogram(table, label, threshold),
        key="scores",
        alt=f"Histogram of the probability of {plain(label)}, by true class.",
    )


def pick_cell(run: Run, *, without_copies: bool) -> tuple[str, str] | None:
    """The confusion matrix; (true, predicted) of the cell that was clicked."""
    table = tested(run, without_copies=without_copies)
    predicted = run.probabilities(table).argmax(1)
    counts = resampled_confusion(run.labels(table), predicted, len(run.classes), Resamples.none(len(table)))[0].astype(int)
    frame = pd.DataFrame(counts, index=[f"is {plain(name)}" for name in run.classes], columns=[plain(name) for name in run.classes])
    event = st.dataframe(
        frame, key=f"confusion_{run.name}_{without_copies}", on_select="rerun", selection_mode="single-cell",
        alt="Confusion matrix: rows are true classes, columns the network's answers.",
    )  # fmt: skip
    st.caption("Rows: the true class; columns: the answer. Click a number to see its cases below.")
    cells = event["selection"].get("cells", [])
    if not cells:
        return None
    row, column = cells[0]
    return run.classes[row], next(name for name in run.classes if plain(name) == column)


def show_cases(run: Run, cell: tuple[str, str] | None, *, without_copies: bool) -> None:
    """The cases of a cell, or all that were answered wrongly; each opens in Predict."""
    table = tested(run, without_copies=without_copies).copy()
    probabilities = run.probabilities(table)
    table["answer"] = np.array(run.classes)[probabilities.argmax(1)]
    table["confidence"] = probabilities.max(1)
    table["loss"] = -np.log(np.maximum(probabilities[np.arange(len(table)), run.labels(table)], 1e-12))
    chosen = table[(table.label == cell[0]) & (table.answer == cell[1])] if cell else table[table.label != table.answer]
    title = f"is {plain(cell[0])}, called {plain(cell[1])}" if cell else "answered wrongly"
    st.markdown(f"**{len(chosen)} cases: {title}**")
    by = st.segmented_control(
        "Sort by", ["loss", "confidence"], default="loss", key="sort_cases", help="Loss: how surprised the network would be by the truth."
    )
    chosen = chosen.sort_values(by or "loss", ascending=False)
    folder = data_folder(run.facts["dataset"])
    if folder is None:
        st.dataframe(chosen[["case", "label", "answer", "confidence", "loss"]], hide_index=True)
        return
    columns = st.columns(4)
    for index, row in enumerate(chosen.head(MOST_SHOWN).itertuples()):
        with columns[index % 4]:
            path = folder / row.case
            if path.is_file():
                st.image(resources.thumbnail(str(path), path.stat().st_mtime_ns), width="stretch")
            st.caption(f"{plain(row.label)}, called {plain(row.answer)} ({row.confidence:.0%})")
            network = run.facts["network"].removesuffix("-published")
            if path.is_file() and network in resources.cards():
                st.page_link("pages/1_Predict.py", label="Open in Predict", icon=":material/radiology:",
                             query_params={"case": f"{run.facts['dataset']}/{row.case}", "model": network})  # fmt: skip
    if len(chosen) > MOST_SHOWN:
        st.caption(f"The first {MOST_SHOWN} of {len(chosen)} are shown.")


def show_learning(run: Run) -> None:
    if run.history is None or run.history.empty:
        st.info("This run kept no learning curves.")
        return
    history = run.history
    if "fold" in history:
        fold = st.selectbox("Fold", sorted(history.fold.unique()), key="history_fold", help="Which fold's training is drawn.")
        history = history[history.fold == fold]
    st.plotly_chart(run_figures.learning_curves(history), key="learning", alt="Learning curves by epoch.")


def show_folds(run: Run) -> None:
    """Accuracy and macro F1 of each fold of a cross-validation."""
    rows = []
    for fold, table in run.test.groupby("fold"):
        resamples = Resamples.of(table.group.to_numpy())
        counts = resampled_confusion(run.labels(table), run.probabilities(table).argmax(1), len(run.classes), resamples)
        rows.append(
            {
                "fold": fold,
                "n": len(table),
                "groups": table.group.nunique(),
                "accuracy": str(estimate(accuracy(counts))),
            }
        )
    st.dataframe(rows, hide_index=True, alt="Accuracy of each fold.")
