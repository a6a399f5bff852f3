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
    api_key: what callers must send, or None for everybody. hosts: names under which the server may be addressed, ``*`` for any.
    """

    max_upload_bytes: int = 64 * 2**20
    max_bytes_at_once: int = 512 * 2**20
    seconds: float = 120.0
    predictions_at_once: int = 64
    explanations_at_once: int = 16
    batch: int = 16
    slow_threads: int = max((os.cpu_count() or 2) - 1, 1)
    api_key: str | None = None
    hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "[::1]")
