"""Which folders of this computer a visitor may open by their path.

Whoever starts lungcad for himself alone (it listens on loopback) may open any. With LUNGCAD_FOLDERS set, only what lies below the roots it
names can be opened, by anybody; links that lead out of them count as outside. Everybody else drops a zip or a folder into the browser. A
refusal is one and the same sentence for a path that is there and for one that is not.
"""

import ipaddress
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import streamlit as st

from lungcad.errors import DatasetError
from lungcad.names import printable

FOLDERS = "LUNGCAD_FOLDERS"
"""Environment variable: the roots, divided as in PATH."""
REFUSED = "This folder may not be opened from the browser; name one below the folders that are shared, or drop a zip of it."


def shared_roots(environment: Mapping[str, str] = os.environ) -> tuple[Path, ...] | None:
    """The roots that whoever started lungcad names, None where the variable is not set; relative ones and empty ones open nothing."""
    if FOLDERS not in environment:
        return None
    roots = (Path(root) for root in environment.get(FOLDERS, "").split(os.pathsep) if root)
    return tuple(Path(os.path.realpath(root)) for root in roots if root.is_absolute())


def is_loopback(address: str | None) -> bool:
    """Whether a server that listens there is out of reach of other computers. None, Streamlit's own default, is every network interface."""
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False


def visitor_is_local() -> bool:
    """Whether this visitor sits at this computer: the server listens on loopback, and no proxy says that it speaks for someone else."""
    forwarded = {"forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"}
    return is_loopback(st.get_option("server.address")) and forwarded.isdisjoint(name.lower() for name in st.context.headers)


def may_name_folders() -> bool:
    """Whether this visitor may open a folder by its path at all."""
    return FOLDERS in os.environ or visitor_is_local()


def open_folder(path: str, *, roots: Sequence[Path] | None, is_local: bool) -> Path:
    """The folder, with links resolved.

    roots: the only places below which it may lie; None where none are named, and then it may lie anywhere for a local visitor, nowhere for
    another one. Raises :class:`DatasetError`: refused, or (where it may be opened) not there, or with links that lead out of the roots.
    """
    if roots is None and not is_local:
        raise DatasetError(REFUSED)
    try:
        folder = Path(os.path.realpath(path))
        is_there = folder.is_dir()
    except (OSError, ValueError):  # a NUL, a name too long
        folder, is_there = Path(), False
    if roots is not None and not _is_below(folder, roots):
        raise DatasetError(REFUSED)
    if not is_there:
        raise DatasetError(f"There is no folder {printable(path)[:300]!r} on the computer that lungcad runs on; check the path.")
    if roots is not None and _leads_out(folder, roots):
        raise DatasetError(
            "The folder holds a link that leads out of the folders that are shared; take it out, or ask whoever runs lungcad "
            "to share its target."
        )
    return folder


def _is_below(path: Path, roots: Sequence[Path]) -> bool:
    return any(path.is_relative_to(root) for root in roots)


def _leads_out(folder: Path, roots: Sequence[Path]) -> bool:
    """Whether a link anywhere below it, or below a folder that a link names, leads elsewhere."""
    visited, to_visit = {folder}, [folder]
    while to_visit:
        for parent, folders, files in os.walk(to_visit.pop()):
            for name in (*folders, *files):
                path = Path(parent, name)
                if path.is_symlink():
                    target = Path(os.path.realpath(path))
                    if not _is_below(target, roots):
                        return True
                    if target.is_dir() and target not in visited:
                        visited.add(target)
                        to_visit.append(target)
    return False
