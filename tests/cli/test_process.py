"""The command line as a process of its own, as a pipe sees it."""

import json
import os
import subprocess
import sys

import pytest

from lungcad.imaging.phantom import make_phantom


def test_as_a_process_stdout_is_json_alone(png):
    """Through ``python -m lungcad`` itself, with the shipped networks."""
    environment = os.environ | {"PYTHONWARNINGS": "default"}
    done = subprocess.run(
        [sys.executable, "-m", "lungcad", "models", "--json"], capture_output=True, text=True, env=environment, check=True
    )
    names = [card["name"] for card in json.loads(done.stdout)]
    done = subprocess.run(
        [sys.executable, "-m", "lungcad", "predict", str(png), "--model", names[0], "--json"],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    assert json.loads(done.stdout)["model"] == names[0]


@pytest.mark.parametrize(
    ("arguments", "unneeded"),
    [
        (("models",), {"torch", "timm", "cv2", "pydicom", "pandas", "sklearn", "scipy"}),
        (
            ("predict", "SLICE", "--model", "iq-mobilenetv2"),
            {
                "sklearn",
                "skimage",
                "lime",
                "captum",
                "pytorch_grad_cam",
                "matplotlib",
                "torch._dynamo",
            },  # pandas reads the run that the set of classes needs
        ),
    ],
)
def test_a_command_imports_what_it_needs_only(png, arguments, unneeded):
    """Which is most of the time that `models` and `predict` of one slice take."""
    script = "import sys; from lungcad.cli import main; sys.argv = sys.argv[1:]\ntry: main()\nexcept SystemExit: pass\nprint(*sys.modules, sep=chr(10))"
    arguments = [str(png) if each == "SLICE" else each for each in arguments]
    done = subprocess.run([sys.executable, "-c", script, "lungcad", *arguments], capture_output=True, text=True, check=True)
    assert arguments[0] == "predict" or "chest-efficientnet-lite0-gate" in done.stdout
    assert not unneeded & set(done.stdout.splitlines())


def test_in_the_c_locale_and_to_a_full_disk(tmp_path):
    """Through the process itself: what the locale cannot show is escaped, JSON stays JSON."""
    place = tmp_path / "Größe [a]"
    place.mkdir()
    (place / os.fsdecode(b"Th\xf6rax.png")).write_bytes(make_phantom(1, size=64).png())
    command = [sys.executable, "-m", "lungcad", "audit", str(tmp_path)]
    environment = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run([*command, "--json"], capture_output=True, env=environment, check=True)
    assert json.loads(done.stdout)["n_images"] == 1 and done.stdout.isascii()
    assert subprocess.run(command, capture_output=True, env=environment, check=True).stdout.isascii()
    if os.path.exists("/dev/full"):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([*command, "--json"], stdout=full, stderr=subprocess.PIPE, check=False)
        assert done.returncode == 2 and done.stderr.decode().count("\n") == 1 and "disk is full" in done.stderr.decode()
