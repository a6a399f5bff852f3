"""A file that is read like one of the disk, and never was there."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO


@dataclass(frozen=True, eq=False)
class MemoryFile:
    """What the readers of series ask of a path."""

    data: bytes

    def is_file(self) -> bool:
        """It is."""
        return True

    def open(self, _mode: str = "rb") -> BinaryIO:
        """From its beginning, to read."""
        return io.BytesIO(self.data)

    def read_bytes(self) -> bytes:
        """All of it."""
        return self.data


SeriesFile = Path | MemoryFile
