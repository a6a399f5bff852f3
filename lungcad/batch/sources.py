"""Where the images of a batch come from: a folder, a Parquet list of paths, or either behind a URL that fsspec opens."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq

from lungcad.datasets.listing import LEFT_BEHIND, ImageWalk
from lungcad.errors import DatasetError, ImageError, LungcadError
from lungcad.imaging.io import MAX_BYTES, read_file
from lungcad.names import case_id, printable, text_of_id

LIST_SUFFIX = ".parquet"
OTHER_COLUMNS = ("id", "label", "group")
ROWS_AT_ONCE = 10_000
"""Of a list, in memory."""


@dataclass(frozen=True)
class Source:
    """An image of a batch. id: its name in the rows. location: path or URL. Both as :func:`~lungcad.names.case_id` writes them.

    label: its true class, where a list gives one. group: patient or series, within which images are alike.
    """

    id: str
    location: str
    label: str | None = None
    group: str | None = None


class Sources:
    """The images of a folder or list, one after the other, always in the same order.

    given: a folder, a file that ends in .parquet (a column ``path``; ``id`` where the paths are not to be the names; ``label`` and ``group``, for metrics),
    or a URL of either.
    notes: once all images were given, what was not looked at, a sentence each. Raises :class:`DatasetError` in one sentence where there is no such
    folder or list.
    """

    def __init__(self, given: str) -> None:
        self.given, self.notes = given, list[str]()
        _refuse_password(given, "The URL")

    def __iter__(self) -> Iterator[Source]:
        if self.given.endswith(LIST_SUFFIX):
            return self._of_list()
        return self._of_url() if is_url(self.given) else self._of_folder()

    def _of_folder(self) -> Iterator[Source]:
        walk, root = ImageWalk(self.given), Path(self.given).absolute()
        for file in walk:
            yield Source(case_id(file), case_id(os.fspath(root / file)))
        self.notes += walk.listing().sentences

    def _of_url(self) -> Iterator[Source]:
        """All files but hidden ones, without a look inside: each look would cost a request."""
        if "::" in self.given:
            raise DatasetError("A folder behind several addresses (::) cannot be listed; name its files in a Parquet list.")
        with _one_sentence(self.given):
            system, root = fsspec.url_to_fs(self.given)
            if not system.isdir(root):
                raise DatasetError(f"There is no folder {printable(self.given)[:200]!r}; check the URL.")
            for folder, folders, files in system.walk(root):
                folders[:] = sorted(name for name in folders if not _is_left_behind(name))
                for name in sorted(name for name in files if not _is_left_behind(name)):
                    path = f"{folder.rstrip('/')}/{name}"
                    yield Source(case_id(path[len(root) :].strip("/")), case_id(system.unstrip_protocol(path)))

    def _of_list(self) -> Iterator[Source]:
        with _one_sentence(self.given), fsspec.open(self.given, "rb") as file:
            try:
                table = pq.ParquetFile(file)
            except pa.ArrowException:
                raise DatasetError(f"The list {printable(self.given)[-200:]!r} is no Parquet file; write it anew.") from None
            names = table.schema_arrow.names
            if "path" not in names:
                raise DatasetError(
                    f"The list has the columns {', '.join(names)[:200]}; it needs one named path, and may have others named {', '.join(OTHER_COLUMNS)}."
                )
            for batch in table.iter_batches(ROWS_AT_ONCE, columns=[name for name in ("path", *OTHER_COLUMNS) if name in names]):
                for row in batch.to_pylist():
                    path, name = row["path"], row.get("id", row["path"])
                    if not isinstance(path, str) or not path.strip() or name is None:
                        raise DatasetError("The list has a row without a path or an id; take it out.")
                    _refuse_password(path, "A URL in the list")
                    yield Source(case_id(str(name)), case_id(self._located(path)), _text(row.get("label")), _text(row.get("group")))

    def _located(self, path: str) -> str:
        """Paths in a list on this machine are relative to the list."""
        return path if is_url(path) or is_url(self.given) else os.fspath(Path(self.given).absolute().parent / path)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _refuse_password(text: str, what: str) -> None:
    if is_url(text) and urlsplit(text).password:
        raise DatasetError(f"{what} holds a password, which would stand in what is written; put it into fsspec's configuration instead.")


def located(given: str) -> str:
    """A folder or list by its whole path, so that the same words elsewhere are not taken for the same place; a URL as it is."""
    return given if is_url(given) else os.path.abspath(given)


def is_url(text: str) -> bool:
    """Whether fsspec is asked, and not this machine's file system."""
    return "://" in text or "::" in text


def read_bytes(location: str) -> bytes:
    """What is at a :attr:`Source.location`. Raises :class:`ImageError` in one sentence where it cannot be had, or is too large."""
    text = text_of_id(location)
    if not is_url(text):
        return read_file(Path(text))
    try:
        with fsspec.open(text, "rb") as file:
            data: bytes = file.read(MAX_BYTES + 1)  # one more than is allowed: the reader of images says so
    except Exception as error:  # each file system of fsspec raises errors of its own
        cause = _cause(error)
        if isinstance(cause, FileNotFoundError):
            raise ImageError("There is no such file at that address; check it.") from None
        raise ImageError(f"The file cannot be fetched ({type(cause).__name__}); check address, rights and connection.") from None
    return data


def _cause(error: BaseException) -> BaseException:
    """What fsspec's HTTP calls a missing file, be it a refused connection, an unknown host or an answer of 403 or 500."""
    while (
        isinstance(error, FileNotFoundError) and error.__cause__ is not None and getattr(error.__cause__, "status", None) not in (404, 410)
    ):
        error = error.__cause__
    return error


def _is_left_behind(name: str) -> bool:
    return name.startswith(".") or name.lower() in LEFT_BEHIND


@contextmanager
def _one_sentence(given: str) -> Iterator[None]:
    """What fsspec and pyarrow raise, of many types, for an address that cannot be had."""
    try:
        yield
    except LungcadError:
        raise
    except ImportError as error:
        raise DatasetError(f"This kind of URL needs a package that is not installed here ({error}).") from None
    except Exception as error:  # each file system of fsspec raises errors of its own
        cause = _cause(error)
        if isinstance(cause, FileNotFoundError):
            raise DatasetError(f"There is no {printable(given)[-200:]!r}; check the path or URL.") from None
        raise DatasetError(
            f"{printable(given)[-200:]!r} cannot be read ({type(cause).__name__}); check address, rights and connection."
        ) from None
