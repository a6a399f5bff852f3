"""Mounts the three-plane viewer: the browser fetches the voxels once, everything else is a few facts; all of it moves in the browser."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import streamlit as st

from lungcad.app.viewer.component import BROWSER, send_values
from lungcad.app.viewer.encode import pack
from lungcad.app.volume.payload import Payload, payload_of
from lungcad.app.volume.served import offer
from lungcad.imaging import PRESETS
from lungcad.imaging.volume import CTVolume

OWN = Path(__file__).parent / "browser"
SCRIPTS = (
    BROWSER / "unpack.js",
    BROWSER / "element.js",
    *(OWN / f"{name}.js" for name in ("voxels", "block", "overlay", "plane", "curve", "input", "bars", "volume_viewer")),
)
KEY = "volume"
READERS_COLOUR, NETWORK_COLOUR, LUNG_COLOUR = "#ffb000", "#fe6100", "#56b4e9"


@dataclass(frozen=True, eq=False)
class Overlay:
    """values: uint8 (a mask) or float32 (a heat map, NaN where nothing was read), (slices, rows, columns). origin, step: of its cells, in
    voxels of the volume, from the corner of the first. most: the heat that is drawn in the brightest colour.
    """

    id: str
    label: str
    values: np.ndarray
    step: tuple[float, float, float]
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)
    colour: str = LUNG_COLOUR
    most: float = 1.0


@dataclass(frozen=True)
class Place:
    """A circle in the pictures and an entry under "Go to". voxel: (slice, row, column) of the volume."""

    label: str
    text: str
    voxel: tuple[float, float, float]
    diameter_mm: float = 0.0
    colour: str = NETWORK_COLOUR


@dataclass(frozen=True)
class Curve:
    """values in [0, 1], a slice; declined: by the gate, which hides the value."""

    label: str
    slices: Sequence[int]
    values: Sequence[float]
    declined: Sequence[bool] = field(default_factory=tuple)


@dataclass(frozen=True)
class Sent:
    """What the browser is told of a volume. url: where it fetches the payload's values."""

    volume: str
    payload: Payload
    url: str


def send(volume: CTVolume, overlays: Sequence[Overlay]) -> Sent:
    """Offer the voxels to the browser, and hand it what lies over them. Streamlit sends an unchanged element as its hash alone."""
    sent: Sent | None = st.session_state.get("volume_payload")
    if sent is None or sent.volume != _id(volume):
        payload = payload_of(volume)
        sent = st.session_state["volume_payload"] = Sent(_id(volume), payload, offer(payload))
    for overlay in overlays:
        send_values(KEY, overlay.id, _packed(overlay, sent.payload))
    return sent


def show(
    volume: CTVolume, sent: Sent, *, overlays: Sequence[Overlay], places: Sequence[Place], curve: Curve | None, rates: bool
) -> tuple[float, float, float] | None:
    """Draw; the patient millimetres of the place that the reader wants rated, of this volume, or None."""
    payload = sent.payload
    n = len(payload.hu)
    start = places[0].voxel if places else ((volume.shape[0] - 1) / 2, (volume.shape[1] - 1) / 2, (volume.shape[2] - 1) / 2)
    windows = {**PRESETS, **({"from file": volume.window} if volume.window and volume.window not in PRESETS.values() else {})}
    slices, down, across = payload.factor
    lengths = np.linalg.norm(payload.affine[:3, 1:3], axis=0)
    facts = {
        "volume": sent.volume,
        "voxels": {"url": sent.url, "shape": list(payload.hu.shape)},
        "spacing": [volume.spacing[0] * slices, float(lengths[0]), float(lengths[1])],
        "shear": [volume.shear[0] * slices / down, volume.shear[1] * slices / across],
        "affine": payload.affine.tolist(),
        "reduced": payload.is_reduced,
        "start": payload.shown(*start),
        "windows": [{"name": name, "level": window.level, "width": window.width} for name, window in windows.items()],
        "overlays": [overlay.id for overlay in overlays],
        "places": [
            {"label": each.label, "text": each.text, "at": payload.shown(*each.voxel), "diameter": each.diameter_mm, "colour": each.colour}
            for each in places
        ],
        "curve": curve and _curve(curve, slices, n),
        "rates": rates,
    }
    state = _component()(key=KEY, data=pack(facts), on_rated_change=_nothing)
    rated = (state or {}).get("rated") or {}
    return tuple(rated["point"]) if rated.get("volume") == sent.volume else None


def _curve(curve: Curve, slices: float, n: int) -> dict[str, object]:
    return {
        "label": curve.label,
        "slices": [min(int(index / slices), n - 1) for index in curve.slices],
        "values": [0.0 if hidden else round(value, 4) for value, hidden in zip(curve.values, curve.declined, strict=True)],
        "declined": list(curve.declined),
    }


def _id(volume: CTVolume) -> str:
    return volume.sha256[:32]


def _packed(overlay: Overlay, payload: Payload) -> bytes:
    is_mask = overlay.values.dtype == np.uint8
    facts = {
        "id": overlay.id,
        "kind": "mask" if is_mask else "heat",
        "label": overlay.label,
        "colour": overlay.colour,
        "origin": [at / factor for at, factor in zip(overlay.origin, payload.factor, strict=True)],
        "step": [size / factor for size, factor in zip(overlay.step, payload.factor, strict=True)],
        "most": overlay.most,
    }
    return pack(facts, overlay.values)


def _nothing() -> None:
    """Streamlit keeps a state of a component only where somebody listens to it."""


@functools.cache
def _component() -> Callable[..., Any]:
    colours = np.round(255 * matplotlib.colormaps["viridis"](np.arange(256))[:, :3]).astype(np.uint32)
    heat = (0xFF000000 | (colours[:, 2] << 16) | (colours[:, 1] << 8) | colours[:, 0]).tolist()
    script = "\n".join([f"const HEAT = new Uint32Array({heat});", *(path.read_text(encoding="utf-8") for path in SCRIPTS)])
    css = (OWN / "volume.css").read_text(encoding="utf-8")
    return st.components.v2.component("lungcad.volume", html='<div class="volume"></div>', css=css, js=script)
