"""All methods side by side, for several classes."""

from dataclasses import replace

import streamlit as st

from lungcad.analysis import Analysis
from lungcad.app import session, store, viewer
from lungcad.app.components.text import class_label
from lungcad.app.predict.gate import gate_texts, mark_of
from lungcad.app.predict.heatmap import map_id
from lungcad.explain import METHODS, Options, methods_for
from lungcad.explain.attribution import Cost
from lungcad.imaging import Window

KEY = "methods"
"""Of the viewer."""
MOST_MAPS = 24
"""Maps drawn at a time: each is a canvas of its own in the browser."""


def show_methods(result: Analysis, network: str) -> None:
    """Methods down, classes across, on one slice."""
    card = store.cards()[network]
    names = [name for name in methods_for(card) if METHODS[name].cost is not Cost.SLOW]
    left, right = st.columns(2)
    methods = left.multiselect(
        "Methods",
        names,
        [name for name in names if METHODS[name].cost is Cost.FAST and not METHODS[name].control],
        key="grid_methods",
        format_func=lambda name: METHODS[name].title,
        help="Each is drawn for every chosen class. Those that need a button are left out here.",
    )
    classes = right.multiselect(
        "Classes",
        list(card.classes),
        list(card.classes)[:4],
        key="grid_classes",
        format_func=class_label,
        help="The class that each column explains.",
    )
    if not methods or not classes:
        st.info("Choose at least one method and one class.")
        return
    maps = [(method, target) for method in methods for target in (classes if METHODS[method].for_class else classes[:1])]
    maps.sort(key=lambda pair: not METHODS[pair[0]].for_class)  # those that explain no class come last: the columns stay classes
    chosen, left_out = maps[:MOST_MAPS], len(maps) - MOST_MAPS
    if left_out > 0:
        st.caption(f"The first {MOST_MAPS} maps are drawn; choose fewer methods or classes to see the other {left_out}.")
    ids = [f"{KEY}-{map_id(result.image, network, method, target, Options())}" for method, target in chosen]
    panes = [
        viewer.Pane(
            result.image, announced, title=f"{METHODS[method].title}: {class_label(target) if METHODS[method].for_class else 'any class'}"
        )
        for announced, (method, target) in zip(ids, chosen, strict=True)
    ]
    viewer.show(
        panes,
        key=KEY,
        height=420,
        network_window=Window(*card.preprocess.window),
        columns=max(len(classes), 2),
        name=f"lungcad-{network}-methods",
    )
    for announced, (method, target) in zip(ids, chosen, strict=True):
        analysis = session.result(result.image, network, method, target)
        heat_map = viewer.HeatMap.of(analysis.attributions[method], analysis.geometry, texts=gate_texts(analysis), mark=mark_of(analysis))
        viewer.supply(KEY, announced, replace(heat_map, label=f"{METHODS[method].title}, {heat_map.label}"))
    st.caption(
        "One colour scale a method, over all its classes, from 0 to the largest value: a dark map is little evidence. Zoom and threshold hold for all."
    )
