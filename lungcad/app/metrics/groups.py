"""Groups of cases that the network explains alike, and the images of each."""

import pandas as pd
import streamlit as st

from lungcad.app import run_store, store, url
from lungcad.app.components.chart import chart_with_csv
from lungcad.app.components.literal import literal
from lungcad.app.components.text import class_label
from lungcad.app.figures.runs import maps_in_a_row
from lungcad.app.metrics.cases import show_grid
from lungcad.app.navigation import plain_errors
from lungcad.datasets.phantoms.make import shortcut_carriers
from lungcad.errors import LungcadError
from lungcad.evaluate.groups_of_explanations import Group, groups
from lungcad.evaluate.stores.runs import Run
from lungcad.models.weights import last_layer


@st.fragment
@plain_errors()
def show_groups(run: Run, *, without_copies: bool) -> None:
    """Each group's mean map and numbers, and the images of the one that is chosen."""
    try:
        of_run = _groups(
            run.name,
            without_copies,
            run_store.index_of(run.name).weights_sha256,
            run_store.fingerprint_of(run.name),
            store.trust_fingerprint(),
        )
    except LungcadError as error:
        st.info(literal(error))
        return
    st.markdown(
        "Cases are grouped by where the network looked and by what it made of them, without anybody saying what to look for. A group whose map lies "
        "outside the lungs, or on one corner, edge or mark, is worth a look: the network may answer by something that is no disease."
    )
    chart_with_csv(
        maps_in_a_row({f"group {group.number + 1}<br>n={len(group.cases)}": group.mean_map for group in of_run}),
        key="group_maps",
        alt="Mean Grad-CAM of each group in the network's input frame; the table below describes the groups.",
    )
    st.dataframe(
        _described(run, of_run), hide_index=True, alt="Cases, classes, answers, accuracy and evidence outside the lungs, by group."
    )
    st.caption(
        "Grad-CAM of the answer, each case divided by its own peak, then averaged. Accuracy with 95 % bootstrap intervals over groups of images that "
        "belong together. Evidence outside the lungs is known for cases that a trust run measured. There are always at least two groups; how many follows "
        "from the data."
    )
    names = [f"Group {group.number + 1}" for group in of_run]
    chosen = of_run[names.index(url.segments("Images of", names, key="group", help="The cases of this group, below."))]
    table = run_store.scored_table(run.name, without_copies)
    show_grid(run, table[table.case.isin(chosen.cases)], f"group {chosen.number + 1}")


def _described(run: Run, of_run: list[Group]) -> pd.DataFrame:
    """A row a group."""
    carriers = shortcut_carriers(run.test.case) if run.facts.get("shortcut") else None
    rows = []
    for group in of_run:
        row = {
            "group": group.number + 1,
            "cases": len(group.cases),
            "true classes": _shares(group.classes),
            "answers": _shares(group.answers),
            "accuracy": str(group.accuracy),
            "accuracy less that of the rest": str(group.difference),
            "evidence outside the lungs": "not measured"
            if group.outside_lungs is None
            else f"{group.outside_lungs:.0%} ({group.n_measured} cases of the trust run)",
        }
        if carriers is not None:
            row[f"carry the planted {run.facts['shortcut']}"] = f"{sum(carriers[case] for case in group.cases) / len(group.cases):.0%}"
        rows.append(row)
    return pd.DataFrame(rows)


def _shares(shares: dict[str, float]) -> str:
    return ", ".join(f"{class_label(name)} {share:.0%}" for name, share in shares.items())


@st.cache_resource(max_entries=16, show_spinner="Grouping the cases …")
def _groups(name: str, without_copies: bool, weights_sha256: str, *fingerprints: str) -> list[Group]:
    trust, card = run_store.trust_of(name), store.cards()[run_store.run(name).facts["network"]]
    table = run_store.scored_table(name, without_copies)
    return groups(run_store.index_of(name), table, last_layer(card), None if trust is None else trust.cases)
