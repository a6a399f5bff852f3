"""What belongs to one session: its image and its results.

Other sessions never see it; only results of lungcad's own examples are shared.
"""

import functools
import hashlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import streamlit as st
from PIL import Image
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.uploaded_file_manager import UploadedFile

from lungcad.analysis import Analysis, analyse
from lungcad.app import store, turns
from lungcad.app.results import Key, Results
from lungcad.datasets import DATASETS
from lungcad.datasets.phantoms.examples import CONTOURS
from lungcad.errors import ImageError, LungcadError
from lungcad.explain import Options
from lungcad.imaging import CTImage, Scale, read_image
from lungcad.imaging.io import MAX_BYTES
from lungcad.paths import EXAMPLES
from lungcad.scheduler import Kind, Turn

SHOWN_ANYWAY = "shown_anyway"
"""In the session: (image, weights) -> whether an answer that the gate declined is shown."""
_OF_EXAMPLES = Results(shared=True)
_LOCK = threading.Lock()
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Source:
    """The image on screen. ``caption`` never holds the uploaded file's name, which may be a patient's.

    data: the file, where it can be read in more than one way (several slices, an open scale) or is DICOM, to which results refer; else None.
    """

    image: CTImage
    caption: str
    data: bytes | None = None


def example_names() -> list[str]:
    return sorted(path.name for path in EXAMPLES.glob("*") if path.suffix in (".png", ".dcm") and path.is_file())


def source() -> Source | None:
    return st.session_state.get("source")


def example_contour(image: CTImage) -> np.ndarray | None:
    """Bool mask of the lesion that was drawn into one of lungcad's own examples; None for any other image, and where it is not known."""
    return _example_contours().get(image.provenance.sha256)


def take_example(name: str | None) -> None:
    """Make an example the session's image."""
    if name:
        _take((EXAMPLES / name).read_bytes(), f"Example {Path(name).stem.replace('-', ' ')} (synthetic phantom)")


def take_case(link: str) -> bool:
    """Make a case of a data set on this machine, ``DATASET/CASE-ID``, the session's image. False where there is no such case."""
    name, _, case = link.partition("/")
    if name not in DATASETS or not case:
        return False
    try:
        folder = DATASETS[name].locate().resolve()
    except LungcadError:
        return False
    try:
        path = (folder / case).resolve()
        if not path.is_relative_to(folder) or not path.is_file():
            return False
    except (OSError, ValueError):  # a name too long, a NUL
        return False
    _take(path.read_bytes(), f"Case {case} of {DATASETS[name].title}")
    return True


def take_upload(file: UploadedFile | None, caption: str = "Uploaded image") -> None:
    """Make an uploaded file the session's image; a bad one leaves the previous image on screen and an error beside it."""
    if file is None:
        st.session_state["source_error"] = None
        return
    if file.size > MAX_BYTES:  # the widget's own limit is not enforced by the server
        st.session_state["source_error"] = f"The file has {file.size / 2**20:.0f} MiB; the limit is {MAX_BYTES >> 20} MiB."
        return
    _take(file.getvalue(), caption)


def source_error() -> str | None:
    return st.session_state.get("source_error")


def read_again(*, frame: int | None, scale: Scale) -> None:
    """The same file with another of its slices, or with its values read otherwise; where that fails the image stays and an error stands beside it."""
    shown = st.session_state["source"]
    _take(shown.data, shown.caption, frame=frame, scale=scale)


def _take(data: bytes, caption: str, *, frame: int | None = None, scale: Scale = Scale.AUTO) -> None:
    try:
        image = read_image(data, frame=frame, scale=scale)
        is_wanted = image.provenance.frames > 1 or image.provenance.has_open_scale or image.provenance.format == "DICOM"
        st.session_state["source"] = Source(image, caption, data if is_wanted else None)
        st.session_state["source_error"] = None
    except ImageError as error:
        st.session_state["source_error"] = str(error)


def analysis(
    image: CTImage,
    network: str,
    method: str | None,
    target: str | None,
    options: Options = Options(),
    on_progress: Callable[[int, int], None] | None = None,
) -> Analysis:
    return analyse(image, store.model(network), methods=[method] if method else [], target=target, options=options, on_progress=on_progress)


def result(
    image: CTImage,
    network: str,
    method: str | None,
    target: str | None,
    options: Options = Options(),
    *,
    place: DeltaGenerator | None = None,
) -> Analysis:
    """The analysis, computed once a session for each image, weights, method (None: prediction only), class and options; hidden where :func:`marked` says.

    place: where it is said that others are before.
    """
    return marked(computed_once(image, network, method, target, options, place=place), network)


def computed_once(
    image: CTImage,
    network: str,
    method: str | None,
    target: str | None = None,
    options: Options = Options(),
    *,
    place: DeltaGenerator | None = None,
) -> Analysis:
    """The same before what the reader wants of a declined answer; of an example it needs no session."""
    key = result_key(image, network, method, target, options)
    kind = Kind.MAP if method else Kind.ANSWER
    return get_or_compute(
        key, lambda turn: analysis(image, network, method, target, options, turn.with_steps(turns.notice_leaving)), kind=kind, place=place
    )


def known_result(image: CTImage, network: str) -> Analysis | None:
    """The prediction, where it was computed before."""
    found: Analysis | None = computed(result_key(image, network, None, None, Options()))
    return found and marked(found, network)


def marked(found: Analysis, network: str) -> Analysis:
    """The same, with what the reader wants of an answer that the gate declined."""
    return replace(found, show_anyway=found.gate.is_declined and is_shown_anyway(found.image, network))


def is_shown_anyway(image: CTImage, network: str) -> bool:
    """Whether the answer to this image is shown although the gate declined it: at the reader's wish; for lungcad's own examples at first."""
    return bool(st.session_state.get(SHOWN_ANYWAY, {}).get((image.key, store.cards()[network].sha256), is_example(image)))


def show_anyway(image: CTImage, networks: Sequence[str], wanted: bool) -> None:
    """The reader's wish, of this image and these networks; it stands in no link and goes with the session."""
    st.session_state.setdefault(SHOWN_ANYWAY, {}).update({(image.key, store.cards()[name].sha256): wanted for name in networks})


def is_example(image: CTImage) -> bool:
    """Whether it is one of lungcad's own phantoms."""
    return image.provenance.sha256 in _example_hashes()


def result_key(image: CTImage, network: str, method: str | None, target: str | None, options: Options) -> Key:
    return "result", image.key, store.cards()[network].sha256, store.chosen_backend(), method, target, options


def get_or_compute(key: Key, compute: Callable[[Turn], T], *, kind: Kind, place: DeltaGenerator | None = None) -> T:
    """What belongs to the key (the image's content hash is part of it), computed in its turn, once a session, for an example once while the server
    runs.

    place: where it is said that others are before.
    """
    value: T | None = computed(key)
    if value is None:
        value = turns.take(kind, compute, key=key, place=place)
        with _LOCK:
            _results(key).keep(key, value)
    return value


def computed(key: Key) -> Any:
    """What :func:`get_or_compute` has for the key, None when nothing."""
    with _LOCK:
        results = _results(key)
        if key in results:
            results.move_to_end(key)
        return results.get(key)


def _results(key: Key) -> Results:
    """Where the key's result is stored: every visitor begins with an example, and it holds nobody's data."""
    if not _example_hashes().isdisjoint(key):
        return _OF_EXAMPLES
    if "results" not in st.session_state:
        st.session_state["results"] = Results()
    own: Results = st.session_state["results"]
    return own


@functools.cache
def _example_hashes() -> frozenset[str]:
    return frozenset(hashlib.sha256((EXAMPLES / name).read_bytes()).hexdigest() for name in example_names())


@functools.cache
def _example_contours() -> dict[str, np.ndarray]:
    contours = {path.name: np.asarray(Image.open(path)) > 0 for path in (EXAMPLES / CONTOURS).glob("*.png")}
    return {hashlib.sha256((EXAMPLES / name).read_bytes()).hexdigest(): mask for name, mask in contours.items()}
