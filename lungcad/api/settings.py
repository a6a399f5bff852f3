"""What whoever runs the server decides."""

import os
from dataclasses import dataclass

KEY = "LUNGCAD_API_KEY"
"""Environment variable that holds the key which callers must send; a command line could be read by others on the machine."""


@dataclass(frozen=True)
class Settings:
    """max_upload_bytes: of one request. max_bytes_at_once: of all uploads that are in memory together.

    seconds: after which a request is given up. predictions_at_once, explanations_at_once: how many are admitted; the next one is told at once to come
    back. batch: most images that go through a network together. slow_threads: explanations and checks computed at the same time.
    max_series_bytes, max_series_bytes_at_once: the same of series, which wait in memory for their turn; each may unpack to max_unpacked_bytes.
    volumes_at_once: series that wait or are read, one after the other. volume_seconds: after which one is given up. volume_kept_seconds: after
    which the answer to one is forgotten.
    api_key: what callers must send, or None for everybody. hosts: names under which the server may be addressed, ``*`` for any.
    """

    max_upload_bytes: int = 64 * 2**20
    max_bytes_at_once: int = 512 * 2**20
    seconds: float = 120.0
    predictions_at_once: int = 64
    explanations_at_once: int = 16
    batch: int = 16
    slow_threads: int = max((os.cpu_count() or 2) - 1, 1)
    max_series_bytes: int = 256 * 2**20
    max_series_bytes_at_once: int = 512 * 2**20
    max_unpacked_bytes: int = 2**30
    volumes_at_once: int = 4
    volume_seconds: float = 1800.0
    volume_kept_seconds: float = 900.0
    api_key: str | None = None
    hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "[::1]")
