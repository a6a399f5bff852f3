"""Controls that pages share."""

import streamlit as st

from lungcad.analysis import Result
from lungcad.app import resources, state
from lungcad.explain import METHODS
from lungcad.imaging import PRESETS, CTImage, Unit, Window
from lungcad.imaging.io import FORMATS
from lungcad.models import ModelCard


def linked_selectbox(label: str, options: list[str], *, key: str, default: str | None, **how) -> str | None:
    """A selectbox whose value (not its label, as ``bind`` would) is kept in the link; an unknown value in a link is said."""
    wanted = st.query_params.get(key)
    if key not in st.session_state:
        st.session_state[key] = wanted if wanted in options else default
        if wanted and wanted not in options:
            st.info(f"The link asks for an unknown {label.lower()}; showing {default or 'none'} instead.")
    elif st.session_state[key] not in options:
        st.session_state[key] = default
    choice = st.selectbox(label, options, key=key, **how)
    if choice is None:
        st.query_params.pop(key, None)
    elif choice != wanted:
        st.query_params[key] = choice
    return choice


def accuracy_text(card: ModelCard) -> str:
    """Test accuracy with its interval, from the card."""
    tested = card.test
    if tested is None or tested.accuracy.value is None:
        return "not tested"
    return f"test accuracy {tested.accuracy.value:.0%} [{tested.accuracy.low:.0%}–{tested.accuracy.high:.0%}]"


def card_title(card: ModelCard) -> str:
    from_attention = "no attention" if card.attention == "none" else f"attention: {card.attention}"
    return f"{card.name} ({from_attention}) · {card.dataset}, {len(card.classes)} classes · {accuracy_text(card)}"


def image_picker() -> state.Source | None:
    """Uploader and examples; a bad file is said in one sentence and the previous image stays."""
    examples = state.example_names()

    def uploaded() -> None:
        state.take_upload(st.session_state["upload"])
        if st.session_state["upload"] is not None and state.source_error() is None:
            st.session_state["example"] = None

    left, right = st.columns([3, 2])
    left.file_uploader(
        "Drop a CT slice",
        key="upload",
        on_change=uploaded,
        help=f"{FORMATS}, up to 200 MB. The file stays in this session and is never written to disk.",
    )
    with right:
        example = linked_selectbox(
            "or pick an example",
            examples,
            key="example",
            default=examples[0] if examples and state.source() is None else None,
            placeholder="Examples",
            format_func=lambda name: name.rsplit(".", 1)[0].replace("-", " ") + (" (DICOM)" if name.endswith(".dcm") else ""),
            on_change=lambda: state.take_example(st.session_state["example"]),
            help="Synthetic slices made by lungcad, not patients.",
        )
    if state.source() is None:
        state.take_example(example)
    if error := state.source_error():
        st.error(f"{error}" + (" The previous image is still shown." if state.source() else ""), icon=":material/error:")
    return state.source()


def network_picker() -> str:
    """Name of the chosen network; kept in the link."""
    cards = resources.cards()
    return linked_selectbox(
        "Network",
        list(cards),
        key="model",
        default=next(iter(cards)),
        format_func=lambda name: card_title(cards[name]),
        help="Accuracy on its test images with its 95 % interval, from the network's model card.",
    )


def method_picker(network: str) -> str:
    """Name of the chosen method, among those that suit the network; kept in the link."""
    card = resources.cards()[network]
    names = [name for name, method in METHODS.items() if method.suits(card)]
    return linked_selectbox(
        "Explanation",
        names,
        key="method",
        default=names[0],
        format_func=lambda name: METHODS[name].title,
        help="  \n".join(f"**{METHODS[name].title}**: {METHODS[name].what}" for name in names),
    )


def target_picker(prediction: Result) -> str | None:
    """The class to explain; None for the predicted one."""
    return st.selectbox(
        "Class to explain",
        [None, *prediction.prediction.probabilities],
        key="target",
        format_func=lambda name: "the predicted class" if name is None else name.replace(".", " "),
        help="Ask why not: explain a class that the network did not choose.",
    )


def window_picker(image: CTImage) -> Window | None:
    """How HU images are shown; off, and says why, for 8-bit images. The network's own window is fixed by its card."""
    if image.unit is not Unit.HU:
        reason = "Off: this is a picture with its window baked in, not Hounsfield units."
        st.selectbox("Display window", ["as stored"], key="window_off", disabled=True, help=reason)
        st.caption(reason)
        return None
    own = [] if image.window is None else ["from file"]
    choice = st.selectbox(
        "Display window",
        [*own, *PRESETS, "free"],
        key="window",
        help="How Hounsfield units become grey on screen. The network always sees the window in its card.",
    )
    if choice == "free":
        level = st.number_input("Level (HU)", -1500, 3000, -600, 10, key="level", help="The Hounsfield value shown as middle grey.")
        width = st.number_input("Width (HU)", 1, 4000, 1500, 10, key="width", help="The range from black to white.")
        return Window(float(level), float(width))
    return image.window if choice == "from file" else PRESETS[choice]
