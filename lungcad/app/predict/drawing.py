"""A region drawn on the slice."""

from collections.abc import Sequence

import cv2
import numpy as np
import streamlit as st

from lungcad.analysis import Result
from lungcad.app.figures.heatmap import DRAW, lasso_canvas
from lungcad.imaging import Window


def drawn_region(result: Result, window: Window | None, name: str) -> np.ndarray | None:
    """Bool mask of what was drawn on the chart, None before anything was."""
    chart = lasso_canvas(result.image.grey(window))
    event = st.plotly_chart(
        chart,
        config=DRAW,
        key=f"{name}_{result.image.provenance.sha256[:8]}",
        on_select="rerun",
        selection_mode=("lasso", "box"),
        alt="The slice to draw on.",
    )
    selection = event["selection"]
    shapes: Sequence = [
        *selection.get("lasso", []),
        *({"x": _corners(box["x"], 0), "y": _corners(box["y"], 1)} for box in selection.get("box", [])),
    ]
    if not shapes:
        return None
    mask = np.zeros(result.image.shape, dtype=np.uint8)
    for shape in shapes:
        cv2.fillPoly(mask, [np.round(np.stack([shape["x"], shape["y"]], 1)).astype(np.int32)], 1)
    return mask > 0


def _corners(ends: Sequence[float], axis: int) -> list[float]:
    low, high = ends
    return [low, high, high, low] if axis == 0 else [low, low, high, high]
