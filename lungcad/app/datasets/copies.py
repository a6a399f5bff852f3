"""Copies side by side: pairs with how the one is turned into the other, and whole groups."""

from collections.abc import Mapping
from itertools import cycle
from pathlib import Path
from typing import Any

import streamlit as st

from lungcad.app import url
from lungcad.app.components.case_grid import case_grid, case_picture
from lungcad.app.components.enlarged import side_by_side
from lungcad.app.components.literal import literal
from lungcad.datasets.audit import Audit
from lungcad.datasets.copies import Kind
from lungcad.names import path_of_id

SHOWN = 6
"""Pairs, or groups, that are drawn."""
_KINDS = {
    "turned": "turned copies",
    "plain": "copies as they are",
    "neighbour": "neighbours",
}


def show_copies(audit: Audit, folder: Path | None) -> None:
    """Pairs by kind, then the groups that they form."""
    of_kind: dict[str, list[Mapping[str, Any]]] = {kind: [] for kind in _KINDS}
    for pair in audit.copy_pairs:
        is_copy, as_it_is = pair["kind"] == Kind.COPY, pair["transform"] == "as it is"
        of_kind["neighbour" if not is_copy else "plain" if as_it_is else "turned"].append(pair)
    there = [kind for kind in _KINDS if of_kind[kind]]
    if there:
        st.markdown("**Pairs**: each second picture was laid onto the first and compared in its finest detail")
        kind = url.selectbox(
            "Which pairs",
            there,
            key="pairs",
            default=there[0],
            format_func=lambda each: f"{_KINDS[each]} ({len(of_kind[each])})",
            help="Copies are one picture, perhaps turned, mirrored or zoomed. Neighbours are two pictures that are alike in detail, as slices of one patient are.",
        )
        for place, pair in zip(cycle(st.columns(2)), of_kind[kind][:SHOWN], strict=False):
            with place:
                _show_pair(pair, folder)
        if len(of_kind[kind]) > SHOWN:
            st.caption(f"The first {SHOWN} pairs are drawn; the JSON has all.")
    show_groups("Groups of copies", audit.duplicate_groups, folder)


def _show_pair(pair: Mapping[str, Any], folder: Path | None) -> None:
    how = (
        f"The second picture, {pair['transform']}, gives the first"
        if pair["transform"] != "as it is"
        else "The second picture is as the first"
    )
    caption = f"{how}; both show {pair['overlap']:.0%} of the smaller one, and their detail correlates by {pair['correlation']:.2f}."
    if folder is None:
        st.caption(literal(f"{pair['first']} and {pair['second']}. {caption}"))
        return
    for place, case in zip(case_grid(2, width=210), (pair["first"], pair["second"]), strict=True):
        with place:
            case_picture(path_of_id(folder, case))
            st.caption(literal(case))
    st.caption(literal(caption))


def show_groups(title: str, groups: list[list[str]], folder: Path | None, *, expanded: bool = False) -> None:
    """The first few groups of cases, up to four pictures each."""
    if not groups:
        return
    with st.expander(f"{title}: {len(groups)} group{'s' if len(groups) > 1 else ''}", expanded=expanded):
        for index, group in enumerate(groups[:SHOWN]):
            if folder is None:
                st.caption(literal("; ".join(group)))
                continue
            for place, case in zip(case_grid(min(len(group), 4)), group, strict=False):
                with place:
                    case_picture(path_of_id(folder, case))
                    st.caption(literal(case))
            if len(group) > 4:
                st.caption(f"and {len(group) - 4} more")
            side_by_side(title.lower().replace(" ", "_"), index, group, folder)
        if len(groups) > SHOWN:
            st.caption(f"The first {SHOWN} groups are drawn; the JSON has all.")
