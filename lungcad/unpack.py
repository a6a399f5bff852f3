"""A zip from a stranger, unpacked under limits that hold while it is unpacked, whatever its headers say."""

import os
import stat
import struct
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO

from lungcad.errors import DatasetError
from lungcad.names import printable

_ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!", b"\x28\xb5\x2f\xfd")
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Limits:
    """total: bytes after unpacking. files, depth: how many, and how many folders deep. seconds: in all."""

    total: int = 2 << 30
    files: int = 20_000
    depth: int = 8
    seconds: float = 120.0


def unpack_zip(archive: BinaryIO, folder: Path, *, limits: Limits = Limits(), clock: Callable[[], float] = time.monotonic) -> int:
    """Unpack into ``folder``, which is there and empty; how many files.

    Raises :class:`DatasetError` in one sentence for what is no zip, is damaged or encrypted, holds links, absolute paths, ``..`` or
    archives, or passes a limit. The caller removes the folder then.
    """
    writer = _LimitedWriter(folder, limits, clock)
    for name, chunks in _members(archive, limits):
        writer.write(name, chunks)
    return writer.files


def read_zip(archive: BinaryIO, *, limits: Limits = Limits(), clock: Callable[[], float] = time.monotonic) -> list[bytes]:
    """The contents of its files, without a byte on the disk, in the order of a walk through the unpacked folder; hidden ones stay out.

    Refuses what :func:`unpack_zip` refuses.
    """
    budget, contents = _Budget(limits, clock), dict[tuple[str, ...], bytes]()
    for name, chunks in _members(archive, limits):
        parts = _inner_parts(name, limits.depth)
        if parts in contents:
            raise _comes_twice(name)
        contents[parts] = b"".join(budget.spend(name, chunks))
    in_order = sorted(contents, key=lambda parts: (*((1, folder) for folder in parts[:-1]), (0, parts[-1])))
    return [contents[parts] for parts in in_order if not parts[-1].startswith(".")]


def take_files(
    files: Iterable[tuple[str, bytes]], folder: Path, *, limits: Limits = Limits(), clock: Callable[[], float] = time.monotonic
) -> int:
    """The same limits for files that were dropped one by one: (path inside the dropped folder, content)."""
    writer = _LimitedWriter(folder, limits, clock)
    for name, data in files:
        writer.write(name, [data])
    return writer.files


class _Budget:
    """Counts what comes out of an archive, up to the limits."""

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        self.limits, self.clock = limits, clock
        self.files = self.bytes = 0
        self.until = clock() + limits.seconds

    def spend(self, name: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The chunks of one more file. Raises :class:`DatasetError` for one file too many, and at the first chunk that passes a limit."""
        self.files += 1
        if self.files > self.limits.files:
            raise DatasetError(f"There are more than {self.limits.files:,} files; drop fewer.")
        return self._counted(name, chunks)

    def _counted(self, name: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for index, chunk in enumerate(chunks):
            if index == 0 and chunk.startswith(_ARCHIVES):
                raise DatasetError(f"The file {printable(name)[-100:]!r} is an archive itself; unpack it first, or leave it out.")
            self.bytes += len(chunk)
            if self.bytes > self.limits.total:
                raise DatasetError(f"The files have more than {self.limits.total >> 20:,} MiB; drop fewer.")
            if self.clock() > self.until:
                raise DatasetError(f"The files took longer than {self.limits.seconds:.0f} s to unpack; drop fewer.")
            yield chunk


class _LimitedWriter:
    """Writes files into a folder, up to the limits."""

    def __init__(self, folder: Path, limits: Limits, clock: Callable[[], float]) -> None:
        self.folder, self.budget = folder, _Budget(limits, clock)

    @property
    def files(self) -> int:
        return self.budget.files

    def write(self, name: str, chunks: Iterable[bytes]) -> None:
        path = self.folder.joinpath(*_inner_parts(name, self.budget.limits.depth))
        checked = self.budget.spend(name, chunks)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as target:
                for chunk in checked:
                    target.write(chunk)
        except FileExistsError:
            raise _comes_twice(name) from None
        except OSError as error:
            raise DatasetError(f"The file {printable(name)[-100:]!r} could not be unpacked: {error.strerror}.") from None


def _comes_twice(name: str) -> DatasetError:
    return DatasetError(f"The name {printable(name)[-100:]!r} comes twice; give each file a name of its own.")


@contextmanager
def _damage_told() -> Iterator[None]:
    """Around zipfile's own work, and no other."""
    try:
        yield
    except DatasetError:
        raise
    except Exception:  # zipfile raises many types on a damaged archive
        raise DatasetError("The file is not a zip, or is damaged; make it again.") from None


def _members(archive: BinaryIO, limits: Limits) -> Iterator[tuple[str, Iterator[bytes]]]:
    """(name, chunks) of every file in the zip; of a kind that is unpacked."""
    with _damage_told():
        _check_directory(archive, limits)
        archive.seek(0)
        with zipfile.ZipFile(archive) as opened:
            for member in opened.infolist():
                if member.is_dir():
                    continue
                _check_member(member)
                with opened.open(member) as source:
                    yield member.filename, _chunks(source)


def _chunks(source: IO[bytes]) -> Iterator[bytes]:
    with _damage_told():
        yield from iter(partial(source.read, _CHUNK), b"")


def _inner_parts(name: str, depth: int) -> tuple[str, ...]:
    """The path's parts, none of which leads out."""
    path = PurePosixPath(name.replace("\\", "/"))
    parts = path.parts
    if not parts or path.is_absolute() or ".." in parts or ":" in parts[0] or "\0" in name:
        raise DatasetError(f"The path {printable(name)[:100]!r} leads out of the zip; make it again from inside the folder.")
    try:
        os.fsencode(name)
    except UnicodeEncodeError:  # half a character
        raise DatasetError(f"The name {printable(name)[-100:]!r} is none that a file can have; give it another.") from None
    if len(parts) - 1 > depth:
        raise DatasetError(f"The path {printable(name)[:100]!r} is more than {depth} folders deep; drop a flatter folder.")
    return parts


def _check_member(member: zipfile.ZipInfo) -> None:
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise DatasetError(f"{printable(member.filename)[:100]!r} in the zip is a link or a device; zip the files themselves.")
    if member.flag_bits & 0x1:
        raise DatasetError("The zip is encrypted; drop one without a password.")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DatasetError("The zip is packed in an unusual way; make it with the usual 'deflate'.")


def _check_directory(archive: BinaryIO, limits: Limits) -> None:
    """Before zipfile reads the whole list of members into memory: is it short enough?"""
    archive.seek(0, 2)
    size = archive.tell()
    start = max(size - (1 << 16) - 22, 0)
    archive.seek(start)
    tail = archive.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        raise DatasetError("The file is not a zip, or is damaged; make it again.")
    n, length = struct.unpack_from("<HI", tail, at + 10)
    if b"PK\x06\x07" in tail[max(at - 20, 0) : at] or n > limits.files or length > 512 * (limits.files + 1):
        raise DatasetError(f"There are more than {limits.files:,} files in the zip; drop fewer.")
