"""Killed, without disk, without permission, with a clock that jumps: what was finished is there, what was not is said, nothing half-written is read."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lungcad.api import service
from lungcad.errors import DatasetError, LungcadError, ModelError, OutputError
from lungcad.evaluate.stores.runs import read_run, write_run
from lungcad.evaluate.stores.trust_runs import read_trust_run
from lungcad.files import whole_folder, write_whole
from lungcad.gate.stored import FittedGate
from lungcad.models import list_cards, load_model
from lungcad.models.card import ModelCard
from lungcad.paths import GATE, WEIGHTS
from lungcad.private_folder import PREFIX, private_folder, remove_leftovers
from tests.evaluate.sample_runs import prediction_table
from tests.faults.forks import STEPS
from tests.faults.writer import state, write

ROOT = Path(__file__).resolve().parents[2]
posix_only = pytest.mark.skipif(os.name != "posix", reason="signals and locks of POSIX")
NETWORK = "chest-resnet18"


@posix_only
def test_a_run_writer_killed_at_any_step_leaves_the_old_run_the_new_one_or_a_sentence(tmp_path):
    done = subprocess.run([sys.executable, "-m", "tests.faults.writer", tmp_path], cwd=ROOT, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    first, then = zip(*told["killed"], strict=True)
    assert len(first) > 8 and told["at last"] == "new" and set(then) == {"new"}  # written again, it is whole whatever was left
    assert set(first) <= {"old", "new", "The run run has no run.json: it is unfinished or damaged; make it again."}
    assert first[0] == "old" and first[-1] == "new"


@pytest.mark.parametrize("name", STEPS)
def test_a_disk_that_is_full_at_any_step_leaves_a_whole_run_or_a_sentence(tmp_path, monkeypatch, name):
    whole, call = tmp_path / "whole", getattr(os, name)
    write(whole, 1)
    for step in range(12):
        root, left = Path(shutil.copytree(whole, tmp_path / str(step))), [step]

        def full(*arguments, left=left, **options):
            left[0] -= 1
            if left[0] == -1:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return call(*arguments, **options)

        with monkeypatch.context() as patch:
            patch.setattr(os, name, full)
            try:
                write(root, 2)
            except OutputError as error:
                assert "disk is full" in str(error)
                assert state(root) in ("old", "new", "The run run has no run.json: it is unfinished or damaged; make it again.")
            else:
                assert state(root) == "new"
        if left[0] >= 0:
            return
    raise AssertionError("there are more steps than were tried")


def test_a_real_disk_that_is_full(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True)  # noqa: S607
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        write(disk, 1)
        write_whole(disk / "card.json", "{}")
        large = prediction_table(n=20_000)
        facts = {"classes": ["benign", "malignant"], "recipe": "r", "protocol": "published", "seed": 2}
        for attempt in (lambda: write_run(disk / "run", facts, large), lambda: write_whole(disk / "card.json", b"x" * 100_000)):
            with pytest.raises(OutputError, match="disk is full"):
                attempt()
        assert state(disk) == "old" and (disk / "card.json").read_text() == "{}" and not list(disk.rglob(".lungcad-*"))
    finally:
        subprocess.run(["umount", disk], check=True)  # noqa: S607


@posix_only
def test_what_a_visitor_handed_in_goes_with_the_next_start_after_a_kill(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    code = (
        "import sys, time\nfrom lungcad.private_folder import private_folder\n"
        "with private_folder() as folder:\n    (folder / 'slice').write_bytes(b'pixels')\n    print(folder, flush=True)\n    time.sleep(60)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ | {"TMPDIR": str(tmp_path)}, stdout=subprocess.PIPE, text=True
    )
    left = Path(child.stdout.readline().strip())
    os.utime(left, (time.time() - 3600,) * 2)
    with private_folder() as held:
        os.utime(held, (time.time() + 3600,) * 2)  # the clock was put back since
        assert remove_leftovers() == 0 and (left / "slice").exists()  # both are in use
        child.send_signal(signal.SIGKILL)
        child.wait()
        (tmp_path / f"{PREFIX}link").symlink_to(ROOT)
        assert remove_leftovers() == 1 and not left.exists() and held.exists()
    assert [path.name for path in tmp_path.iterdir()] == [f"{PREFIX}link"]


@pytest.fixture
def runs(tmp_path, monkeypatch):
    monkeypatch.setattr(service, "RUNS", tmp_path)
    write(tmp_path, 1)
    service._summary.cache_clear()
    yield tmp_path
    service._summary.cache_clear()


def test_a_run_that_goes_while_runs_are_listed_is_said(runs, monkeypatch):
    monkeypatch.setattr(service, "list_runs", lambda root: ["gone", "run"])
    told = service.runs()
    assert [each["run"] for each in told["runs"]] == ["run"] and told["faults"] == ["The run gone cannot be read any more; was it removed?"]


def test_a_run_that_is_damaged_while_the_server_runs_is_said(runs):
    assert service.runs()["runs"]
    whole = (runs / "run" / "run.json").read_bytes()
    (runs / "run" / "run.json").write_bytes(whole[: len(whole) // 2])
    told = service.runs()
    assert not told["runs"] and "damaged" in told["faults"][0]


def test_a_clock_that_jumps_back_hides_no_new_run(runs):
    """The old run is from tomorrow, the new one is written at the very same moment of that clock."""
    facts = runs / "run" / "run.json"
    os.utime(facts, (2e9, 2e9))
    first = service.runs()["runs"][0]
    write(runs, 2)
    os.utime(facts, (2e9, 2e9))
    second = service.runs()["runs"][0]
    assert (first["seed"], second["seed"]) == (1, 2)


def test_weights_and_card_that_are_damaged_while_running(tmp_path):
    for ending in ("json", "safetensors"):
        shutil.copy(WEIGHTS / f"{NETWORK}.{ending}", tmp_path)
    model = load_model(NETWORK, folder=tmp_path)
    weights = tmp_path / f"{NETWORK}.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    assert model.network is not None  # who has it keeps it
    with pytest.raises(ModelError, match="does not match"):
        load_model(NETWORK, folder=tmp_path)
    weights.unlink()
    with pytest.raises(ModelError):
        load_model(NETWORK, folder=tmp_path)
    (tmp_path / f"{NETWORK}.json").write_text("{")
    with pytest.raises(ModelError, match="is not JSON"):
        list_cards(tmp_path)


def test_revoked_permission_is_a_sentence(tmp_path, monkeypatch):
    """Root may read everything, so the refusal is made here."""
    write(tmp_path, 1)
    shutil.copy(GATE / f"{NETWORK}.npz", tmp_path)
    card = ModelCard.read(WEIGHTS / f"{NETWORK}.json")
    honest = os.open

    def refused(*_, **__):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    with monkeypatch.context() as patch:
        patch.setattr("builtins.open", refused)
        patch.setattr(Path, "read_text", refused)
        patch.setattr(Path, "read_bytes", refused)
        patch.setattr(Path, "open", refused)
        for read in (
            lambda: read_run("run", tmp_path),
            lambda: ModelCard.read(WEIGHTS / f"{NETWORK}.json"),
            lambda: FittedGate.read(card, tmp_path),
            lambda: load_model(NETWORK),
        ):
            with pytest.raises(LungcadError) as told:
                read()
            assert "\n" not in str(told.value)
    assert honest is os.open and read_run("run", tmp_path).facts["seed"] == 1


def test_a_trust_run_without_its_table_is_said(tmp_path):
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "trust.json").write_text("{}")
    with pytest.raises(DatasetError):
        read_trust_run("t", tmp_path)


def test_files_of_another_time_are_not_taken_for_the_run_s(tmp_path):
    """The table without which the rest counts as unfinished goes first."""
    write(tmp_path, 1)
    with pytest.raises(OutputError), whole_folder(tmp_path / "run", last="run.json") as staging:
        (staging / "run.json").write_text("{}")
        raise OSError(errno.EIO, "the disk is gone")
    assert state(tmp_path) == "old"
