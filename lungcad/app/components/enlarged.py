"""One case of a grid of small pictures, opened at full size in the viewer."""

from collections.abc import Collection, Sequence
from pathlib import Path

import streamlit as st

from lungcad.app import session, viewer
from lungcad.app.components.literal import literal
from lungcad.app.components.text import class_label
from lungcad.app.predict.gate import gate_texts, mark_of
from lungcad.errors import LungcadError
from lungcad.explain import METHODS
from lungcad.imaging import CTImage, read_image
from lungcad.names import path_of_id, printable

METHOD = "gradcam"
"""Of the maps of an answered case."""
MOST_PANES = 8
"""Full-size pictures in one viewer; each is sent to the browser."""


def enlarge_button(key: str, index: int, case: str, *, label: str = "Enlarge", help: str = "Opens it at full size, above.") -> None:
    """Below a small picture. key: of the grid; its viewer shows one case at a time."""
    st.button(
        label, key=f"{key}_enlarge_{index}", icon=":material/zoom_in:", type="tertiary", on_click=_choose, args=(key, case), help=help
    )


def enlarged_case(key: str, cases: Collection[str]) -> str | None:
    """Which of these cases is open, with a button that closes it; None where none of them is."""
    case: str | None = st.session_state.get(_state(key))
    if case is None or case not in cases:
        return None
    st.button(
        "Close",
        key=f"{key}_close",
        icon=":material/close:",
        type="tertiary",
        on_click=_choose,
        args=(key, None),
        help="Back to the small pictures.",
    )
    return case


def full_size(path: Path) -> CTImage | None:
    """The image; None, and a line that says why, where it cannot be read."""
    try:
        return read_image(path)
    except (LungcadError, OSError) as error:
        st.caption(
            f"{literal(printable(path.name))} cannot be shown: {literal(str(error)) if isinstance(error, LungcadError) else 'it is not here'}"
        )
        return None


def show_enlarged(panes: Sequence[viewer.Pane], *, key: str, height: int = 480) -> None:
    """Zoom, pan and window linked, on one colour scale."""
    viewer.show(panes[:MOST_PANES], key=f"{key}_viewer", height=height, name="lungcad-case")


def show_answered(image: CTImage, network: str | None, answer: str, truth: str, *, key: str) -> None:
    """The slice beside the network's map for its answer and, where that is wrong, for the true class; the slice alone without a network."""
    panes = [viewer.Pane(image, title="slice")]
    asked = {answer: "the answer, which is right"} if answer == truth else {answer: "the answer", truth: "the true class"}
    if network is None:
        show_enlarged(panes, key=key)
        return
    for target, whose in asked.items():
        analysis = session.result(image, network, METHOD, target)
        heat_map = viewer.HeatMap.of(analysis.attributions[METHOD], analysis.geometry, texts=gate_texts(analysis), mark=mark_of(analysis))
        panes.append(viewer.Pane(image, heat_map, title=f"{METHODS[METHOD].title} for {class_label(target)} ({whose})"))
    show_enlarged(panes, key=key)
    if analysis.gate.is_declined:
        st.caption(f"The network's gate declines this image: {literal(' '.join(analysis.gate.reasons))}")


def side_by_side(key: str, index: int, cases: Sequence[str], folder: Path) -> None:
    """A button that opens these images of a folder beside each other at full size, and the images while they are open. One set at a time for each key."""
    if enlarged_case(key, [str(index)]) is None:
        enlarge_button(key, index, str(index), label="Side by side", help="Opens these images at full size, zoom linked.")
        return
    images = [(case, full_size(path_of_id(folder, case))) for case in cases[:MOST_PANES]]
    show_enlarged([viewer.Pane(image, title=printable(case)) for case, image in images if image is not None], key=key)


def _choose(key: str, case: str | None) -> None:
    st.session_state[_state(key)] = case


def _state(key: str) -> str:
    return f"{key}_enlarged"
