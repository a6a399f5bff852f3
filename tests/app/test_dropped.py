"""What a visitor drops into the page of data sets: audited, found by no other session, and gone with the session."""

import io
import threading
import zipfile
from pathlib import Path

from streamlit.testing.v1 import AppTest

from lungcad.app import dropped, jobs
from lungcad.app.jobs import _JOBS
from lungcad.paths import DROPPED
from tests.app.own_folder import finished, new_page, own


def zipped(folder) -> bytes:
    """The folder as a zip."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for path in sorted(folder.rglob("*.png")):
            archive.write(path, path.relative_to(folder))
    return file.getvalue()


def dropping(data: bytes) -> AppTest:
    """A visitor's page after a zip was dropped."""
    page = new_page(dataset="own", own_from="a zip").run()
    return page.get("file_uploader")[0].set_value(("images.zip", data, "application/zip")).run()


def test_a_dropped_zip_is_audited_and_gone_with_the_session(folder):
    page = finished(dropping(zipped(folder)), "audit")
    assert not page.exception and not page.error and page.metric[0].value == str(len(list(folder.rglob("*.png"))) - 1)
    (path,) = (key[2] for key in _JOBS if "own" not in key and str(DROPPED) in str(key))
    assert Path(path).is_dir() and len(page.get("image")) >= 3 and Path(path).stat().st_mode & 0o077 == 0
    page.get("file_uploader")[0].set_value(None).run()
    assert not page.exception and not Path(path).exists() and not any(str(DROPPED) in str(key) for key in _JOBS)


def test_what_one_session_found_no_other_finds(folder):
    first = finished(own(folder), "audit")
    assert first.metric
    other = own(folder)
    assert not other.metric and other.button(key="audit_start")
    one, two = dropping(zipped(folder)), dropping(zipped(folder))
    assert finished(one, "audit").metric and not two.run().metric


def test_a_bad_zip_is_one_sentence_and_leaves_nothing():
    page = dropping(b"no zip")
    assert not page.exception and "not a zip" in page.error[0].value and not list((DROPPED / page.session_state["owner"]).iterdir())
    page.run()
    assert "not a zip" in page.error[0].value


def test_a_released_session_leaves_nothing(tmp_path):
    owned = dropped.Owned("a-token")
    owned.folder.mkdir(parents=True)
    (owned.folder / "a.png").write_bytes(b"x")
    for owner in ("a-token", "another"):
        jobs.start(("audit", owner, "x"), lambda _: "found")
        jobs.find(("audit", owner, "x")).thread.join(60)
    owned.release()
    assert not owned.folder.exists() and jobs.find(("audit", "a-token", "x")) is None and jobs.find(("audit", "another", "x")) is not None


def test_a_session_that_is_gone_for_good_is_released_by_the_server_itself(monkeypatch):
    monkeypatch.setattr(dropped, "CHECK", 0.01)
    answers, looked = iter([True, False, True, False]), threading.Event()

    def is_there() -> bool:
        there = next(answers, None)
        if there is None:
            looked.set()
        return bool(there)

    owned = dropped.Owned("gone-token")
    owned.folder.mkdir(parents=True)
    owned.watch(is_there, grace=0.2)
    assert looked.wait(60) and (owned._watch.join(60), owned.folder.exists())[1] is False
