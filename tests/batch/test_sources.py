"""What a batch reads: folders, lists and addresses, and what it makes of bad ones."""

import socket
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fsspec
import pandas as pd
import pytest

from lungcad.batch import run_batch
from lungcad.batch.sources import Sources
from lungcad.errors import DatasetError, OutputError
from tests.batch.conftest import rows


def test_a_list_and_urls_give_the_rows_of_the_folder(question, slices, tmp_path):
    run_batch(question, tmp_path / "folder")
    expected = rows(tmp_path / "folder").set_index("id").sort_index()
    memory = fsspec.filesystem("memory")
    for path in slices.rglob("*.*"):
        memory.pipe(f"/ct/{path.relative_to(slices)}", path.read_bytes())
    run_batch(replace(question, source="memory://ct"), tmp_path / "memory")
    images = sorted(slices.rglob("*.png"))
    table = pd.DataFrame({"path": [*map(str, images[:6]), *(path.as_uri() for path in images[6:])], "id": [path.name for path in images]})
    table.to_parquet(tmp_path / "list.parquet")
    run_batch(replace(question, source=str(tmp_path / "list.parquet")), tmp_path / "listed")
    remote = rows(tmp_path / "memory").set_index("id").sort_index()
    assert "not an image" in remote.fault["about.txt"]  # behind a URL every file is opened, once, as an image
    listed = rows(tmp_path / "listed").set_index("id").sort_index()
    assert list(listed.index) == sorted(path.name for path in images)
    for found in (
        remote.drop(index="about.txt"),
        listed.set_axis([str(path.relative_to(slices)) for path in sorted(images, key=lambda path: path.name)]),
    ):
        found = found.sort_index()
        assert found["class"].equals(expected["class"].set_axis(found.index)) and list(found.index) == list(expected.index)
        assert found.image_sha256.tolist() == expected.image_sha256.tolist() and found.fault.tolist() == expected.fault.tolist()


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"path": ["a.png", "a.png"]}, "Two images have the id 'a.png'"),
        ({"path": ["a.png", None]}, "a row without a path"),
        ({"file": ["a.png"]}, "needs one named path"),
        ({"path": []}, "No image is in"),
    ],
)
def test_a_bad_list_is_refused_and_leaves_nothing(tmp_path, question, table, sentence):
    source = tmp_path / "list.parquet"
    pd.DataFrame(table).to_parquet(source)
    with pytest.raises(DatasetError, match=sentence):
        run_batch(replace(question, source=str(source)), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("nowhere", "no folder '/.*nowhere'"),
        ("nowhere.parquet", "no '/.*nowhere.parquet'"),
        ("memory://nowhere", "no folder 'memory://nowhere'"),
        ("unheard-of://nowhere", "cannot be read"),
        ("zip://*.png::memory://ct.zip", "several addresses"),
        ("ftp://me:secret@host/ct", "holds a password"),
    ],
)
def test_a_source_that_is_not_there_is_one_sentence(tmp_path, question, source, sentence):
    with pytest.raises(DatasetError, match=sentence) as told:
        run_batch(replace(question, source=source), tmp_path / "out")
    assert "secret" not in str(told.value)


def test_rows_are_not_written_to_a_url(question):
    with pytest.raises(OutputError, match="is a URL"):
        run_batch(question, Path("s3://bucket/out"))


def test_no_parquet_file_is_no_list(tmp_path, question):
    (tmp_path / "list.parquet").write_text("path\na.png\n")
    with pytest.raises(DatasetError, match="no Parquet file"):
        run_batch(replace(question, source=str(tmp_path / "list.parquet")), tmp_path / "out")


def test_an_image_that_is_gone_or_cannot_be_fetched_costs_its_row(tmp_path, question):
    pd.DataFrame({"path": ["gone.png", "memory://gone.png", "unheard-of://gone.png"]}).to_parquet(tmp_path / "list.parquet")
    run_batch(replace(question, source=str(tmp_path / "list.parquet")), tmp_path / "out")
    first, second, third = rows(tmp_path / "out").fault
    assert "no such file" in first and "no such file at that address" in second and "cannot be fetched" in third


def test_a_password_in_a_list_is_refused(question, tmp_path):
    pd.DataFrame({"path": ["http://user:secretpw@127.0.0.1:9/x.png"]}).to_parquet(tmp_path / "list.parquet")
    with pytest.raises(DatasetError, match="A URL in the list holds a password") as raised:
        run_batch(replace(question, source=str(tmp_path / "list.parquet")), tmp_path / "out")
    assert "secretpw" not in str(raised.value) and not (tmp_path / "out").exists()


def test_rows_are_not_written_among_the_images(question, slices, tmp_path):
    inside = slices / "patient-0" / "out"
    (tmp_path / "link").symlink_to(slices)
    for out in (inside, tmp_path / "link" / "out", slices, slices / "patient-0" / ".." / "out"):
        with pytest.raises(OutputError, match="lies in the folder of the images"):
            run_batch(question, out)
    assert not inside.exists()


def test_a_refused_connection_is_no_missing_file(question, tmp_path, served):
    with socket.socket() as free:  # bound and not listening: a connection is refused
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
        paths = [
            f"{address}/a.png",
            f"{served}/gone.png",
            f"{served}/forbidden.png",
            f"{served}/broken.png",
            "http://no-such-host.invalid/a.png",
        ]
        pd.DataFrame({"path": paths}).to_parquet(tmp_path / "list.parquet")
        run_batch(replace(question, source=str(tmp_path / "list.parquet")), tmp_path / "out")
        said = rows(tmp_path / "out").set_index("id").fault
        assert ["no such file" in said[path] for path in paths] == [False, True, False, False, False], list(said)
        assert all("cannot be fetched" in said[path] for path in paths if "gone" not in path)
        with pytest.raises(DatasetError, match="cannot be read"):
            list(Sources(f"{address}/list.parquet"))
    with pytest.raises(DatasetError, match="There is no"):
        list(Sources(f"{served}/gone.parquet"))


@pytest.fixture
def served():
    """A server of this machine that answers 403, 404 or 500."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(next((code for word, code in (("forbidden", 403), ("broken", 500)) if word in self.path), 404))
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_HEAD = do_GET

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
