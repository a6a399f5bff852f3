"""Mounts the viewer (Streamlit's components v2): values once for each content, everything else as a few facts."""

import functools
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import matplotlib
import numpy as np
import streamlit as st

from lungcad.app.viewer.encode import pack, pixels_of
from lungcad.app.viewer.pane import Contour, HeatMap, Pane
from lungcad.imaging import PRESETS, CTImage, Unit, Window

BROWSER = Path(__file__).parent / "browser"
ONE_SIDED, SIGNED = ("viridis", "cividis", "inferno"), ("RdBu_r", "PuOr_r")
"""Colour maps to choose from (matplotlib's names), all readable by the colour-blind."""
SCRIPTS = ("unpack", "element", "heatmap", "picture", "pane", "controls", "pointer", "keyboard", "save", "viewer")


@dataclass(frozen=True)
class ViewerState:
    """What the reader drew. regions: closed polygons, each (n, 2), column and row in image pixels; empty for another image than the one now shown."""

    regions: tuple[np.ndarray, ...] = ()

    def mask(self, shape: tuple[int, int]) -> np.ndarray | None:
        """Bool (rows, columns) of what was drawn; None where nothing was."""
        if not self.regions:
            return None
        mask = np.zeros(shape, dtype=np.uint8)
        for region in self.regions:
            cv2.fillPoly(mask, [np.round(region).astype(np.int32)], 1)
        return mask > 0


def show(
    panes: Sequence[Pane],
    *,
    key: str,
    height: int = 640,
    network_window: Window | None = None,
    draw: bool = False,
    in_link: bool = False,
    beside: bool = False,
    columns: int | None = None,
    name: str = "lungcad",
) -> ViewerState:
    """Draw the panes, zoom, pan and window linked. What the reader moves stays in the browser and survives every rerun under the same ``key``.

    height: of the pictures, CSS pixels; on a narrow screen they stand under each other, as high as they need to be. network_window: offered as
    "as the network saw it" for HU images. draw: offer drawing; what is drawn comes back and reruns the script. in_link: keep opacity, window and so on in
    the page's link. beside: a single pane offers the bare slice beside it, at first shown. columns: panes in a row where they fit at a smaller size; None for
    as many as fit. name: of saved pictures, without ending.
    """
    images = {image_id(pane.image): pane.image for pane in panes}
    for identity, image in images.items():
        unit = "RGB" if image.colour is not None else image.unit.value
        send_values(key, identity, pack({"id": identity, "unit": unit}, pixels_of(image)))
    for pane in panes:
        if isinstance(pane.map, HeatMap):
            supply(key, pane.map.id, pane.map)
    first = panes[0].image
    facts: dict[str, object] = {
        "key": key,
        "panes": [_described(pane) for pane in panes],
        "height": height,
        "windows": _windows(first, network_window),
        "draw": draw,
        "link": in_link,
        "beside": beside,
        "columns": columns,
        "name": name,
        "regions": [],
    }
    drawn = _drawn(st.session_state.get(key), first)
    facts["regions"] = [region.tolist() for region in drawn]
    state = _viewer()(key=key, data=pack(facts), on_drawn_change=_nothing)
    return ViewerState(_drawn(state, first) if draw else ())


def supply(key: str, map_id: str, heat_map: HeatMap) -> None:
    """Bring the map that a pane of the viewer ``key`` was announced with by its id."""
    facts = {
        "id": map_id, "box": list(heat_map.box), "title": heat_map.title, "label": heat_map.label, "signed": heat_map.signed,
        "sides": list(heat_map.sides), "limits": heat_map.limits, "texts": dict(heat_map.texts), "mark": heat_map.mark,
    }  # fmt: skip
    send_values(key, map_id, pack(facts, np.asarray(heat_map.grid, dtype=np.float32)))


def image_id(image: CTImage) -> str:
    """Names the pixels: the file's SHA-256, and what they were read as."""
    facts = (image.key, image.shape, image.unit.value, image.provenance.stored_mode)
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:32]


def _drawn(state: Mapping[str, Any] | None, image: CTImage) -> tuple[np.ndarray, ...]:
    """The regions that were drawn on this image and no other."""
    drawn = (state or {}).get("drawn") or {}
    if drawn.get("image") != image_id(image):
        return ()
    return tuple(np.asarray(points, dtype=np.float64).reshape(-1, 2) for points in drawn["regions"])


def send_values(key: str, identity: str, data: bytes) -> None:
    """An element that draws nothing and hands its bytes to the viewers of the page. Streamlit sends an unchanged element as its hash alone."""
    _values_component()(key=f"viewer-values-{key}-{identity}", data=data)


def _described(pane: Pane) -> dict[str, object]:
    image = pane.image
    return {
        "image": image_id(image),
        "unit": "RGB" if image.colour is not None else image.unit.value,
        "rows": image.shape[0],
        "columns": image.shape[1],
        "spacing": image.spacing_mm,
        "aspect": image.aspect,
        "map": pane.map.id if isinstance(pane.map, HeatMap) else pane.map,
        "title": pane.title,
        "contours": [_contour(each) for each in pane.contours],
        "texts": dict(pane.texts),
    }


def _contour(contour: Contour) -> dict[str, object]:
    return {"label": contour.label, "colour": contour.colour, "points": np.round(contour.points, 2).tolist()}


def _windows(image: CTImage, network_window: Window | None) -> list[dict[str, object]]:
    """The windows to choose from, the first at first; none for pictures whose window is baked in."""
    if image.unit is not Unit.HU:
        return []
    named: Mapping[str, Window | None] = {**PRESETS, "from file": image.window, "as the network saw it": network_window}
    return [{"name": name, "level": each.level, "width": each.width} for name, each in named.items() if each is not None]


def _nothing() -> None:
    """Streamlit keeps a state of a component only where somebody listens to it."""


@functools.cache
def _viewer() -> Callable[..., Any]:
    tables = {
        name: bytes(np.round(255 * matplotlib.colormaps[name](np.arange(256))[:, :3]).astype(np.uint8)).hex()
        for name in (*ONE_SIDED, *SIGNED)
    }
    colours = f"const COLOURS = {json.dumps({'oneSided': ONE_SIDED, 'signed': SIGNED, 'tables': tables})};"
    script = "\n".join([colours, *(_text(f"{name}.js") for name in SCRIPTS)])
    return st.components.v2.component("lungcad.viewer", html='<div class="viewer"></div>', css=_text("viewer.css"), js=script)


@functools.cache
def _values_component() -> Callable[..., Any]:
    script = _text("unpack.js") + _text("values.js")
    return st.components.v2.component("lungcad.viewer_values", css=_text("values.css"), js=script, isolate_styles=False)


def _text(file: str) -> str:
    return (BROWSER / file).read_text(encoding="utf-8")
