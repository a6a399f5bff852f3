"""Whether a concept network rates as readers do, and what more readers do to the AUC."""

from typing import Any

import streamlit as st

from lungcad.app.cards import fingerprint
from lungcad.app.components.chart import chart_with_csv
from lungcad.app.figures.runs import forest
from lungcad.datasets.concepts import CONCEPTS
from lungcad.estimate import Estimate
from lungcad.evaluate.stores.concepts import read_concepts
from lungcad.evaluate.stores.runs import Run
from lungcad.explain.concept_vectors import read_tcav
from lungcad.paths import CONCEPTS as FOLDER
from lungcad.publish.concept_tables import as_close, closeness_table, gains_table, readers_table
from lungcad.publish.tcav_tables import range_of, tcav_table, tcav_words


def concepts_of(run: Run) -> dict[str, Any] | None:
    """What was measured of the run's network, with the very weights; None where nothing was. Raises :class:`LungcadError` for a damaged file."""
    measured = _measured(fingerprint(sorted(FOLDER.glob("*.json"))))
    return next((facts for facts in measured if facts["weights_sha256"] == run.facts.get("weights_sha256")), None)


@st.cache_resource(max_entries=2, show_spinner=False)
def _measured(fingerprint: str) -> list[dict[str, Any]]:
    return read_concepts()


def tcav_of(run: Run) -> dict[str, Any] | None:
    """What was measured of the run's ordinary network; None where nothing was. Raises :class:`LungcadError` for a damaged file."""
    return next((facts for facts in read_tcav() if facts["weights_sha256"] == run.facts.get("weights_sha256")), None)


def _show_tcav(run: Run) -> None:
    facts = tcav_of(run)
    if facts is None:
        st.info("The concepts of this run's network were not measured: `python -m lungcad tcav` does it for nodule networks.")
        return
    st.subheader("Does the answer depend on the readers' concepts?", anchor=False)
    rows = [
        (
            CONCEPTS[row["concept"]].title,
            "beats random" if row["beats_control"] else "no better than random",
            range_of(row),
            not row["beats_control"],
        )
        for row in facts["concepts"]
    ]
    chart_with_csv(
        forest(
            rows,
            f"share of {facts['classes'][1]} test nodules whose answer rises towards the concept",
            range_of(facts["control"]),
            overall_name="random concepts",
        ),
        key="tcav",
        alt="TCAV score of each concept beside that of random concepts; the table below has the numbers.",
    )
    st.caption("Bars: range of 95 % of the repeats. Dashed: mean of the random concepts. Hollow: does not beat its random control.")
    st.markdown(tcav_table(facts))
    st.caption(tcav_words(facts))


def show_concepts(run: Run) -> None:
    """Of a concept network closeness to the readers, then AUC by the number of readers; of another one whether it depends on their concepts."""
    facts = concepts_of(run)
    if facts is None:
        _show_tcav(run)
        return
    st.subheader("Does it rate as readers do?", anchor=False)
    rows = [
        (CONCEPTS[row["concept"]].title, who, Estimate(**row[key]), False)
        for row in facts["closeness"]
        for who, key in (("network", "network"), ("a reader", "reader"))
    ]
    chart_with_csv(
        forest(rows, "rank correlation with the mean of the other readers", Estimate(value=None, low=None, high=None)),
        key="closeness",
        alt="Rank correlation of network and of single readers with the mean of the other readers; the table below has the numbers.",
    )
    st.caption(
        f"On {len(as_close(facts))} of {len(facts['closeness'])} concepts the network is as close to the readers as a reader is to the others. "
        "Test nodules with at least three readers; each reader is left out in turn. Bars: 95 % bootstrap intervals over patients."
    )
    st.markdown(closeness_table(facts))
    st.subheader("Why is the AUC higher with three or more readers?", anchor=False)
    st.markdown(readers_table(facts))
    st.caption(
        "If the AUC of the readers' own diameter rises as well, it is the labels that get more certain, and not the networks that get better: nodules that one or "
        "two readers marked are smaller, and their median is one or two opinions."
    )
    st.markdown("This network's AUC less that of the others, on the same nodules:")
    st.markdown(gains_table(facts))
