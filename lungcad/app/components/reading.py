"""How the file on screen is read: which of its slices, and what its values are."""

import streamlit as st

from lungcad.app import session
from lungcad.imaging import Scale, Unit

SCALES = {Scale.AUTO: "as recognised", Scale.HOUNSFIELD: "Hounsfield units", Scale.GREY: "a grey picture"}


def reading_picker(source: session.Source) -> None:
    """A control for each choice that the file leaves open; nothing where it leaves none. Its state belongs to the file, so the next begins anew."""
    about = source.image.provenance
    frame_key, scale_key = f"frame_{about.sha256[:16]}", f"scale_{about.sha256[:16]}"

    def read() -> None:
        several = about.frames > 1
        session.read_again(frame=st.session_state[frame_key] if several else None, scale=st.session_state.get(scale_key, Scale.AUTO))

    if about.frames > 1:
        st.session_state.setdefault(frame_key, about.frame)
        st.slider(
            "Slice of the file",
            1,
            about.frames,
            key=frame_key,
            on_change=read,
            help=f"The file holds {about.frames} slices; each is classified by itself. The middle one is shown first.",
        )
        st.caption(f"Slice {about.frame} of {about.frames} is shown.")
    if about.has_open_scale:
        recognised_as = "Hounsfield units" if source.image.unit is Unit.HU else "a grey picture"
        st.selectbox(
            "Values are",
            list(SCALES),
            key=scale_key,
            format_func=lambda scale: f"{SCALES[scale]}" + (f" ({recognised_as})" if scale is Scale.AUTO and not about.reading else ""),
            on_change=read,
            help="The file does not say whether its values are Hounsfield units (air -1000, water 0), or says so although they do not look like it. "
            "“As recognised” goes by the file and by what its values look like; choose another reading if the picture looks wrong. A grey picture is "
            "shown through its own window and never through a window of Hounsfield units.",
        )
