"""Temporary folders for what somebody else handed in: readable by this user only, gone with the block, and after a kill with the next start."""

import contextlib
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

PREFIX = "lungcad-private-"
YOUNG = 60.0
"""Seconds in which a folder may be there before its owner holds it."""
_held: dict[Path, int] = {}


@contextlib.contextmanager
def private_folder() -> Iterator[Path]:
    """An empty one, until the block ends."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    try:
        hold(folder)
        yield folder
    finally:
        let_go(folder)


def hold(folder: Path) -> None:
    """Say, to whoever asks the system, that this process uses the folder; the system takes it back when the process ends, however it does."""
    if os.name == "posix":
        import fcntl

        _held[folder] = os.open(folder, os.O_RDONLY)
        fcntl.flock(_held[folder], fcntl.LOCK_SH)


def let_go(folder: Path) -> None:
    """Remove it."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder in _held:
        os.close(_held.pop(folder))


def remove_leftovers() -> int:
    """Removes the private folders of processes that were killed; how many. One that is held, that is very young or another user's stays."""
    if os.name != "posix":
        return 0
    import fcntl

    n = 0
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            state = folder.lstat()
            if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.getuid() or 0 <= time.time() - state.st_mtime < YOUNG:
                continue
            descriptor = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # refused while somebody holds it
                shutil.rmtree(folder, ignore_errors=True)
                n += 1
            finally:
                os.close(descriptor)
    return n
