"""Downloads from a server on this machine: whole, resumed, damaged, hostile."""

import http.server
import io
import threading
import zipfile
from dataclasses import replace

import pytest

from lungcad.datasets import IQ_OTH_NCCD, LIDC_NODULES, download
from lungcad.datasets.dataset import Download
from lungcad.errors import DatasetError


def archive(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        for name, data in files.items():
            zipped.writestr(name, data)
    return buffer.getvalue()


GOOD = {"IQ/Bengin cases/Bengin case (1).jpg": b"x" * 5000, "IQ/Malignant cases/Malignant case (1).jpg": b"y" * 5000}


@pytest.fixture
def server():
    """Serves ``content``, ranges too, and remembers the ranges asked for."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked = self.headers.get("Range")
            ranges.append(asked)
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
            data = content["data"][start:]
            self.send_response(206 if asked and data else 416 if asked else 200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            pass

    content, ranges = {"data": archive(GOOD)}, []
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield replace(IQ_OTH_NCCD, download=Download(url=f"http://127.0.0.1:{httpd.server_port}/zip")), content, ranges
    httpd.shutdown()


def test_fetched_unpacked_and_readable(server, tmp_path):
    dataset, _, _ = server
    seen = []
    folder = download.download(dataset, root=tmp_path, on_progress=lambda done, total: seen.append((done, total)))
    assert len(dataset.read(folder)) == 2 and seen[-1][0] == seen[-1][1] > 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["iq-oth-nccd"]
    with pytest.raises(DatasetError, match="already there"):
        download.download(dataset, root=tmp_path)


def test_a_part_that_was_fetched_is_not_fetched_again(server, tmp_path):
    dataset, content, ranges = server
    (tmp_path / "iq-oth-nccd.zip.part").write_bytes(content["data"][:4000])
    download.download(dataset, root=tmp_path)
    assert ranges == ["bytes=4000-"]


def test_archives_inside_the_archive_are_unpacked(server, tmp_path):
    dataset, content, _ = server
    content["data"] = archive({"data.zip": archive(GOOD)})
    assert len(dataset.read(download.download(dataset, root=tmp_path))) == 2


@pytest.mark.parametrize("name", ["../../escaped.jpg", "/etc/escaped.jpg", "..\\escaped.jpg", "C:\\escaped.jpg"])
def test_files_that_point_outside_are_refused(server, tmp_path, name):
    dataset, content, _ = server
    content["data"] = archive(GOOD | {name: b"no"})
    with pytest.raises(DatasetError, match="outside its folder"):
        download.download(dataset, root=tmp_path / "data")
    assert not list(tmp_path.rglob("escaped*")) and not (tmp_path / "data" / "iq-oth-nccd").exists()


def test_a_damaged_archive_and_an_empty_one(server, tmp_path):
    dataset, content, _ = server
    content["data"] = archive(GOOD)[:-200]
    with pytest.raises(DatasetError, match="damaged"):
        download.download(dataset, root=tmp_path)
    assert not list(tmp_path.iterdir())
    content["data"] = archive({"readme.txt": b"moved"})
    with pytest.raises(DatasetError, match="changed its layout"):
        download.download(dataset, root=tmp_path)


def test_a_broken_stream_and_a_full_disk(server, tmp_path, monkeypatch):
    dataset, content, _ = server
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("IQ/Bengin cases/Bengin case (1).jpg", bytes(range(256)) * 40)
    broken = bytearray(buffer.getvalue())
    broken[75:95] = b"\xff" * 20
    content["data"] = bytes(broken)
    with pytest.raises(DatasetError, match="damaged"):
        download.download(dataset, root=tmp_path)
    assert not list(tmp_path.iterdir())

    class Full(type(tmp_path)):
        def open(self, *_, **__):
            raise OSError(28, "No space left on device")

    with pytest.raises(DatasetError, match="No space left"):
        download.fetch(dataset.download.url, Full(tmp_path / "x"), "it")


def test_a_bomb_is_refused(server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "MOST_BYTES", 6000)
    with pytest.raises(DatasetError, match="refused"):
        download.download(server[0], root=tmp_path)


def test_no_internet_is_said(tmp_path):
    nowhere = replace(IQ_OTH_NCCD, download=Download(url="http://127.0.0.1:9/zip"))
    with pytest.raises(DatasetError, match="internet"):
        download.download(nowhere, root=tmp_path)


def test_kaggle_without_internet_and_a_set_without_a_file(tmp_path, monkeypatch):
    import kagglehub

    def offline(handle, output_dir):
        assert handle == "owner/name"
        (tmp_path / "iq-oth-nccd.part").mkdir(exist_ok=True)
        (tmp_path / "iq-oth-nccd.part" / "half.jpg").write_bytes(b"x")
        raise ConnectionError("no route")

    monkeypatch.setattr(kagglehub, "dataset_download", offline)
    for _ in range(2):  # what came before the line broke does not stand in the way of the next try
        with pytest.raises(DatasetError, match="internet access"):
            download.download(replace(IQ_OTH_NCCD, download=Download(kaggle="owner/name")), root=tmp_path)
    with pytest.raises(DatasetError, match="data download lidc-idri"):
        download.download(LIDC_NODULES, root=tmp_path)


def test_kaggle_brings_the_folder(tmp_path, monkeypatch):
    import kagglehub

    def fetch(handle, output_dir):
        for name, data in GOOD.items():
            path = tmp_path / "iq-oth-nccd.part" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        assert output_dir == str(tmp_path / "iq-oth-nccd.part")

    monkeypatch.setattr(kagglehub, "dataset_download", fetch)
    assert len(IQ_OTH_NCCD.read(download.download(replace(IQ_OTH_NCCD, download=Download(kaggle="a/b")), root=tmp_path))) == 2
