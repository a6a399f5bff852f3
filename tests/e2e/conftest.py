"""A warm server and a real browser."""

import io
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from lungcad.bench.runs import synthetic_run

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[2]
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SIZES, SCHEMES = ((1440, 900), (390, 844)), ("light", "dark")
"""Of the window, and of the page's colours."""
LARGEST_SCREENSHOT = 120_000
"""Bytes."""


@contextmanager
def running(log: Path, script: str = "streamlit_app.py", **environment: str) -> Iterator[str]:
    """Base address of the app, started as the README starts it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", script, "--server.port", str(port), "--server.headless", "true",
               "--server.address", "127.0.0.1"]  # fmt: skip
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, env=os.environ | environment)
        address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 60
        while True:
            try:
                with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2):
                    break
            except OSError:
                assert process.poll() is None and time.monotonic() < deadline, "the server did not start"
                time.sleep(0.2)
        yield address
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    with running(tmp_path_factory.mktemp("server") / "log.txt") as address:
        yield address


@pytest.fixture(scope="module")
def synthetic_runs(tmp_path_factory) -> Path:
    """Ten runs of 10,000 predictions, r0 to r9."""
    folder = tmp_path_factory.mktemp("runs")
    for seed in range(10):
        synthetic_run(folder, f"r{seed}", 10_000, seed)
    return folder


@pytest.fixture(scope="module")
def synthetic_server(tmp_path_factory, synthetic_runs):
    with running(tmp_path_factory.mktemp("server") / "log.txt", LUNGCAD_RUNS=str(synthetic_runs)) as address:
        yield address


@pytest.fixture(scope="module")
def bare_server(tmp_path_factory):
    with running(tmp_path_factory.mktemp("server") / "log.txt", "tests/e2e/bare_app.py") as address:
        yield address


@pytest.fixture(scope="session")
def browser():
    """Chromium; tests skip without one, except on CI, which installs it."""
    if BROWSER is None:
        if os.environ.get("CI"):
            pytest.fail("CI must have a browser: .ci/run installs chromium")
        pytest.skip("no chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=BROWSER,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        )
        yield browser
        browser.close()


@pytest.fixture
def tab(browser, server):
    """A fresh page 1440 pixels wide whose console must stay free of errors of the app."""
    context = browser.new_context(viewport={"width": 1440, "height": 1500}, accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(30_000)
    yield page
    context.close()


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """Where screenshots go: outside git, unless LUNGCAD_SCREENSHOTS=tests/e2e/screenshots makes those of the repository anew."""
    folder = Path(os.environ.get("LUNGCAD_SCREENSHOTS", ROOT / ".screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def save_screenshot(page: "Page", path: Path) -> None:
    """What is in the window, as a small WebP."""
    Image.open(io.BytesIO(page.screenshot())).convert("RGB").save(path, quality=45, method=6)
    assert path.stat().st_size < LARGEST_SCREENSHOT


@pytest.fixture(scope="session")
def viewer_server(tmp_path_factory):
    """The page tests/e2e/viewer_app.py."""
    with running(tmp_path_factory.mktemp("server") / "log.txt", "tests/e2e/viewer_app.py") as address:
        yield address


@pytest.fixture
def shown(tab, viewer_server):
    """The page of viewers, drawn and settled; ``frames_sent`` of it are the messages that the page sends to the server."""
    from playwright.sync_api import expect

    tab.set_default_timeout(60_000)
    sent: list[object] = []
    tab.on("websocket", lambda socket: socket.on("framesent", lambda payload: sent.append(payload)))
    tab.goto(viewer_server)
    tab.frames_sent = sent
    expect(tab.locator(".st-key-pair .readout").first).to_contain_text("300×200 px")
    expect(tab.locator(".st-key-pair .scale")).to_have_count(2)
    tab.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    return tab
