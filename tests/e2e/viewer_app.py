"""A page with nothing but viewers, for tests/e2e/test_viewer.py."""

import numpy as np
import streamlit as st

from lungcad.app import viewer
from lungcad.imaging import CTImage, Provenance, Unit, Window

st.set_page_config(layout="wide")
st.session_state["runs"] = st.session_state.get("runs", 0) + 1
st.text(f"runs: {st.session_state['runs']}")
second = st.toggle("another image", key="another")
rng = np.random.default_rng(int(second))
rows, columns = np.mgrid[:200, :300]
hu = (columns * 4 - 1000 + rows + second).astype(np.float32)
image = CTImage(hu, Unit.HU, Provenance(f"{int(second):064d}", "test", "int16"), spacing_mm=(1.0, 0.5), window=Window(40.0, 400.0))
signed = viewer.HeatMap(
    rng.normal(size=(7, 5)).astype(np.float32), (10, 20, 190, 280), "Signed", "evidence against | for", True, ("both", "for", "against")
)
positive = viewer.HeatMap(rng.random((7, 5)).astype(np.float32), (-10, 20, 190, 310), "Positive", "evidence", sides=("for", "against"))
outline = viewer.Contour(np.array([[100, 50], [150, 50], [150, 90], [100, 90]]), "a square")
first = viewer.Pane(image, f"later-{int(second)}", "first", [outline], {"Network": "näive"})
drawn = viewer.show(
    [first, viewer.Pane(image, positive, "second")], key="pair", height=400, draw=True, network_window=Window(-600.0, 1400.0), in_link=True
)
mask = drawn.mask(image.shape)
st.text("drawn: nothing" if mask is None else f"drawn: {int(mask.sum())} pixels")
viewer.supply("pair", f"later-{int(second)}", signed)
colour = CTImage(
    np.full((64, 64), 128.0, np.float32), Unit.GREY, Provenance("c" * 64, "test", "RGB"),
    colour=np.tile(np.uint8([200, 40, 120]), (64, 64, 1)),
)  # fmt: skip
viewer.show([viewer.Pane(colour, None, "colour")], key="colour", height=200)

flat = CTImage(np.tile(np.arange(100, dtype=np.float32), (60, 1)), Unit.GREY, Provenance("f" * 64, "test", "uint8"), pixel_aspect=2.5)
viewer.show([viewer.Pane(flat, None, "pixels 2.5 times as high as wide")], key="flat", height=300)
positives = [
    viewer.HeatMap(np.full((7, 5), share, np.float32), (0, 0, 200, 300), f"map of {share}", "shared scale", sides=("for",))
    for share in (0.25, 0.5, 1.0)
]
viewer.show([viewer.Pane(image, each, each.title) for each in positives], key="three", height=260)
