"""Files that are there whole or not at all: written beside their place, then renamed."""

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from lungcad.errors import LungcadError, OutputError
from lungcad.names import printable

STAGING = ".lungcad-"
"""How the names of files and folders begin that are being written; what is left of one belongs to a writer that was killed."""
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def whole_file(path: str | Path) -> Iterator[BinaryIO]:
    """A binary file that takes the place of ``path`` when the block ends without a fault; otherwise what was there stays.

    A device or a pipe (``/dev/stdout``) is written straight. Raises :class:`OutputError` in one sentence: the disk is full, no permission,
    ...
    """
    path = Path(path)
    with _one_sentence(path):
        target = Path(os.path.realpath(path))  # a link stays a link
        if target.exists() and not target.is_file():
            with target.open("wb") as file:
                yield file
            return
        staging = target.with_name(f"{STAGING}{secrets.token_hex(6)}")
        try:
            with staging.open("xb") as file:
                yield cast(BinaryIO, file)
                file.flush()
                os.fsync(file.fileno())
            if target.exists():
                staging.chmod(stat.S_IMODE(target.stat().st_mode))
            staging.replace(target)
            _to_disk(target.parent)
        finally:
            staging.unlink(missing_ok=True)


def _to_disk(path: Path) -> None:
    """Returns when the file, or the folder's list of names, is where a power cut leaves it."""
    if os.name != "posix" and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(path: str | Path, data: bytes | str) -> None:
    """Text (UTF-8) or bytes as a :func:`whole_file`."""
    with whole_file(path) as file:
        file.write(data.encode() if isinstance(data, str) else data)


@contextmanager
def whole_folder(folder: str | Path, *, last: str) -> Iterator[Path]:
    """A folder to write files into, all of which go to ``folder`` together when the block ends without a fault.

    last: the file without which the others count as unfinished; it goes first and comes last. Files that the block does not write stay.
    """
    folder = Path(folder)
    with _one_sentence(folder):
        is_new = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        staging = folder / f"{STAGING}{secrets.token_hex(6)}"
        try:
            staging.mkdir()
            yield staging
            for path in staging.iterdir():
                _to_disk(path)
            (folder / last).unlink(missing_ok=True)
            _to_disk(folder)  # nobody, not after a power cut either, sees it beside files of another time
            for path in sorted(staging.iterdir(), key=lambda path: path.name == last):
                path.replace(folder / path.name)
            _to_disk(folder)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
            if is_new and not any(folder.iterdir()):
                folder.rmdir()


@contextmanager
def new_folder(folder: str | Path) -> Iterator[Path]:
    """A folder to write files into, which becomes ``folder`` when the block ends without a fault: in one step, so that of two writers one is told.

    Raises :class:`OutputError` where there is one with files in it already.
    """
    folder = Path(folder)
    with _one_sentence(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        staging = folder.with_name(f"{STAGING}{secrets.token_hex(6)}")
        try:
            staging.mkdir()
            yield staging
            for path in staging.iterdir():
                _to_disk(path)
            _to_disk(staging)
            staging.rename(folder)  # POSIX refuses a folder that is not empty, Windows any that is there
            _to_disk(folder.parent)
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def check_can_write(path: str | Path) -> None:
    """Raises :class:`OutputError` when a file cannot be written there: asked before long work, not after it."""
    path = Path(path)
    with _one_sentence(path):
        _exists(path)  # a name too long, a folder one may not enter
        if path.is_dir():
            raise OutputError(f"The output {_shown(path)} is a folder; name a file in it.")
        target = Path(os.path.realpath(path))
        if not target.parent.is_dir():
            raise OutputError(f"There is no folder {_shown(path.parent)} to write to; make it first.")
        if target.exists():
            allowed = os.access(target, os.W_OK) and (not target.is_file() or os.access(target.parent, os.W_OK | os.X_OK))
        else:
            allowed = os.access(target.parent, os.W_OK | os.X_OK)
        if not allowed:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


@contextmanager
def only_writer(folder: str | Path) -> Iterator[None]:
    """The folder, made where it is not there, for one process alone, which the system lets go of it should it be killed.

    Raises :class:`OutputError` where another has it. A file system that knows no locks (and Windows) lets in whoever asks.
    """
    folder = Path(folder)
    with _one_sentence(folder):
        is_new = not _exists(folder)
        folder.mkdir(parents=True, exist_ok=True)
        lock = _locked(folder)
        try:
            yield
        finally:
            if is_new and not any(folder.iterdir()):
                folder.rmdir()
            if lock is not None:
                os.close(lock)


def _locked(folder: Path) -> int | None:
    if os.name != "posix":
        return None
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise OutputError(f"Another process is at work in {_shown(folder)}; wait for its end, or name another folder.") from None
    except OSError:  # no locks here
        os.close(descriptor)
        return None
    return descriptor


def same_file(one: Path, other: Path) -> bool:
    """Whether both paths lead to one file that is there, through links of every kind."""
    try:
        return one.samefile(other)
    except (OSError, ValueError):
        return False


def check_can_make(folder: str | Path) -> None:
    """Raises :class:`OutputError` when files cannot be written into the folder, which may not be there yet."""
    folder = Path(folder)
    with _one_sentence(folder):
        nearest = folder
        while not _exists(nearest) and nearest != nearest.parent:
            nearest = nearest.parent
        if not nearest.is_dir():
            raise OutputError(f"The output {_shown(nearest)} is a file, not a folder; name another one.")
        if not os.access(nearest, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _exists(path: Path) -> bool:
    """As ``Path.exists``; the fault is raised when that cannot be told (a name too long, a folder one may not enter)."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


@contextmanager
def _one_sentence(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(_sentence(path, error)) from None
    except LungcadError:
        raise
    except ValueError:
        if "\0" not in os.fspath(path):
            raise
        raise OutputError(f"The output {_shown(path)} cannot be written: its name holds a NUL character.") from None


def _sentence(path: Path, error: OSError) -> str:
    if error.errno in _FULL:
        return f"The disk is full: {_shown(path)} could not be written and nothing is left of it; free some space and run this again."
    if error.errno == errno.ENAMETOOLONG:
        return f"The output's name is too long for the file system ({len(os.fspath(path))} characters); choose a shorter one."
    return (
        f"The output {_shown(path)} cannot be written ({os.strerror(error.errno) if error.errno else type(error).__name__}); choose "
        "another place."
    )


def _shown(path: Path) -> str:
    name = printable(path)
    return f"'{name}'" if len(name) <= 200 else f"'{name[:80]}…{name[-80:]}'"
