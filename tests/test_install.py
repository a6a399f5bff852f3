"""Built as a wheel and installed elsewhere, lungcad carries pages, weights and data, and writes nothing into itself."""

import json
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A fresh environment with the wheel, and the libraries of this one: its bin folder."""
    work = tmp_path_factory.mktemp("installed")
    source = work / "source"
    files = subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607
    for name in filter(None, files.stdout.split("\0")):
        if not name.startswith("tests/") and (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            os.link(ROOT / name, source / name) if os.stat(ROOT).st_dev == os.stat(work).st_dev else shutil.copy(ROOT / name, source / name)
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(work), str(source)]
    subprocess.run(build, check=True)
    (wheel,) = work.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(work / "env")], check=True)
    (packages,) = (work / "env").glob("lib/python*/site-packages")
    (packages / "libraries.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    bin_folder = work / "env" / "bin"
    install = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(bin_folder / "python"),
        "install",
        "-q",
        "--no-deps",
        "--force-reinstall",
        str(wheel),
    ]
    subprocess.run(install, check=True)
    return bin_folder


def test_the_installed_package_has_all_that_the_checkout_has(installed, tmp_path):
    done = subprocess.run([installed / "lungcad", "models", "--json"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert [card["name"] for card in json.loads(done.stdout)] == sorted(path.stem for path in (ROOT / "weights").glob("*.json"))
    script = "from lungcad import paths; print(paths.SHIPPED)"
    shipped = Path(
        subprocess.run([installed / "python", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True).stdout.strip()
    )
    assert installed.parent in shipped.parents
    for pattern in (
        "pages/*.py",
        "weights/*.safetensors",
        "data/runs/*/run.json",
        "data/trust/*/cases.parquet",
        "data/index/*",
        "data/examples/*",
        "data/examples/contours/*",
        "data/truth/*",
        "data/taught/*",
        "data/concepts/*",
        "data/concepts/tcav/*",
    ):
        assert {path.relative_to(ROOT) for path in ROOT.glob(pattern)} == {path.relative_to(shipped) for path in shipped.glob(pattern)}, (
            pattern
        )


def test_the_app_starts_outside_the_checkout(installed, tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [installed / "lungcad", "app", "--host", "127.0.0.1", "--server.port", str(port), "--server.headless", "true"]
    with (tmp_path / "log.txt").open("w") as log:
        server = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 90
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2) as answer:
                    assert answer.read() == b"ok"
                    break
            except OSError:
                assert server.poll() is None and time.monotonic() < deadline, (tmp_path / "log.txt").read_text()
                time.sleep(0.2)
    finally:
        server.terminate()
        server.wait(timeout=20)
    assert [path.name for path in tmp_path.iterdir()] == ["log.txt"]
