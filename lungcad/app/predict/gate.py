"""What the gate declined: said, with the reason, and shown at the reader's wish only."""

import streamlit as st

from lungcad.analysis import Analysis
from lungcad.answer import SYNTHETIC
from lungcad.app import session, store
from lungcad.app.components.ask_another import offer_others
from lungcad.app.components.literal import literal

MARK = "declined: do not believe it"
"""Written over a map, into the picture that is saved of it, and beside the class."""


def show_declined(result: Analysis, network: str) -> None:
    """The reason in place of the answer, and the button that shows it all the same."""
    with st.container(key="class", gap=None):
        st.header("No answer", anchor=False)
        st.markdown("The network should not be asked about this image.")
    st.warning("  \n".join(map(literal, result.gate.reasons)), icon=":material/block:")
    st.button(
        "Show anyway",
        key="show_anyway",
        icon=":material/visibility:",
        on_click=session.show_anyway,
        args=(result.image, [network], True),
        help="Shows class, probabilities, heat map and checks of this image. Page and downloads say that the answer was declined. Other images stay hidden.",
    )
    offer_others(store.cards(), network, key="model")


def show_override(result: Analysis, network: str) -> None:
    """That the answer was declined and is shown all the same, and the button that hides it again."""
    whose = "lungcad's own made-up example" if is_own_example(result) else "shown because you asked for it"
    with st.container(gap=None):
        st.warning(
            "  \n".join([f"**Declined, do not believe this answer** ({whose}).", *map(literal, result.gate.reasons)]),
            icon=":material/block:",
        )
        st.button(
            "Hide the answer",
            key="hide_declined",
            type="tertiary",
            icon=":material/visibility_off:",
            on_click=session.show_anyway,
            args=(result.image, [network], False),
            help="What stands here for an image of yours that is declined, until you ask for the answer.",
        )


def is_own_example(result: Analysis) -> bool:
    """Whether a declined answer is shown, unasked, to an example of lungcad's own."""
    return result.gate.is_declined and session.is_example(result.image)


def warnings_left(result: Analysis) -> tuple[str, ...]:
    """Those that stand nowhere else on the page."""
    if not result.gate.is_declined:
        return result.warnings
    return tuple(sentence for sentence in result.other_warnings if sentence != SYNTHETIC or result.is_hidden or not is_own_example(result))


def gate_texts(result: Analysis) -> dict[str, str]:
    """For the text chunks of saved pictures; empty where nothing was declined."""
    return {"Gate": f"declined, shown all the same: {result.gate.reason}"} if result.gate.is_declined else {}


def mark_of(result: Analysis) -> str:
    """Written over the picture; empty where nothing was declined."""
    return MARK if result.gate.is_declined else ""
