"""Blind reading: the reader answers before and after seeing the networks' maps, and sees at the end how the answers changed."""

from pathlib import Path

import numpy as np
import streamlit as st

from lungcad.app import run_store, session, store, url, viewer
from lungcad.app.compare.image import pane_of
from lungcad.app.components.case_grid import data_folder
from lungcad.app.components.literal import literal
from lungcad.app.components.text import class_label, class_text
from lungcad.app.navigation import plain_errors
from lungcad.datasets import DATASETS
from lungcad.estimate import percent
from lungcad.evaluate.reader_study import Reading, scores, to_table
from lungcad.explain import METHODS
from lungcad.imaging import read_image

METHOD = "gradcam"


def show_blind_reading(networks: list[str]) -> None:
    cards = [store.cards()[name] for name in networks]
    if len({(card.dataset, card.classes) for card in cards}) > 1:
        st.info("Choose networks of one data set with the same classes, so that all answer the same question.")
        return
    card = cards[0]
    folder = data_folder(card.dataset)
    cases = run_store.test_cases_of(card.name)
    if folder is None or not cases:
        st.info("Blind reading needs the data set on this computer, for the pictures, and the network's evaluation run, for their labels.")
        return
    n = int(
        url.segments("Cases", ("10", "20", "50", "100"), key="blind_n", help="Drawn at random from the test cases, always the same ones.")
    )
    drawn_cases = [cases[i] for i in np.random.default_rng(0).permutation(len(cases))[:n]]
    _read(drawn_cases, folder, networks)


@st.fragment
@plain_errors()
def _read(cases: list[str], folder: Path, networks: list[str]) -> None:
    card = store.cards()[networks[0]]
    labels = run_store.run(Path(card.run or "").name).test.set_index("case").label
    readings_by_study = st.session_state.setdefault("readings", {})
    readings: list[Reading] = readings_by_study.setdefault((tuple(networks), len(cases)), [])
    last = readings[-1] if readings else None
    if last and last.after is not None:
        verdict = "right" if last.after == last.label else "wrong"
        st.caption(
            f"The last case was **{class_text(last.label)}**: you said {class_text(last.before)}, then {class_text(last.after)}, which is {verdict}."
        )
    waiting = last is not None and last.after is None
    position = len(readings) - waiting
    st.progress(position / len(cases), text=f"{position} of {len(cases)} cases read")
    if position < len(cases):
        _ask(cases[position], folder, networks, readings, str(labels[cases[position]]), waiting)
    _results(readings, networks)


def _ask(case: str, folder: Path, networks: list[str], readings: list[Reading], label: str, waiting: bool) -> None:
    image = read_image(folder / case)
    results = {name: session.result(image, name, METHOD, None) for name in networks}
    answers = {name: None if result.is_hidden else result.prediction.label for name, result in results.items()}
    panes = [viewer.Pane(image, title="the case")]
    if waiting:
        panes += [
            pane_of(result, METHOD, title=name if result.is_hidden else f"{name}: {class_label(result.prediction.label)}")
            for name, result in results.items()
        ]
    viewer.show(panes, key="blind", height=480, name="lungcad-blind-reading")
    if waiting:
        st.caption(
            f"{METHODS[METHOD].title}, on one scale. "
            + "; ".join(
                f"{literal(name)} declines this image and gives no answer ({literal(result.gate.reason)})"
                if result.is_hidden
                else f"{literal(name)} answers {class_text(result.prediction.label)} ({percent(result.prediction.confidence)})"
                for name, result in results.items()
            )
            + "."
        )
    st.markdown("**And now, having seen the maps?**" if waiting else "**What is it?** The networks' answers and maps come after yours.")

    def answer(label_given: str) -> None:
        if waiting:
            first = readings.pop()
            readings.append(Reading(case, label, first.before, label_given, answers))
        else:
            readings.append(Reading(case, label, label_given, None, answers))

    classes = store.cards()[networks[0]].classes
    for number, (column, name) in enumerate(zip(st.columns(len(classes)), classes, strict=True), 1):
        column.button(
            class_text(name),
            key=f"answer_{number}",
            shortcut=str(number),
            on_click=answer,
            args=(name,),
            width="stretch",
            help=f"Or press {number}.",
        )


def _results(readings: list[Reading], networks: list[str]) -> None:
    complete = [reading for reading in readings if reading.after is not None]
    if not complete:
        return
    card = store.cards()[networks[0]]
    task = DATASETS[card.dataset].task_with(card.classes)
    table = scores(complete, card.classes, task.negative if task else None)
    st.dataframe(
        table.round(3),
        hide_index=True,
        column_config={name: st.column_config.NumberColumn(format="%.3f") for name in table.columns[2:]},
        alt="Accuracy, sensitivity, specificity and agreement: yours before and after the maps, and the networks' on the same cases.",
    )
    if task and task.negative:
        negatives = sum(reading.label == task.negative for reading in complete)
        if not negatives or negatives == len(complete):
            missing, lacking = ("specificity", task.negative) if not negatives else ("sensitivity", f"not {task.negative}")
            st.caption(f"There is no {missing}: none of the {len(complete)} cases read so far is {class_text(lacking)}.")
    if declined := {name: n for name in networks if (n := sum(reading.networks[name] is None for reading in complete))}:
        listing = ", ".join(f"{literal(name)} {n} of {len(complete)} cases" for name, n in declined.items())
        st.caption(f"Declined, and left out of what regards that network: {listing}.")
    st.caption(
        f"Positive: every class but {class_text(task.negative)}. Kappa: agreement beyond chance. With few cases all of this is uncertain."
        if task and task.negative
        else "Kappa: agreement beyond chance. These classes have no negative one, so there is no sensitivity."
    )
    left, right = st.columns(2)
    left.download_button(
        "Readings (CSV)",
        lambda: to_table(complete).to_csv(index=False),
        "lungcad-readings.csv",
        "text/csv",
        key="readings_csv",
        on_click="ignore",
        help="A row a case: truth, your answers, the networks' answers. Kept in this session only.",
    )
    right.button("Start over", key="blind_restart", on_click=readings.clear, help="Forgets your answers.")
