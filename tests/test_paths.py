"""Every path once: beside the code in a checkout, inside the package where lungcad is installed."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lungcad import paths

ASK = "import json, lungcad.paths as p; print(json.dumps({n: str(v) for n, v in vars(p).items() if n.isupper()} | {'w': str(p.to_write(p.TRUST))}))"


def ask(cwd: Path, **environment: str) -> dict[str, str]:
    done = subprocess.run(
        [sys.executable, "-c", ASK], cwd=cwd, env={"PYTHONPATH": str(cwd), **environment}, capture_output=True, check=True
    )
    return json.loads(done.stdout)


@pytest.fixture
def package(tmp_path):
    """The package alone, as a wheel installs it."""
    (tmp_path / "lungcad").mkdir()
    for name in ("__init__.py", "paths.py"):
        shutil.copy(Path(paths.__file__).with_name(name), tmp_path / "lungcad")
    return tmp_path


def test_in_a_checkout_all_is_beside_the_code():
    assert paths.IS_CHECKOUT and paths.APP.is_file() and paths.WEIGHTS.is_dir() and paths.EXAMPLES.is_dir()
    assert paths.to_write(paths.TRUST) == paths.TRUST


def test_installed_nothing_is_written_into_the_package(package):
    found = ask(package)
    inside = package / "lungcad" / "_app"
    assert found["WEIGHTS"] == str(inside / "weights") and found["RUNS"] == str(inside / "data" / "runs")
    assert found["DATA"] == "data" and found["CHECKPOINTS"] == "runs" and found["w"] == str(Path("data") / "trust")


def test_the_environment_names_other_runs(package, tmp_path):
    assert ask(package, LUNGCAD_RUNS=str(tmp_path / "elsewhere"))["RUNS"] == str(tmp_path / "elsewhere")
    assert paths.to_write(tmp_path / "elsewhere") == tmp_path / "elsewhere"


def test_the_environment_names_where_data_sets_lie(package, tmp_path):
    assert ask(package, LUNGCAD_DATA=str(tmp_path / "sets"))["DATA_PLACES"] == str((tmp_path / "sets",))
    assert str(Path("data")) in ask(package)["DATA_PLACES"]
