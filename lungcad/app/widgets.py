"""Controls that pages share."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import plotly.graph_objects as go
import streamlit as st

from lungcad.analysis import Result
from lungcad.app import figures, link, resources, state
from lungcad.datasets import DATASETS
from lungcad.errors import LungcadError, lookup
from lungcad.explain import METHODS, Attribution, Fill, Layer, Options, Segments, Side, methods_for
from lungcad.imaging import PRESETS, CTImage, Unit, Window
from lungcad.imaging.io import FORMATS
from lungcad.models import Inputs, ModelCard


def plain(name: str) -> str:
    """A class's name as words: published names have dots for blanks."""
    return name.replace(".", " ")


def data_folder(dataset: str) -> Path | None:
    """Where the data set lies on this machine; None, and a line that says so, where it does not."""
    try:
        return lookup(DATASETS, dataset, "data set").locate()
    except LungcadError:
        st.caption("The data set is not on this machine, so only ids and classes are shown.")
        return None


def picture(place, path: Path) -> bool:
    """A small picture of a file of a data set; what is wrong, and False, where it cannot be shown."""
    try:
        place.image(resources.thumbnail(str(path), path.stat().st_mtime_ns), width="stretch")
        return True
    except (LungcadError, OSError) as error:
        place.caption(f"{path.name} cannot be shown: {error if isinstance(error, LungcadError) else 'it is not here'}")
        return False


def grid(n: int, width: int = 165) -> Iterator:
    """A place of so many pixels for each of ``n`` things; as many in a row as the screen holds, two on a phone."""
    row = st.container(horizontal=True)
    for _ in range(n):
        yield row.container(width=width)


def chart(figure: go.Figure, *, key: str, alt: str, **how):
    """A plot with its text alternative and, below it, what is drawn as a CSV file."""
    event = st.plotly_chart(figure, key=key, alt=alt, **how)
    st.download_button(
        "CSV", lambda: figures.points(figure).to_csv(index=False), f"lungcad-{key.replace('_', '-')}.csv", "text/csv", key=f"{key}_csv",
        icon=":material/download:", type="tertiary", on_click="ignore", help="What the plot draws, as numbers.",
    )  # fmt: skip
    return event


def stacked_toggle() -> bool:
    """Whether pictures stand under each other; at first on a phone. Not in the link: it depends on the screen."""
    return st.toggle(
        "One under the other",
        value="Mobile" in st.context.headers.get("User-Agent", ""),
        key="stacked",
        help="Bigger pictures, better on a phone.",
    )


def small_table(rows: Mapping[str, Mapping[str, object]]) -> None:
    """A row a name, its values by column. As Markdown: ``st.table`` comes in a script of its own, for which a section waits when it first opens."""
    columns = next(iter(rows.values()))
    lines = [["", *columns], ["-"] * (1 + len(columns)), *([name, *values.values()] for name, values in rows.items())]
    st.markdown("\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines))


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
    case = st.query_params.get("case")
    if case != st.session_state.get("case_shown"):
        st.session_state["case_shown"] = case
        if case and state.take_case(case):
            st.session_state["example"] = None
        elif case:
            st.info("The link asks for a case that is not on this machine.")

    def uploaded() -> None:
        st.query_params.pop("case", None)
        state.take_upload(st.session_state["upload"])
        if st.session_state["upload"] is not None and state.source_error() is None:
            st.session_state["example"] = None

    def picked() -> None:
        st.query_params.pop("case", None)
        state.take_example(st.session_state["example"])

    left, right = st.columns([3, 2])
    left.file_uploader(
        "Drop a CT slice",
        key="upload",
        on_change=uploaded,
        help=f"{FORMATS}, up to 200 MB. The file stays in this session and is never written to disk.",
    )
    with right:
        example = link.selectbox(
            "or pick an example",
            examples,
            key="example",
            default=examples[0] if examples and state.source() is None else None,
            placeholder="Examples",
            format_func=lambda name: name.rsplit(".", 1)[0].replace("-", " ") + (" (DICOM)" if name.endswith(".dcm") else ""),
            on_change=picked,
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
    return link.selectbox(
        "Network",
        list(cards),
        key="model",
        default=next(iter(cards)),
        format_func=lambda name: card_title(cards[name]),
        help="Accuracy on its test images with its 95 % interval, from the network's model card.",
    )


COSTS = {"cheap": "at once", "middling": "a few seconds", "dear": "many seconds, on a button"}


def method_picker(network: str) -> str:
    """Name of the chosen method, among those that suit the network; kept in the link."""
    names = methods_for(resources.cards()[network])
    return link.selectbox(
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
        card = resources.cards()[network]
        layers = {Layer.LAST: "last, before attention"}
        if card.attention != "none":
            layers |= {Layer.ATTENDED: "last, after attention"}
        if card.inputs is Inputs.SLICE:
            layers |= {Layer.BEFORE: "one before, twice as fine"}
        layer = link.selectbox(
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
            samples = link.steps(
                "Samples",
                [250, 500, 1000, 2000, 4000],
                usual.samples,
                key="lime_samples",
                help="More samples: slower, and steadier from seed to seed. With 1,000 the ranking of the segments correlates above 0.9 between seeds "
                "(`lungcad bench --only lime_vs_stock`); for your image it is shown with the map.",
            )
        with middle:
            what = "How the image is cut into pieces that are hidden and shown."
            segments = Segments(link.selectbox("Pieces", list(Segments), key="lime_segments", default=usual.segments, help=what))
        with right:
            what = "The image's mean grey, the image blurred, or black."
            fill = Fill(link.selectbox("Hidden pieces become", list(Fill), key="lime_fill", default=usual.fill, help=what))
        return Options(samples=samples, segments=segments, fill=fill)
    return Options()


def side_picker(attribution: Attribution) -> Side | None:
    """Which evidence is drawn; None for both of a signed map."""
    if attribution.target is None:
        return Side.FOR
    names = ({"both": "for and against"} if attribution.signed else {}) | {Side.FOR: "for the class", Side.AGAINST: "against the class"}
    chosen = link.selectbox(
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
    chosen = link.selectbox(
        "Class to explain",
        ["", *prediction.prediction.probabilities],
        key="target",
        default="",
        format_func=lambda name: plain(name) or "the predicted class",
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
    choice = link.selectbox(
        "Display window",
        choices,
        key="window",
        default=choices[0],
        help="How Hounsfield units become grey on screen. The network always sees the window in its card.",
    )
    if choice == "free":
        level = link.number("Level (HU)", -1500, 3000, -600, 10, key="level", help="The Hounsfield value shown as middle grey.")
        width = link.number("Width (HU)", 1, 4000, 1500, 10, key="width", help="The range from black to white.")
        return Window(float(level), float(width))
    return image.window if choice == "from file" else PRESETS[choice]


PANELS = {
    "trust": "Can I believe the map?",
    "methods": "All methods",
    "nearest": "Nearest training cases",
    "erase": "What would change its mind?",
    "draw": "Draw first, then reveal",
}


def panel_picker() -> str:
    """What to look at below the map; kept in the link. Only the chosen one is computed."""
    return link.selectbox(
        "Look closer",
        list(PANELS),
        key="panel",
        default="trust",
        format_func=PANELS.__getitem__,
        label_visibility="collapsed",
        help="Checks of the map, other methods, similar training cases, and experiments of your own.",
    )
