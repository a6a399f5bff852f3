"""Whether a network can be made to look where it should: three recipes, as the slices are and in other surroundings."""

import streamlit as st

from lungcad.app import region_store
from lungcad.app.cards import shipped_cards
from lungcad.app.components.chart import chart_with_csv
from lungcad.app.components.literal import literal
from lungcad.app.figures.regions import region_bars
from lungcad.app.navigation import plain_errors
from lungcad.models.partner import mended_and_plain
from lungcad.publish.mended_tables import MEASURE_TITLES, arm_title, cell, verdict

TITLE = "Can a network be made to look where it should?"


@plain_errors()
def show_mended(dataset: str, *, beside: tuple[str, ...] = ()) -> None:
    """Chart, table and verdict of a data set's comparison; nothing where none is stored, a sentence where it cannot be read. beside: networks on the page."""
    mended = region_store.mended(dataset)
    if mended is None:
        return
    st.subheader(TITLE, anchor=False)
    st.markdown(literal(verdict(mended)))
    series = {
        arm_title(row["arm"]): [
            ("as it is", row),
            (
                "in other surroundings",
                {"macro_f1": row["macro_f1_swapped"], "intervals": {"macro_f1": row["intervals"]["macro_f1_swapped"]}, "n": row["n"]},
            ),
        ]
        for row in mended.rows
    }
    listing = "; ".join(f"{arm_title(row['arm'])}: {cell(row, 'macro_f1')}, {cell(row, 'macro_f1_swapped')}" for row in mended.rows)
    chart_with_csv(region_bars(series, "macro_f1"), key="mended", alt=f"Macro F1 as the slices are, and in other surroundings. {listing}")
    st.dataframe(
        [{"recipe": arm_title(row["arm"])} | {title: cell(row, name) for name, title in MEASURE_TITLES.items()} for row in mended.rows],
        hide_index=True,
        alt="Each recipe's measures, with the paired difference to the plain one after the semicolon.",
    )
    st.caption(
        f"A small head on frozen ImageNet features, trained three ways on the same {mended.facts['n']} slices and the same split, "
        f"{mended.rows[0]['seeds']} seeds; 95 % intervals over groups, after the semicolon the paired difference to the plain recipe. In other surroundings: "
        "the slice keeps its lungs, and all around them is another patient's slice of another class. Evidence: Grad-CAM of the answer."
    )
    pair = mended_and_plain(dataset, shipped_cards().values())
    if pair is not None and {card.name for card in pair} != set(beside):
        mended_card, plain_card = pair
        st.page_link(
            "pages/2_Compare.py",
            label=f"The mended network, {literal(mended_card.name)}, beside the plain one",
            icon=":material/compare:",
            query_params={"view": "runs", "first": plain_card.name, "second": mended_card.name},
        )
