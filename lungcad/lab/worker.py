"""Training in a process of its own: the pages stay quick, Stop is at once, and what training takes in memory goes with the process.

``python -m lungcad.lab.worker`` reads settings, a JSON line each, from standard input, and answers in JSON lines on standard output; it ends with its input.
A :class:`Worker` is the other side. It is kept waiting between trainings, because starting Python with torch takes longer than a short training.
"""

import base64
import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from lungcad.errors import LungcadError
from lungcad.lab.settings import LabSettings
from lungcad.progress import Progress

PATIENCE = 0.2
"""Seconds between two looks whether somebody wants the training to stop."""


class Worker:
    """One process that trains, one training at a time. Not for several threads at once."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._lines: queue.Queue[str | None] = queue.Queue()

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """Of the process; None where there is none."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Begin the process unless it runs; it loads what it needs and waits."""
        if self.is_alive:
            return
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lungcad.lab.worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )  # fmt: skip
        self._lines = queue.Queue()
        threading.Thread(target=_forward, args=(self._process, self._lines), daemon=True).start()

    def train(
        self, settings: LabSettings, *, on_progress: Progress, on_epoch: Callable[[dict[str, Any]], None], check: Callable[[], None]
    ) -> dict[str, Any]:
        """Results, and the head's weights as safetensors (``head``: bytes).

        check: called several times a second; what it raises ends the process, as does what the others raise. Raises :class:`LungcadError`.
        """
        self.start()
        process = self._process
        if process is None or process.stdin is None:
            raise LungcadError("The lab's process could not be started; press Train again.")
        try:
            with contextlib.suppress(BrokenPipeError):  # the missing answer below says it
                process.stdin.write(settings.model_dump_json() + "\n")
                process.stdin.flush()
            while True:
                check()
                try:
                    line = self._lines.get(timeout=PATIENCE)
                except queue.Empty:
                    continue
                if line is None:
                    raise LungcadError("The lab's process ended before its training did (out of memory?); press Train again.")
                message = json.loads(line)
                match message.pop("event"):
                    case "progress":
                        on_progress(message["done"], message["total"])
                    case "epoch":
                        on_epoch(message)
                    case "error":
                        raise LungcadError(message["sentence"])
                    case "done":
                        return {"results": message["results"], "head": base64.b64decode(message["head"])}
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the process at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def _forward(process: subprocess.Popen[str], lines: "queue.Queue[str | None]") -> None:
    for line in process.stdout or ():
        lines.put(line)
    lines.put(None)


def _answer(settings_line: str) -> None:
    import safetensors.torch

    from lungcad.lab.run import run

    settings = LabSettings.parse(json.loads(settings_line), "Settings", LungcadError)
    outcome = run(
        settings,
        on_progress=lambda done, total: _tell("progress", done=done, total=total),
        on_epoch=lambda epoch: _tell("epoch", **asdict(epoch)),
    )
    head = base64.b64encode(safetensors.torch.save(outcome.head.state_dict())).decode()
    _tell("done", results=outcome.results.to_dict(), head=head)


def _tell(event: str, **facts: object) -> None:
    print(json.dumps({"event": event, **facts}), flush=True)


def main() -> None:
    """Answer until the input ends."""
    from lungcad.lab import frozen

    with contextlib.suppress(LungcadError):  # a training will say so
        frozen.projection_sha256()
    from lungcad.lab import run  # noqa: F401  loaded before anybody waits for it

    for line in sys.stdin:
        try:
            _answer(line)
        except LungcadError as error:
            _tell("error", sentence=str(error))


if __name__ == "__main__":
    main()
