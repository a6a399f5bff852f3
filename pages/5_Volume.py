"""A whole series: scroll, measure, a network's answer slice by slice, and the nodule networks at a click."""

import streamlit as st

from lungcad.app import navigation

navigation.begin("Volume")

from lungcad.app.components.literal import literal
from lungcad.app.volume import viewer
from lungcad.app.volume.marked import show_marked
from lungcad.app.volume.network import (
    curve_of,
    known_answer,
    network_picker,
    overlays_of,
    places_of,
    run_network,
    show_answer,
    show_summary,
)
from lungcad.app.volume.nodule import nodule_networks, show_rating
from lungcad.app.volume.source import EXAMPLE_HELP, take_example, volume_picker

WHAT_FOLLOWS = """
- Three planes to scroll through, with windows, zoom and a ruler in millimetres.
- A network's answer for every slice inside the lungs, and the places that it finds suspicious.
- At a click on a place: how the nodule networks rate it, as a radiologist rates a nodule.
"""

st.title("A whole series")

with navigation.plain_errors():
    with st.sidebar:
        opened = volume_picker()
        network, method = network_picker()
    if opened is None:
        st.info("Drop a CT series into the sidebar (its DICOM files, a zip of them, or NIfTI), or begin with the example.")
        st.markdown(WHAT_FOLLOWS)
        st.button("Show the example", key="volume_example", type="primary", on_click=take_example, help=EXAMPLE_HELP)
        st.stop()

    volume = opened.volume
    n, rows, columns = volume.shape
    apart, down, across = volume.spacing
    st.caption(f"{literal(opened.caption)}. {n} slices of {columns}×{rows}, {apart:.2f} mm apart, pixels of {down:.2f}×{across:.2f} mm."
               + (f" {literal(opened.left_aside)}." if opened.left_aside else ""))  # fmt: skip
    top, above, below = st.container(), st.container(), st.container()
    answer = known_answer(opened, network, method)
    overlays, places = overlays_of(opened, answer), places_of(opened, answer)
    with above:
        sent = viewer.send(volume, overlays)
        payload = sent.payload
        if payload.is_reduced:
            st.caption(f"The volume has {volume.hu.nbytes >> 20} MiB, more than the {viewer.BUDGET >> 20} MiB that are sent to a browser, so it is shown "
                       f"reduced ({payload.hu.shape[2]}×{payload.hu.shape[1]} pixels, {payload.hu.shape[0]} slices); the network reads it whole.")  # fmt: skip

        @st.fragment
        def show_volume() -> None:
            point = viewer.show(
                volume, sent, overlays=overlays, places=places, curve=answer and curve_of(answer), rates=bool(nodule_networks())
            )
            if point:
                with navigation.plain_errors():
                    show_rating(opened, point, network)

        show_volume()
    with below:
        if answer is not None:
            show_answer(opened, answer)
        show_marked(opened, answer)
        for note in volume.notes:
            st.caption(literal(note))
        if answer is None and volume.warnings:
            st.warning("  \n".join(map(literal, volume.warnings)), icon=":material/info:")
    with top, navigation.plain_errors():  # last, because the run ends here until it is done
        if answer is None:
            run_network(opened, network, method)
        else:
            show_summary(opened, answer)
