"""The entry about the first minute: commands and the app, each in a process of its own that has nothing in memory.

The files lie in the operating system's cache ("warm disk"): each command has run once before it is timed, because emptying that cache needs rights that not
everyone has. Beside the wall clock stands the processor time, which hardly depends on what else the machine does.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from lungcad.bench.entry import Row, entry
from lungcad.bench.timing import baseline_model
from lungcad.errors import LungcadError
from lungcad.paths import EXAMPLES, WORK

REPEATS = 3
PATIENCE = 600.0
"""Seconds after which a step of the app is given up."""
FORWARD = """
import torch, timm
network = timm.create_model("tf_efficientnet_lite0", num_classes=4).eval()
with torch.no_grad():
    network(torch.zeros(1, 3, 224, 224))
"""
MAP_IS_DRAWN = """() => {
    const root = document.querySelector('.st-key-maps .stBidiComponent div[data-testid]')?.shadowRoot
    return (root?.querySelector('.viewer')?.lungcadViewer?.shownMaps() ?? []).length > 0
}"""


@dataclass(frozen=True)
class Step:
    """key: of the row's facts ``KEY_s`` and ``KEY_cpu_s``. before: seconds that issue 15 reports. aim: what it asks for."""

    key: str
    what: str
    before: str = "–"
    aim: str = "–"


STEPS = (
    Step("imports", '`python -c "import torch, timm"`', "5"),
    Step("forward", "the same, and one forward pass of EfficientNet-Lite0 with random weights"),
    Step("models", "`lungcad models`", "11 to 18", "1.5"),
    Step("predict", "`lungcad predict` of one slice", "10 to 12", "1.5 times the line with the forward pass"),
    Step("server", "`lungcad app`, until the server answers", "1.8"),
    Step("heading", "… until the home page's heading stands", "17.6", "1.5 after the server answers"),
    Step("answer", "… until Predict, opened then, shows its answer", "20.9", "8"),
    Step("picture", "… and its picture", "25.4", "8"),
    Step("map", "… and the heat map on it"),
)
"""What is timed; before: issue 15, on two free cores of its machine (the steps of the app added up from its start)."""


@entry(seconds=90)
def cold_start(_: Path | None) -> Row:
    """`lungcad predict` of one slice in a process of its own against importing torch and timm and one forward pass (lower is better; aim: at most 1.5)."""
    model, example = baseline_model().card.name, next(iter(sorted(EXAMPLES.glob("*.png"))), None)
    if example is None:
        raise LungcadError("The benchmark needs the slices in data/examples; restore them from the repository.")
    commands = {
        "imports": ["-c", "import torch, timm"],
        "forward": ["-c", FORWARD],
        "models": ["-m", "lungcad", "models"],
        "predict": ["-m", "lungcad", "predict", str(example), "--model", model],
    }
    facts: Row = {}
    for key, arguments in commands.items():
        timed = [_command_seconds(arguments) for _ in range(REPEATS + 1)][1:]  # the first warms the disk's cache
        facts[f"{key}_s"], facts[f"{key}_cpu_s"] = (round(float(np.median(each)), 3) for each in zip(*timed, strict=True))
    facts |= _app_seconds()
    ours, other = float(facts["predict_s"]), float(facts["forward_s"])
    return {
        "ours": ours,
        "plain": other,
        "ratio": ours / other,
        "unit": "s",
        "disk": "warm",
        "priority": os.nice(0) if hasattr(os, "nice") else 0,
        **facts,
    }


def _command_seconds(arguments: list[str]) -> tuple[float, float]:
    """(wall seconds, processor seconds) of a Python process."""
    before, start = os.times(), time.perf_counter()
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, cwd=WORK)
    seconds, after = time.perf_counter() - start, os.times()
    if done.returncode:
        raise LungcadError(f"'python {' '.join(arguments)[:80]}' ended with status {done.returncode}: {done.stderr.strip()[-200:]}.")
    return seconds, after.children_user + after.children_system - before.children_user - before.children_system


def _app_seconds() -> Row:
    """From the start of ``lungcad app``, in wall and processor seconds of the server: it answers; in a browser the heading, the answer, picture and map."""
    with _browser() as browser:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        address, start = f"http://localhost:{port}", time.perf_counter()
        command = [sys.executable, "-m", "lungcad", "app", "--server.port", str(port), "--server.headless", "true"]
        server = subprocess.Popen(command, cwd=WORK, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        facts: Row = {}

        def reached(key: str) -> None:
            facts[f"{key}_s"] = round(time.perf_counter() - start, 3)
            facts[f"{key}_cpu_s"] = round(sum(psutil.Process(server.pid).cpu_times()[:2]), 3)

        try:
            _wait_until(lambda: _answers(f"{address}/_stcore/health"), server)
            reached("server")
            if browser is None:
                return facts | {"left_out": "the pages: playwright or Chromium is not installed"}
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.set_default_timeout(1000 * PATIENCE)
            page.goto(address, wait_until="commit")
            page.locator("h1").first.wait_for()
            reached("heading")
            page.goto(f"{address}/Predict", wait_until="commit")
            for key, selector in (("answer", ".st-key-class h2"), ("picture", ".st-key-maps .stage canvas")):
                page.locator(selector).first.wait_for()
                reached(key)
            page.wait_for_function(MAP_IS_DRAWN)
            reached("map")
        finally:
            server.terminate()
            server.wait()
    return facts


@contextmanager
def _browser() -> Iterator[Any]:
    """Chromium, started beforehand; None where it or playwright is not installed."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        path = None
    if path is None:
        yield None
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2):  # noqa: S310  an address of our own  # nosec B310
            return True
    except OSError:
        return False


def _wait_until(condition: Callable[[], bool], server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if server.poll() is not None or time.monotonic() > deadline:
            raise LungcadError("The app did not start; 'lungcad app' says why.")
        time.sleep(0.02)
