"""SECURITY.md names tests that exist; Dockerfile and compose file name what the repository holds."""

import ast
import re
from pathlib import Path

import yaml

from lungcad.api.settings import KEY
from lungcad.datasets import DATASETS

ROOT = Path(__file__).resolve().parents[1]
SECURITY = (ROOT / ".github" / "SECURITY.md").read_text("utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
DEPLOY = ROOT / ".github" / "deploy"


def test_every_promise_names_a_test_that_exists():
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", SECURITY)
    assert len(named) > 20
    for file, test in named:
        functions = {node.name for node in ast.walk(ast.parse((ROOT / file).read_text("utf-8"))) if isinstance(node, ast.FunctionDef)}
        assert test in functions, f"{file}::{test}"
    promises = SECURITY.partition("| promise | held by |")[2].partition("\n\n")[0].splitlines()[2:]
    assert all(re.search(r"`tests/.*::test_", promise.split("|")[2]) for promise in promises)


def test_files_that_security_names_exist():
    for link in re.findall(r"\]\((?!http)([^)]+)\)", SECURITY):
        assert (ROOT / ".github" / link).exists(), link


def test_the_image_runs_as_nobody_and_tells_its_health():
    users = re.findall(r"^USER (\S+)", DOCKERFILE, flags=re.MULTILINE)
    assert users == ["lungcad"] and "useradd --create-home --uid 10001 lungcad" in DOCKERFILE
    assert DOCKERFILE.index("USER lungcad") < DOCKERFILE.index("HEALTHCHECK") < DOCKERFILE.index('CMD ["lungcad"')
    assert re.search(r"ARG DEVICE=cpu", DOCKERFILE) and "8600/health" in DOCKERFILE


def test_the_image_gets_what_the_wheel_ships_and_no_data_set():
    left_out = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    shipped = re.findall(r'"([^"]+)"', (ROOT / "setup.py").read_text().partition("SHIPPED = (")[2].partition(")")[0])
    for path in (*shipped, "lungcad/", "setup.py", "pyproject.toml", "MANIFEST.in", "requirements.txt", "README.md"):
        assert not any(path == name or path.startswith(f"{name}/") for name in left_out), path
    assert {f"data/{dataset.folder}" for dataset in DATASETS.values()} <= set(left_out)


def test_the_lock_holds_every_requirement_by_hash():
    """After a change of requirements.txt: the command in the lock's own head."""
    lock = (ROOT / ".github" / "requirements.lock").read_text()
    entry = re.compile(r"^([\w.-]+==\S+)[^\n]*\\\n((?: +--hash=sha256:[0-9a-f]{64}[ \\]*\n?)+)", re.MULTILINE)
    locked = {name: hashes.count("--hash=sha256:") for name, hashes in entry.findall(lock)}
    wanted = [line.split(" ")[0] for line in (ROOT / "requirements.txt").read_text().splitlines() if re.match(r"[\w.-]+==", line)]
    assert len(wanted) > 40 and not set(wanted) - locked.keys()
    assert len(locked) == len(re.findall(r"^[\w.-]+==", lock, re.MULTILINE)) and min(locked.values()) > 0
    assert "--require-hashes -r requirements.lock" in DOCKERFILE


def test_the_compose_file_opens_only_the_proxy():
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    services = compose["services"]
    assert set(services) == {"api", "app", "proxy"} and [name for name in services if "ports" in services[name]] == ["proxy"]
    for name in ("api", "app"):
        assert services[name]["read_only"] and services[name]["cap_drop"] == ["ALL"] and services[name]["command"][0] == "lungcad"
    assert KEY in services["api"]["environment"]
    assert (DEPLOY / services["api"]["build"]["context"] / "Dockerfile").is_file()
    proxy = (DEPLOY / "Caddyfile").read_text()
    for hidden in ("/metrics", "/_stcore/metrics"):
        assert f"handle {hidden} {{\n\t\trespond 404" in proxy
