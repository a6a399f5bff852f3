"""What lies in a folder of lungcad's own, where one that may not be read is said and not taken for an empty one."""

import os
import stat
from fnmatch import fnmatch
from pathlib import Path

from lungcad.errors import LungcadError
from lungcad.names import printable


def listed(folder: Path, pattern: str) -> list[Path]:
    """The files of a folder whose names fit a pattern (``*.json``), sorted; none where there is no folder.

    Raises :class:`LungcadError` for a folder that may not be read: :meth:`pathlib.Path.glob` takes it for an empty one.
    """
    return [folder / name for name in _names(folder) if fnmatch(name, pattern)]


def listed_folders(root: Path, file: str) -> list[Path]:
    """The folders of a folder that hold a file of that name, sorted, with those that do not let one see whether they do: who reads them is told.

    Raises :class:`LungcadError` where ``root`` may not be read.
    """
    return [root / name for name in _names(root) if _may_hold(root / name / file)]


def _names(folder: Path) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise LungcadError(f"The folder {printable(folder)!r} cannot be read ({error.strerror}); check its permissions.") from None


def _may_hold(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except PermissionError:
        return True
    except OSError:
        return False
