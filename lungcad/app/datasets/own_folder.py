"""A folder of the visitor's own: by its path where he may name one, or dropped into the browser."""

from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from lungcad.app import dropped, url
from lungcad.app.folder_access import may_name_folders, open_folder, shared_roots, visitor_is_local
from lungcad.datasets import Dataset
from lungcad.errors import DatasetError
from lungcad.unpack import Limits, take_files, unpack_zip

ZIP, FOLDER, PATH = "a zip", "a folder", "a path on the server"
LIMITS = Limits()
MAX_ZIP = 200 << 20
"""Bytes; the uploader's own limit is not enforced by the server."""


def owner_of(dataset: Dataset | None) -> str | None:
    """In the key of all work on a folder of one's own, so that no other session finds it; None for a published data set."""
    return None if dataset else dropped.owner()


def pick_own_folder() -> Path | None:
    """None while there is none; a bad one raises :class:`DatasetError`."""
    ways = [*([PATH] if may_name_folders() else []), ZIP, FOLDER]
    way = url.segments(
        "Images from",
        ways,
        key="own_from",
        help=(
            f"What you drop is unpacked into a folder of this session and removed with it: at most {LIMITS.total >> 30} GiB in "
            f"{LIMITS.files:,} files."
        ),
    )
    if way == PATH:
        return _pick_by_path()
    return _pick_dropped(way)


def _pick_by_path() -> Path | None:
    path = st.text_input(
        "Folder", key="own_folder", placeholder="/path/to/images", help="Nothing in it is changed or copied. It is not kept in the link."
    )
    if not path:
        st.info("Give a folder with one folder for each class, perhaps inside train, valid and test.")
        return None
    return open_folder(path, roots=shared_roots(), is_local=visitor_is_local())


def _pick_dropped(way: str) -> Path | None:
    if way == ZIP:
        files = st.file_uploader(
            "Drop a zip", type="zip", key="own_zip", help="With one folder for each class, perhaps inside train, valid and test."
        )
        files_given = [files] if files else []
    else:
        files_given = st.file_uploader(
            "Drop a folder",
            accept_multiple_files="directory",
            key="own_files",
            help="With one folder for each class, perhaps inside train, valid and test.",
        )
    identity = (way, *(file.file_id for file in files_given))
    if st.session_state.get("dropped_identity") != identity:
        st.session_state["dropped_identity"], st.session_state["dropped"] = identity, None
        dropped.forget()
        if files_given:
            st.session_state["dropped"] = _unpacked(way, files_given)
    dropped_folder: Path | str | None = st.session_state["dropped"]
    if isinstance(dropped_folder, str):
        raise DatasetError(dropped_folder)
    if dropped_folder is None:
        st.info("Drop images with one folder for each class, perhaps inside train, valid and test.")
    return dropped_folder


def _unpacked(way: str, files_given: list[UploadedFile]) -> Path | str:
    """The folder, or the sentence that says why there is none."""
    try:
        if sum(file.size for file in files_given) > (MAX_ZIP if way == ZIP else LIMITS.total):
            raise DatasetError(
                f"The zip has more than {MAX_ZIP >> 20} MiB; drop a smaller one." if way == ZIP else "The files are too large; drop fewer."
            )
        with st.spinner("Unpacking …"):
            if way == ZIP:
                return dropped.take(lambda folder: unpack_zip(files_given[0], folder, limits=LIMITS))
            return dropped.take(lambda folder: take_files(((file.name, file.getvalue()) for file in files_given), folder, limits=LIMITS))
    except DatasetError as error:
        return str(error)
