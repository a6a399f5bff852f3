"""One slice: class, calibrated probabilities, where the network looked, and whether to believe it."""

import streamlit as st

from lungcad.app import navigation
from lungcad.app.predict.layout import STYLE, areas

navigation.begin("Predict", style=STYLE)

from lungcad.app import session, store
from lungcad.app.components.backend_picker import backend_picker
from lungcad.app.components.benchmark import show_in_general
from lungcad.app.components.layout import place_for
from lungcad.app.components.pickers import (
    image_picker,
    method_picker,
    network_picker,
    options_picker,
    set_level_picker,
    show_source_error,
    target_picker,
)
from lungcad.app.predict.concepts import show_concepts
from lungcad.app.predict.draw_first import is_map_hidden, show_draw_first
from lungcad.app.predict.erase import show_erase
from lungcad.app.predict.heatmap import explained, is_at_hand, map_id, offer_json, show_facts, show_viewer, supply_map
from lungcad.app.predict.methods import show_methods
from lungcad.app.predict.nearest import show_nearest
from lungcad.app.predict.panels import PANELS_OF_ANSWER, chosen_panel, panel_picker
from lungcad.app.predict.prediction import predict, show_answer, show_answer_hidden, show_bars
from lungcad.app.predict.report import offer_case
from lungcad.app.predict.set_of_classes import with_set
from lungcad.app.predict.trust import LEGEND, show_trust

st.title("Predict and explain one slice")

with navigation.plain_errors():
    with st.sidebar:
        source = image_picker()
        if store.cards():
            network = network_picker()
            method, target = method_picker(network), target_picker(network)
            with place_for(method, key="settings"):
                options = options_picker(network, method)
            level = set_level_picker()
            backend_picker()
    if not store.cards():
        st.info("No network is installed: `weights/` holds no model card. Restore it from the repository, or train one.")
        st.stop()
    show_source_error()
    if source is None:
        st.info("Drop a slice into the sidebar, or pick an example there, to see its class and where the network looked.")
        st.stop()

    image, panel, page = source.image, chosen_panel(network), areas()
    known = session.known_result(image, network)
    declined = known is not None and known.is_hidden
    drawn_first, at_hand = is_map_hidden(panel, image), is_at_hand(image, network, method, target, options)
    announced = map_id(image, network, method, target, options) if at_hand and not drawn_first and not declined else None
    with page.picture:
        drawn = show_viewer(
            image,
            network,
            method,
            announced,
            draw=panel in ("draw", "erase") and not declined,
            declined=known if declined else None,
            is_blind=drawn_first,
        )
        below_picture = place_for((map_id(image, network, method, target, options), drawn_first, declined), key="facts")
    closer = st.container()

    prediction = with_set(predict(source, network, page), network, level)
    if prediction.is_hidden and not declined:
        st.rerun()  # the viewer waits for a map that will not come
    with page.answer.container():
        if drawn_first and not declined:
            show_answer_hidden(source, prediction)
        else:
            show_answer(source, network, prediction)
    with page.bars.container():
        if not drawn_first or declined:
            show_bars(prediction)
    if declined:
        page.trust.empty()
        with below_picture:
            st.caption("The heat map is hidden with the answer.")
            with st.container(horizontal=True):
                offer_json(prediction, prediction.file_stem("gate"))
                offer_case(prediction, network, method, options)
    else:
        with below_picture:
            result = explained(image, network, method, target, options) if at_hand else None
            if result and not drawn_first:
                supply_map(announced, result, method)
                downloads = show_facts(with_set(result, network, level), method)

    with closer, navigation.plain_errors():
        panel_picker(network)
        with place_for((panel, image.key, network, declined), key="closer"):
            if declined and panel in PANELS_OF_ANSWER:
                st.info("This would show the answer that is hidden. “Show anyway”, beside the picture, shows it.")
            elif panel == "concepts":
                show_concepts(prediction)
            elif panel == "trust":
                show_in_general(network, method)
            elif panel == "methods":
                show_methods(prediction, network)
            elif panel == "nearest":
                show_nearest(prediction, network)
            elif panel == "erase":
                show_erase(prediction, network, drawn)
            elif panel == "draw":
                show_draw_first(result or prediction, network, method, drawn)
    if declined:
        st.stop()

    if result is None:
        with below_picture:
            explained(image, network, method, target, options)
    with page.trust.container(), navigation.plain_errors():
        st.subheader("Can the map be believed?", anchor=False, help="Each check asks another question, so there is no overall score.")
        if result is None or drawn_first:
            st.caption("The map is checked once it is shown.")
        else:
            st.caption(LEGEND)
            show_trust(result, network, method, options)
            with downloads:
                offer_case(with_set(result, network, level), network, method, options)
