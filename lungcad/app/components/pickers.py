"""Controls that choose an image, a network, a method, a class, a window."""

import streamlit as st

from lungcad.analysis import Result
from lungcad.app import session, store, url
from lungcad.app.components.text import card_title, class_label
from lungcad.explain import METHODS, Attribution, Fill, Layer, Options, Segments, Side, methods_for
from lungcad.explain.attribution import Cost
from lungcad.imaging import PRESETS, CTImage, Unit, Window
from lungcad.imaging.io import FORMATS
from lungcad.models import Inputs


def image_picker() -> session.Source | None:
    """Uploader and examples; a bad file is said in one sentence and the previous image stays."""
    examples = session.example_names()
    case = st.query_params.get("case")
    if case != st.session_state.get("case_shown"):
        st.session_state["case_shown"] = case
        if case and session.take_case(case):
            st.session_state["example"] = None
        elif case:
            st.info("The link asks for a case that is not on this machine.")

    def uploaded() -> None:
        st.query_params.pop("case", None)
        session.take_upload(st.session_state["upload"])
        if st.session_state["upload"] is not None and session.source_error() is None:
            st.session_state["example"] = None

    def picked() -> None:
        st.query_params.pop("case", None)
        session.take_example(st.session_state["example"])

    left, right = st.columns([3, 2])
    left.file_uploader(
        "Drop a CT slice",
        key="upload",
        on_change=uploaded,
        help=f"{FORMATS}, up to 200 MB. The file stays in this session and is never written to disk.",
    )
    with right:
        example = url.selectbox(
            "or pick an example",
            examples,
            key="example",
            default=examples[0] if examples and session.source() is None else None,
            placeholder="Examples",
            format_func=lambda name: name.rsplit(".", 1)[0].replace("-", " ") + (" (DICOM)" if name.endswith(".dcm") else ""),
            on_change=picked,
            help="Synthetic slices made by lungcad, not patients.",
        )
    if session.source() is None:
        session.take_example(example)
    if error := session.source_error():
        st.error(f"{error}" + (" The previous image is still shown." if session.source() else ""), icon=":material/error:")
    return session.source()


def network_picker() -> str:
    """Name of the chosen network; kept in the link."""
    cards = store.cards()
    return url.selectbox(
        "Network",
        list(cards),
        key="model",
        default=next(iter(cards)),
        format_func=lambda name: card_title(cards[name]),
        help="Accuracy on its test images with its 95 % interval, from the network's model card.",
    )


COSTS = {Cost.FAST: "at once", Cost.MEDIUM: "a few seconds", Cost.SLOW: "many seconds, on a button"}


def method_picker(network: str) -> str:
    """Name of the chosen method, among those that suit the network; kept in the link."""
    names = methods_for(store.cards()[network])
    return url.selectbox(
        "Explanation",
        names,
        key="method",
        default=names[0],
        format_func=lambda name: METHODS[name].title + (" (control)" if METHODS[name].control else ""),
        help="  \n".join(f"**{METHODS[name].title}** ({COSTS[METHODS[name].cost]}): {METHODS[name].what}" for name in names),
    )


def options_picker(network: str, method: str) -> Options:
    """The settings that concern the method; for the others the usual ones, so that nothing is computed twice."""
    if METHODS[method].layered:
        card = store.cards()[network]
        layers = {Layer.LAST: "last, before attention"}
        if card.attention != "none":
            layers |= {Layer.ATTENDED: "last, after attention"}
        if card.inputs is Inputs.SLICE:
            layers |= {Layer.BEFORE: "one before, twice as fine"}
        layer = url.selectbox(
            "Feature map",
            list(layers),
            key="layer",
            default=Layer.LAST,
            format_func=layers.__getitem__,
            help="Which feature map the map speaks of. Finer ones show smaller places and are further from the decision.",
        )
        return Options(layer=Layer(layer))
    if method == "lime":
        usual = Options()
        left, middle, right = st.columns(3)
        with left:
            samples = url.steps(
                "Samples",
                [250, 500, 1000, 2000, 4000],
                usual.samples,
                key="lime_samples",
                help="More samples: slower, and steadier from seed to seed. With 1,000 the ranking of the segments correlates above 0.9 between seeds "
                "(`lungcad bench --only lime_vs_stock`); for your image it is shown with the map.",
            )
        with middle:
            what = "How the image is cut into pieces that are hidden and shown."
            segments = Segments(url.selectbox("Pieces", list(Segments), key="lime_segments", default=usual.segments, help=what))
        with right:
            what = "The image's mean grey, the image blurred, or black."
            fill = Fill(url.selectbox("Hidden pieces become", list(Fill), key="lime_fill", default=usual.fill, help=what))
        return Options(samples=samples, segments=segments, fill=fill)
    return Options()


def side_picker(attribution: Attribution) -> Side | None:
    """Which evidence is drawn; None for both of a signed map."""
    if attribution.target is None:
        return Side.FOR
    names = ({"both": "for and against"} if attribution.signed else {}) | {Side.FOR: "for the class", Side.AGAINST: "against the class"}
    chosen = url.selectbox(
        "Evidence",
        list(names),
        key=f"side_{attribution.signed}",
        default=next(iter(names)),
        format_func=names.__getitem__,
        help="Evidence for and against the class are kept apart; a map of one hides the other.",
    )
    return None if chosen == "both" else Side(chosen)


def target_picker(prediction: Result) -> str | None:
    """The class to explain; None for the predicted one."""
    chosen = url.selectbox(
        "Class to explain",
        ["", *prediction.prediction.probabilities],
        key="target",
        default="",
        format_func=lambda name: class_label(name) or "the predicted class",
        help="Ask why not: explain a class that the network did not choose.",
    )
    return chosen or None


def window_picker(image: CTImage) -> Window | None:
    """How HU images are shown; off, and says why, for 8-bit images. The network's own window is fixed by its card."""
    if image.unit is not Unit.HU:
        reason = "Off: this is a picture with its window baked in, not Hounsfield units."
        st.selectbox("Display window", ["as stored"], key="window_off", disabled=True, help=reason)
        st.caption(reason)
        return None
    choices = [*([] if image.window is None else ["from file"]), *PRESETS, "free"]
    choice = url.selectbox(
        "Display window",
        choices,
        key="window",
        default=choices[0],
        help="How Hounsfield units become grey on screen. The network always sees the window in its card.",
    )
    if choice == "free":
        level = url.number("Level (HU)", -1500, 3000, -600, 10, key="level", help="The Hounsfield value shown as middle grey.")
        width = url.number("Width (HU)", 1, 4000, 1500, 10, key="width", help="The range from black to white.")
        return Window(float(level), float(width))
    return image.window if choice == "from file" else PRESETS[choice]
