"""All methods side by side, for several classes."""

import streamlit as st

from lungcad.analysis import Analysis
from lungcad.app import session, store
from lungcad.app.components.text import class_label, class_text
from lungcad.app.figures.downscale import shrunk, shrunk_map
from lungcad.explain import METHODS, methods_for
from lungcad.explain.attribution import Cost
from lungcad.explain.overlay import overlay
from lungcad.imaging import Window


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
    grey = shrunk(result.image.grey(Window.preset("lung")), 320)
    bar, done = st.empty(), 0
    for method in methods:
        for_class = METHODS[method].for_class
        st.markdown(f"**{METHODS[method].title}**" + ("" if for_class else ": the same for every class"))
        columns = st.columns(max(len(classes), 2))
        for column, target in zip(columns, classes if for_class else classes[:1], strict=False):
            bar.progress(done / (len(methods) * len(classes)), text=f"{METHODS[method].title}, {class_text(target)}")
            explained = session.result(result.image, network, method, target)
            found = explained.attributions[method]
            picture = overlay(grey, shrunk_map(found, grey.shape), threshold=0.2)
            column.image(picture, caption=f"{class_text(target) if for_class else 'any class'}: peak {found.peak:.3g}", width="stretch")
            done += 1
    bar.empty()
    st.caption(
        "Each map has a colour scale of its own, from 0 to its peak (dark to bright); a low peak is little evidence. Weakest fifth hidden."
    )
