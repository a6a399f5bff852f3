"""Which series is on the page: dropped, from a folder of this computer, or the made-up example. It stays in the session."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile, UploadedFileRec

from lungcad.app import url
from lungcad.app.components.literal import literal
from lungcad.app.folder_access import may_name_folders, open_folder, shared_roots, visitor_is_local
from lungcad.errors import ImageError, LungcadError
from lungcad.imaging.phantom_volume import PhantomVolume, example_volume
from lungcad.imaging.volume import CTVolume, Series, describe, load, opened
from lungcad.imaging.volume.study import LIMITS
from lungcad.progress import Progress
from lungcad.series.known_marks import marks_of
from lungcad.series.readers import ReadersMarks

FILES, FOLDER, PATH = "files, zip", "folder", "path"
SHOWN, ERROR = "volume_shown", "volume_error"
GIVEN, NUMBER, LISTING = "volume_identity", "volume_number", "volume_listing"
"""In the session: what was opened last, or failed to; which of its series (from 1); the lines that describe them all."""
EXAMPLE_HELP = "A made-up chest of 89 slices with two lesions, and a network that reads it at once."
Given = Path | Sequence[UploadedFileRec]
"""A path of this computer, or what was dropped, as the server holds it."""


@dataclass(frozen=True, eq=False)
class Opened:
    """caption: without a file's name. source: what it was opened from, a path or dropped files, to which objects refer."""

    volume: CTVolume
    caption: str
    marks: ReadersMarks | None = None
    phantom: PhantomVolume | None = None
    left_aside: str = ""
    source: Given = ()


def shown() -> Opened | None:
    return st.session_state.get(SHOWN)


def take_example() -> None:
    """The made-up chest; its network is started with it, so that one click gives an answer."""
    phantom = example_volume()
    st.session_state.update(
        {SHOWN: Opened(phantom.volume, "Example: a made-up chest with two lesions", phantom=phantom), ERROR: None, "volume_start": True}
    )


def volume_picker() -> Opened | None:
    """The controls in the sidebar; a bad series is said in one sentence and the one before stays."""
    above = st.container()
    ways = [FILES, FOLDER, *([PATH] if may_name_folders() else [])]
    way = url.segments(
        "A series from",
        ways,
        key="volume_from",
        help="DICOM slices, a zip of them, an enhanced multi-frame file, or NIfTI. They stay in this session. A path: of the computer that lungcad runs on.",
    )
    given, refusal = None, None
    try:
        given = _given(way)
    except LungcadError as error:
        refusal = str(error)
    if given:
        _open_given(*given)
    else:  # with the file that failed goes what was said of it
        st.session_state.update({GIVEN: None, ERROR: refusal})
    now = shown()
    if now is not None and now.phantom is None:  # at first the page itself offers it
        above.button("Show the example", on_click=take_example, width="stretch", help=EXAMPLE_HELP)
    if sentence := st.session_state.get(ERROR):
        st.error(literal(sentence) + (" The series before is still shown." if now else ""), icon=":material/error:")
    return now


def _open_given(identity: tuple[str, ...], source: Given) -> None:
    """What is given, where it is new, and the series of it that is chosen, each once."""
    if identity != st.session_state.get(GIVEN):
        st.session_state.update({GIVEN: identity, LISTING: ()})
        _open(source, 1)
    listing = st.session_state[LISTING]
    if len(listing) > 1:
        number = st.selectbox("Series", range(1, len(listing) + 1), format_func=lambda each: listing[each - 1], key=f"volume_series_{identity}",
                              help="Sorted by their headers; the one with most slices first.")  # fmt: skip
        if number != st.session_state[NUMBER]:
            _open(source, number)


def _given(way: str) -> tuple[tuple[str, ...], Given] | None:
    """(identity, what :func:`opened` takes), or None. Raises :class:`LungcadError` where it is refused."""
    if way == PATH:
        path = st.text_input(
            "Folder or file",
            key="volume_path",
            placeholder="/path/to/series",
            help="Nothing in it is changed or copied. It is not kept in the link.",
        )
        if not path:
            return None
        folder = path if os.path.isdir(path) else str(Path(path).parent)
        allowed = open_folder(folder, roots=shared_roots(), is_local=visitor_is_local())
        return (PATH, path), allowed if folder == path else allowed / Path(path).name
    files = st.file_uploader("Drop a series", accept_multiple_files=True if way == FILES else "directory", key=f"volume_{way}",
                             help="All slices at once. 200 MB a file at most.")  # fmt: skip
    if not files:
        return None
    if packed := [file for file in files if file.name.lower().endswith((".zip", ".gz"))]:
        files = packed[-1:]  # the one that came last, alone
    if sum(file.size for file in files) > LIMITS.total:
        raise ImageError(f"The files have more than {LIMITS.total >> 30} GiB; drop one series.")
    return (way, *(file.file_id for file in files)), _held_by_the_server(files)


def _held_by_the_server(files: Sequence[UploadedFile]) -> Sequence[UploadedFileRec]:
    """The widget makes a copy of every file at every run; these are the files themselves, so that the copies can go at once."""
    context = get_script_run_ctx()
    return context.uploaded_file_mgr.get_files(context.session_id, [file.file_id for file in files]) if context else ()


def _open(source: Given, number: int) -> None:
    st.session_state[NUMBER] = number
    bar = st.progress(0.0, text="Opening the series …")
    try:
        with opened(content_of(source), _drawn_on(bar, "Reading headers")) as study:
            st.session_state[LISTING] = tuple(describe(series) for series in study.series)
            series = study.choose(number if study.series else None)
            volume = load(study, series, _drawn_on(bar, "Reading slices"))
            marks = marks_of(study, volume)
            st.session_state.update(
                {SHOWN: Opened(volume, _caption(series), marks, left_aside=study.aside_text(), source=source), ERROR: None}
            )
    except LungcadError as error:
        st.session_state[ERROR] = str(error)
    finally:
        bar.empty()


def content_of(given: Given) -> Path | list[tuple[str, bytes]]:
    """As :func:`opened` takes it."""
    return given if isinstance(given, Path) else [(file.name, file.data) for file in given]


def _drawn_on(bar: DeltaGenerator, what: str) -> Progress:
    """Five times a second at most: a message for each of hundreds of slices takes longer than the slices."""
    last = 0.0

    def draw(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last > 0.2:
            last = time.monotonic()
            bar.progress(done / total, text=f"{what}: {done} of {total}")

    return draw


def _caption(series: Series) -> str:
    return (series.description or "A series without a description") + (f", kernel {series.kernel}" if series.kernel else "")
