"""Small pictures of the images of data sets on this machine, kept for all sessions."""

import os
from pathlib import Path

import cv2
import numpy as np
import streamlit as st

from lungcad.app.figures.downscale import shrunk
from lungcad.imaging import read_image
from lungcad.paths import DROPPED


def thumbnail(path: str, modified: int) -> bytes:
    """PNG, at most 256 pixels a side, of an image of a data set on this machine; a visitor's own is kept in no cache."""
    return small_png(path) if Path(path).is_relative_to(DROPPED) else _thumbnail(os.fsencode(path), modified)


@st.cache_data(max_entries=512, show_spinner=False)
def _thumbnail(path: bytes, modified: int) -> bytes:
    """path: as bytes, for a key that names of any bytes fit."""
    return small_png(os.fsdecode(path))


def small_png(path: str) -> bytes:
    """At most 256 pixels a side, in the picture's own colours."""
    image = read_image(path)
    picture = image.grey() if image.colour is None else cv2.cvtColor(image.rgb(), cv2.COLOR_RGB2BGR)
    return cv2.imencode(".png", np.round(255 * shrunk(picture, 256, image.aspect)).astype(np.uint8))[1].tobytes()
