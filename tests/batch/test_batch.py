"""Batches in this process: rows, faults of single images, and going on after a kill."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lungcad.analysis import analyse
from lungcad.batch import ENGINES, Question, run_batch
from lungcad.batch.plan import FACTS, IMAGES, PLAN, ROWS, Plan, _Ids
from lungcad.batch.sources import Sources
from lungcad.errors import DatasetError, LungcadError, OutputError
from lungcad.explain import PreparedInput
from lungcad.files import STAGING, only_writer
from lungcad.imaging import read_image
from lungcad.imaging.phantom import make_phantom
from lungcad.models import load_model
from tests.batch.conftest import MODEL, N_FAULTS, N_IMAGES, rows
from tests.calls import caller

ROOT = Path(__file__).resolve().parents[2]


def states(out):
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in (out / ROWS).iterdir()}


def test_a_row_an_image_says_what_predict_says(question, slices, tmp_path):
    summary, table = run_batch(question, tmp_path / "out"), rows(tmp_path / "out")
    assert (summary.counts.images, summary.counts.faults, summary.shards) == (N_IMAGES, N_FAULTS, 3)
    assert [len(pd.read_parquet(path)) for path in sorted((tmp_path / "out" / ROWS).iterdir())] == [5, 5, 4]
    assert table.id.is_unique and set(table.id) == {str(path.relative_to(slices)) for path in slices.rglob("*.png")}
    assert "1 file not looked at" in summary.notes[0]
    model = load_model(MODEL)
    for row in table[table.fault.isna()].to_dict("records"):
        alone = analyse(slices / row["id"], model, methods=())
        assert row["class"] == alone.prediction.label and row["gate"] == alone.gate.outcome and row["image_sha256"]
        for name, probability in alone.prediction.probabilities.items():
            assert row[f"p:{name}"] == pytest.approx(probability, abs=5e-3)  # a batch of another size is summed in another order
    faulty = table[table.fault.notna()].set_index("id")
    assert "damaged or cut short" in faulty.fault["cut.png"] and "not an image" in faulty.fault["none.png"]
    assert faulty.drop(columns="fault").isna().all(axis=None)


def test_what_the_gate_declines_has_no_answer_unless_asked(tmp_path, question):
    photo = tmp_path / "in" / "photo.png"
    photo.parent.mkdir()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (96, 96), np.uint8)).save(photo)  # no phantom
    hidden = replace(question, source=str(photo.parent))
    assert run_batch(hidden, tmp_path / "hidden").counts.declined == 1
    run_batch(replace(hidden, show_anyway=True), tmp_path / "shown")
    [hidden_row], [shown_row] = rows(tmp_path / "hidden").to_dict("records"), rows(tmp_path / "shown").to_dict("records")
    assert hidden_row["gate"] == shown_row["gate"] == "decline" and len(hidden_row["reasons"]) > 0
    assert pd.isna(hidden_row["class"]) and np.isnan(hidden_row["p:lesion"]) and 0 < shown_row["p:lesion"] < 1 and shown_row["class"]


def test_an_image_that_spoils_its_batch_costs_its_own_row_only(tmp_path, question, monkeypatch):
    folder = tmp_path / "in"
    folder.mkdir()
    for name, seed in (("a", 1), ("b", 2)):
        (folder / f"{name}.png").write_bytes(make_phantom(seed, size=96).png())
    several, spoils = PreparedInput.several.__func__, read_image(folder / "b.png").provenance.sha256

    def instead(cls, model, images):
        if any(image.provenance.sha256 == spoils for image in images):
            raise RuntimeError("not enough memory")
        return several(cls, model, images)

    monkeypatch.setattr(PreparedInput, "several", classmethod(instead))
    run_batch(replace(question, source=str(folder)), tmp_path / "out")
    sound, spoiled = rows(tmp_path / "out").fault
    assert pd.isna(sound) and spoiled == "Internal error (RuntimeError); please report it with the image."


def test_going_on_keeps_what_is_finished_and_answers_the_rest(question, tmp_path):
    out = tmp_path / "out"
    (out / f"{STAGING}plan").mkdir(parents=True)  # of a run that was killed while it listed
    run_batch(question, out)
    whole, before = rows(out), states(out)
    assert sorted(path.name for path in out.iterdir()) == sorted([PLAN, ROWS])
    with pytest.raises(OutputError, match="--resume"):
        run_batch(question, out)
    (out / ROWS / "000001.parquet").write_bytes(b"PAR1, cut short")
    (out / ROWS / "000002.parquet").unlink()
    steps = []
    summary = run_batch(question, out, resume=True, on_progress=lambda done, total: steps.append((done, total)))
    assert summary.answered_now == 9 and summary.counts.images == N_IMAGES and steps == [(5, 14), (10, 14), (14, 14)]
    pd.testing.assert_frame_equal(rows(out), whole)
    assert states(out)["000000.parquet"] == before["000000.parquet"]
    assert run_batch(question, out, resume=True).answered_now == 0


def test_going_on_with_something_else_is_refused(question, tmp_path):
    out = tmp_path / "out"
    run_batch(question, out)
    for other in (replace(question, show_anyway=True), replace(question, shard_size=7), replace(question, model="phantom-honest-gate")):
        with pytest.raises(OutputError, match=r"was begun with another (model and weights_sha256|show_anyway|shard_size)"):
            run_batch(other, out, resume=True)
    (out / IMAGES).write_bytes(b"")
    with pytest.raises(OutputError, match="is damaged"):
        run_batch(question, out, resume=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("mine")
    with pytest.raises(OutputError, match="is not empty"):
        run_batch(question, tmp_path / "other")


KILLED = """
import os, signal, sys
from pathlib import Path
from lungcad.batch import ENGINES, Question, run_batch

fsync, calls = os.fsync, 0
def counted(descriptor):
    global calls
    calls += (Path(sys.argv[2]) / "rows").is_dir()
    if calls == 5:  # the file of the third shard is written and not yet in its place; each file takes two
        os.kill(os.getpid(), signal.SIGKILL)
    fsync(descriptor)

os.fsync = counted
run_batch(Question(sys.argv[1], sys.argv[3], "", shard_size=2), Path(sys.argv[2]))
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_run_killed_while_it_writes_goes_on_without_redoing_or_losing_a_shard(slices, tmp_path):
    out = tmp_path / "out"
    killed = subprocess.run([sys.executable, "-c", KILLED, slices, out, MODEL], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert killed.returncode == -signal.SIGKILL
    finished = {name: state for name, state in states(out).items() if not name.startswith(STAGING)}
    assert sorted(finished) == ["000000.parquet", "000001.parquet"] and len(states(out)) == 3  # and what the third one left
    assert len(rows(out)) == 4  # nothing half-written is read
    question = Question(str(slices), MODEL, "", shard_size=2)
    assert run_batch(question, out, resume=True).answered_now == N_IMAGES - 4
    assert {name: state for name, state in states(out).items() if name in finished} == finished and len(states(out)) == 7
    run_batch(question, tmp_path / "undisturbed")
    pd.testing.assert_frame_equal(rows(out), rows(tmp_path / "undisturbed"))


def test_other_weights_than_the_batchs_are_refused(question, tmp_path):
    out = tmp_path / "out"
    run_batch(question, out)
    (out / ROWS / "000002.parquet").unlink()
    facts = (out / FACTS).read_text()
    (out / FACTS).write_text(facts.replace(load_model(MODEL).card.sha256, "0" * 64))
    with pytest.raises(LungcadError, match="another weights_sha256"):
        run_batch(question, out, resume=True)


def test_what_an_engine_prints_stays_out_of_the_json(slices, tmp_path, monkeypatch, capsys):
    def chatty(folder, shards, pool):
        print("news of the cluster")
        return ENGINES["local"](folder, shards, pool)

    monkeypatch.setitem(ENGINES, "chatty", chatty)
    status, told, messages = caller(monkeypatch, capsys)(
        "batch", slices, "--model", MODEL, "--out", tmp_path / "out", "--engine", "chatty", "--json"
    )
    assert status == 0 and json.loads(told)["images"] == N_IMAGES and "news of the cluster" in messages


def test_the_command(slices, tmp_path, monkeypatch, capsys):
    run, out = caller(monkeypatch, capsys), tmp_path / "out"
    status, told, messages = run("batch", slices, "--model", MODEL, "--out", out, "--json")
    assert status == 0 and f'"images": {N_IMAGES}' in told and "1 file not looked at" in messages
    status, told, _ = run("batch", slices, "--model", MODEL, "--out", out, "--resume")
    assert status == 0 and told.startswith("14 images: 12 answered, 0 declined, 2 with a fault; rows in ") and "now" not in told
    status, _, messages = run("batch", slices, "--model", MODEL, "--out", tmp_path / "other", "--workers", 2)
    assert status == 2 and messages == "lungcad: --workers is for --engine ray; leave it out, or add that.\n"
    status, _, messages = run("batch", slices, "--model", MODEL, "--out", tmp_path / "other", "--engine", "spark")
    assert status == 2 and "Unknown engine 'spark'; choose one of: local, ray." in messages and not (tmp_path / "other").exists()


def test_the_same_words_in_another_folder_are_another_source(question, slices, tmp_path, monkeypatch):
    """--resume with a relative path elsewhere must not go on with the first folder's images."""
    monkeypatch.chdir(slices.parent)
    run_batch(replace(question, source=slices.name), tmp_path / "out")
    (tmp_path / "out" / ROWS / "000000.parquet").unlink()
    elsewhere = tmp_path / "elsewhere" / slices.name
    elsewhere.mkdir(parents=True)
    (elsewhere / "other.png").write_bytes(make_phantom(50, size=96).png())
    monkeypatch.chdir(elsewhere.parent)
    with pytest.raises(OutputError, match="begun with another source"):
        run_batch(replace(question, source=slices.name), tmp_path / "out", resume=True)
    assert run_batch(question, tmp_path / "out", resume=True).answered_now == 5


def test_rows_of_another_batch_are_no_finished_shard(question, tmp_path):
    """Two that began in one folder at once: the later plan does not count the other's rows as its own."""
    run_batch(question, tmp_path / "out")
    other = tmp_path / "other"
    run_batch(replace(question, source=str(Path(question.source) / "patient-0")), other)
    for path in (other / ROWS).iterdir():
        path.replace(tmp_path / "out" / ROWS / path.name)
    summary = run_batch(question, tmp_path / "out", resume=True)
    assert summary.answered_now > 0 and set(rows(tmp_path / "out").id) == set(rows_of_plan(tmp_path / "out"))


def rows_of_plan(out):
    return pd.read_parquet(out / IMAGES).id


def test_a_plan_that_appears_meanwhile_is_not_overwritten(question, tmp_path):
    out = tmp_path / "out"
    run_batch(question, out)
    before = states(out)
    with pytest.raises(OutputError, match=r"Another batch began in .*out' meanwhile"):
        Plan.write(out, question, Sources(question.source), [], ())
    assert states(out) == before and Plan.read(out).images == N_IMAGES


def test_of_two_batches_that_begin_at_once_one_is_told(question, slices, tmp_path, monkeypatch):
    """Both have listed their images before either has a plan."""
    out, both_listed, told = tmp_path / "out", threading.Barrier(2), []
    check = _Ids.check

    def check_together(self, images):
        check(self, images)
        both_listed.wait(60)

    monkeypatch.setattr(_Ids, "check", check_together)

    def begin(source):
        asked = Sources(str(source))
        try:
            told.append(Plan.write(out, replace(question, source=str(source)), asked, asked.notes, ()))
        except OutputError as error:
            told.append(error)

    threads = [threading.Thread(target=begin, args=[source]) for source in (slices, slices / "patient-0")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [plan], [error] = ([each for each in told if isinstance(each, kind)] for kind in (Plan, OutputError))
    assert "Another batch began" in str(error) and Plan.read(out) == plan and len(rows_of_plan(out)) == plan.images
    assert [path.name for path in out.iterdir()] == [PLAN]


def test_a_batch_that_was_killed_before_its_first_row_goes_on(question, tmp_path):
    run_batch(question, tmp_path / "out")
    shutil.rmtree(tmp_path / "out" / ROWS)
    assert run_batch(question, tmp_path / "out", resume=True).answered_now == N_IMAGES


@pytest.mark.parametrize("is_begun", [False, True])
def test_a_folder_is_one_batchs(question, tmp_path, is_begun):
    out = tmp_path / "out"
    if is_begun:
        run_batch(question, out)
    with only_writer(out), pytest.raises(OutputError, match="Another process is at work"):
        run_batch(question, out, resume=True)
    run_batch(question, out, resume=is_begun)
    assert len(rows(out)) == N_IMAGES


def test_a_refused_folder_is_not_left_behind(tmp_path, question):
    with pytest.raises(DatasetError):
        run_batch(replace(question, source=str(tmp_path / "gone")), tmp_path / "out")
    assert not (tmp_path / "out").exists()
