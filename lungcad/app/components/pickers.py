"""Controls that choose an image, a network, a method, a class."""

import streamlit as st

from lungcad.app import session, store, url
from lungcad.app.components.literal import literal
from lungcad.app.components.reading import reading_picker
from lungcad.app.components.text import card_facts, class_label
from lungcad.app.defaults import EXAMPLE, METHOD, NETWORK, first_of
from lungcad.evaluate.conformal import LEVELS, USUAL_LEVEL
from lungcad.explain import METHODS, Fill, Layer, Options, Segments, methods_for
from lungcad.explain.attribution import Cost
from lungcad.imaging.io import FORMATS
from lungcad.models import Inputs


def image_picker() -> session.Source | None:
    """Uploader and examples, under each other; a bad file is said in one sentence and the previous image stays.

    Of several files dropped, one is shown at a time, with buttons to step through them.
    """
    examples = session.example_names()
    case = st.query_params.get("case")
    if case != st.session_state.get("case_shown"):
        st.session_state["case_shown"] = case
        if case and session.take_case(case):
            st.session_state["example"] = None
        elif case:
            st.info("The link asks for a case that is not on this machine.")

    def show_file(index: int) -> None:
        files = st.session_state["upload"]
        st.query_params.pop("case", None)
        st.session_state["file_index"] = index
        session.take_upload(
            files[index] if files else None, f"Uploaded image {index + 1} of {len(files)}" if len(files) > 1 else "Uploaded image"
        )
        if files and session.source_error() is None:
            st.session_state["example"] = None

    def take_dropped() -> None:
        """The first of those that came last; after one was taken away, the first of all."""
        count, before = len(st.session_state["upload"]), st.session_state.get("files_before", 0)
        st.session_state["files_before"] = count
        show_file(before if count > before else 0)

    def take_picked_example() -> None:
        st.query_params.pop("case", None)
        session.take_example(st.session_state["example"])

    files = st.file_uploader(
        "Drop CT slices",
        key="upload",
        accept_multiple_files=True,
        on_change=take_dropped,
        help=f"{FORMATS}, up to 200 MB each. The files stay in this session and are never written to disk.",
    )
    if len(files) > 1:
        index = min(st.session_state.get("file_index", 0), len(files) - 1)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                "Previous",
                key="previous_file",
                disabled=index == 0,
                on_click=show_file,
                args=(index - 1,),
                help="The file before this one.",
            )
            st.button(
                "Next",
                key="next_file",
                disabled=index == len(files) - 1,
                on_click=show_file,
                args=(index + 1,),
                help="The file after this one.",
            )
            st.caption(f"File {index + 1} of {len(files)}")
    example = url.selectbox(
        "or pick an example",
        examples,
        key="example",
        default=first_of(examples, EXAMPLE) if examples and session.source() is None else None,
        placeholder="Examples",
        format_func=lambda name: name.rsplit(".", 1)[0].replace("-", " ") + (" (DICOM)" if name.endswith(".dcm") else ""),
        on_change=take_picked_example,
        help="Synthetic slices made by lungcad, not patients.",
    )
    if session.source() is None:
        session.take_example(example)
    if (shown := session.source()) is not None and shown.data is not None:
        reading_picker(shown)
    return session.source()


def show_source_error() -> None:
    """Why the file that was dropped last is not shown: above the picture, for on a phone the sidebar is closed."""
    if error := session.source_error():
        st.error(literal(error) + (" The previous image is still shown." if session.source() else ""), icon=":material/error:")


def network_picker() -> str:
    """Name of the chosen network; kept in the link."""
    cards = store.cards()
    chosen = url.selectbox(
        "Network",
        list(cards),
        key="model",
        default=first_of(list(cards), NETWORK),
        help="Below it: its accuracy on its test images, with the 95 % interval.",
    )
    st.caption(literal(card_facts(cards[chosen])))
    return chosen


COSTS = {Cost.FAST: "at once", Cost.MEDIUM: "a few seconds", Cost.SLOW: "many seconds, on a button"}


def method_picker(network: str) -> str:
    """Name of the chosen method, among those that suit the network; kept in the link."""
    names = methods_for(store.cards()[network])
    return url.selectbox(
        "Explanation",
        names,
        key="method",
        default=first_of(names, METHOD) if network == NETWORK else names[0],
        format_func=lambda name: METHODS[name].title + (" (control)" if METHODS[name].control else ""),
        help="  \n".join(f"**{METHODS[name].title}** ({COSTS[METHODS[name].cost]}): {METHODS[name].what}" for name in names),
    )


def options_picker(network: str, method: str) -> Options:
    """The settings that concern the method; for the others the usual ones, so that nothing is computed twice."""
    if "layer" in METHODS[method].takes:
        card = store.cards()[network]
        attends = card.attention != "none"
        layers = {Layer.LAST: "last, before attention" if attends else "last"}
        if attends:
            layers |= {Layer.ATTENDED: "last, after attention"}
        layers |= {Layer.ENLARGED: "last, of the image enlarged twice"}
        if card.inputs is Inputs.SLICE:
            layers |= {Layer.BEFORE: "the one before, twice as fine"}
        layer = url.selectbox(
            "Feature map",
            list(layers),
            key="layer",
            default=Layer.LAST,
            format_func=layers.__getitem__,
            help="The layer that the heat map is computed from. An earlier one gives a finer map that is further from the decision; an enlarged image too, "
            "but the network learnt from images of the usual size.",
        )
        return Options(layer=Layer(layer))
    if method == "lime":
        default_options = Options()
        samples = url.steps(
            "Samples",
            [250, 500, 1000, 2000, 4000],
            default_options.samples,
            key="lime_samples",
            help="More samples: slower, and steadier from seed to seed. With 1,000 the ranking of the segments correlates above 0.9 between seeds "
            "(`lungcad bench --only lime_vs_stock`); for your image it is shown with the map.",
        )
        help_text = "How the image is cut into pieces that are hidden and shown."
        segments = Segments(url.selectbox("Pieces", list(Segments), key="lime_segments", default=default_options.segments, help=help_text))
        help_text = "The image's mean grey, the image blurred, or black."
        fill = Fill(url.selectbox("Hidden pieces become", list(Fill), key="lime_fill", default=default_options.fill, help=help_text))
        return Options(samples=samples, segments=segments, fill=fill)
    return Options()


def target_picker(network: str) -> str | None:
    """The class to explain; None for the predicted one."""
    chosen = url.selectbox(
        "Class to explain",
        ["", *store.cards()[network].classes],
        key="target",
        default="",
        format_func=lambda name: class_label(name) or "the predicted class",
        help="Ask why not: explain a class that the network did not choose.",
    )
    return chosen or None


def set_level_picker() -> float:
    """Share of the sets of classes that should hold the truth; kept in the link."""
    chosen = url.selectbox(
        "How often the set of classes is right",
        [str(level) for level in LEVELS],
        key="set_level",
        default=str(USUAL_LEVEL),
        format_func=lambda text: f"right in {float(text):.0%} of cases",
        help="The higher, the larger the sets. Calibrated on the network's validation images; how well it holds on its test images stands on the page "
        "Metrics under “Sets of classes”.",
    )
    return float(chosen)
