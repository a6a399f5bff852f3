"""A hostile zip ends in one sentence, and nothing of it lies outside the folder."""

import io
import struct
import zipfile

import pytest

from lungcad.errors import DatasetError
from lungcad.imaging.volume.study import _walk
from lungcad.unpack import Limits, read_zip, take_files, unpack_zip


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes], packing=zipfile.ZIP_DEFLATED) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", packing) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return file


def with_mode(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


@pytest.fixture
def inside(tmp_path):
    folder = tmp_path / "outer" / "inside"
    folder.mkdir(parents=True)
    return folder


def test_files_come_out_as_they_went_in(inside):
    n = unpack_zip(zipped(("train/normal/ä.png", b"\x89PNG" + b"1" * 3_000_000), ("train/", b""), ("a\\b.png", b"2")), inside)
    assert n == 2 and (inside / "train/normal/ä.png").stat().st_size == 3_000_004 and (inside / "a" / "b.png").read_bytes() == b"2"


@pytest.mark.parametrize("name", ["../evil", "a/../../evil", "/evil", "\\evil", "..\\evil", "C:/evil", "C:\\evil", "//host/evil"])
def test_a_path_that_leads_out_is_refused(inside, name):
    with pytest.raises(DatasetError, match="leads out of the zip"):
        unpack_zip(zipped((name, b"x")), inside)
    assert not list(inside.parent.parent.rglob("*evil*"))


@pytest.mark.parametrize("mode", [0o120777, 0o020666, 0o010644, 0o060660])
def test_links_and_devices_are_refused(inside, mode):
    with pytest.raises(DatasetError, match="link or a device"):
        unpack_zip(zipped((with_mode("x", mode), b"/etc/passwd")), inside)
    assert not list(inside.iterdir())


def test_an_encrypted_zip_is_refused(inside):
    data = bytearray(zipped(("a.png", b"x")).getvalue())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(DatasetError, match="encrypted"):
        unpack_zip(io.BytesIO(data), inside)


@pytest.mark.parametrize("first", [b"PK\x03\x04", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!"])
def test_an_archive_within_is_refused_by_its_first_bytes(inside, first):
    with pytest.raises(DatasetError, match="is an archive itself"):
        unpack_zip(zipped(("scan.png", first + b"rest")), inside)


def test_a_bomb_stops_at_the_limit_whatever_its_header_says(inside):
    bomb = bytearray(zipped(("a.png", bytes(50 << 20))).getvalue())
    assert len(bomb) < 100_000
    for at in (bomb.index(b"PK\x03\x04") + 22, bomb.index(b"PK\x01\x02") + 24):
        struct.pack_into("<I", bomb, at, 10)  # "10 bytes"
    with pytest.raises(DatasetError):
        unpack_zip(io.BytesIO(bomb), inside, limits=Limits(total=3 << 20))
    assert sum(path.stat().st_size for path in inside.rglob("*")) <= 4 << 20


def test_the_bytes_of_all_files_count_together(inside):
    with pytest.raises(DatasetError, match="more than 3 MiB"):
        unpack_zip(zipped(*((f"{i}.png", bytes(1 << 20)) for i in range(5))), inside, limits=Limits(total=3 << 20))


def test_too_many_files(inside):
    many = zipped(*((f"{i}.png", b"") for i in range(12)))
    with pytest.raises(DatasetError, match="more than 10 files"):
        unpack_zip(many, inside, limits=Limits(files=10))
    assert not list(inside.iterdir())  # seen before the list of members is read


def test_a_list_that_lies_about_its_length(inside):
    data = bytearray(zipped(*((f"{i}.png", b"") for i in range(12))).getvalue())
    struct.pack_into("<HH", data, data.rindex(b"PK\x05\x06") + 8, 1, 1)
    with pytest.raises(DatasetError):
        unpack_zip(io.BytesIO(data), inside, limits=Limits(files=10))
    assert len(list(inside.rglob("*"))) <= 10


def test_too_deep(inside):
    with pytest.raises(DatasetError, match="more than 8 folders deep"):
        unpack_zip(zipped(("/".join("abcdefghijk") + "/x.png", b"x")), inside)


def test_too_long(inside):
    moments = iter(range(0, 10_000, 50))
    with pytest.raises(DatasetError, match="longer than 120 s"):
        unpack_zip(zipped(*((f"{i}.png", b"x") for i in range(5))), inside, clock=lambda: next(moments))


@pytest.mark.parametrize(
    "data",
    [b"", b"PK", b"no zip at all", b"PK\x05\x06", zipped(("a.png", b"x" * 1000)).getvalue()[:-30]],
    ids=["nothing", "two bytes", "text", "end mark only", "cut off"],
)
def test_no_zip(inside, data):
    with pytest.raises(DatasetError, match="not a zip, or is damaged"):
        unpack_zip(io.BytesIO(data), inside)


def test_a_damaged_member(inside):
    data = bytearray(zipped(("a.png", bytes(range(256)) * 40), packing=zipfile.ZIP_STORED).getvalue())
    data[100] ^= 0xFF
    with pytest.raises(DatasetError, match="damaged"):
        unpack_zip(io.BytesIO(data), inside)


@pytest.mark.parametrize("packing", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_unusual_packing_is_refused(inside, packing):
    with pytest.raises(DatasetError, match="unusual"):
        unpack_zip(zipped(("a.png", b"x"), packing=packing), inside)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("names", [("a", "a"), ("a", "a/b"), ("a/b", "a")])
def test_one_name_twice(inside, names):
    with pytest.raises(DatasetError):
        unpack_zip(zipped(*((name, b"x") for name in names)), inside)


def test_a_name_too_long_for_the_disk_is_one_sentence(inside):
    with pytest.raises(DatasetError, match="could not be unpacked"):
        unpack_zip(zipped(("n" * 300, b"x")), inside)


def test_dropped_files_have_the_same_limits(inside):
    assert take_files([("d/normal/a.png", b"x"), ("d/normal/b.png", b"y")], inside) == 2
    for name, said in (("../a", "leads out"), ("d/normal/a.png", "twice"), ("\ud800.png", "none that a file can have")):
        with pytest.raises(DatasetError, match=said):
            take_files([(name, b"x")], inside)


def test_in_memory_files_come_in_the_order_of_a_walk_through_the_folder(inside):
    names = ("b/z.dcm", "b/a/y.dcm", "c.dcm", "a.dcm", "b/.hidden", "a/1.dcm")
    archive = zipped(*((name, name.encode()) for name in names))
    unpack_zip(archive, inside)
    assert [path.read_bytes() for path in _walk(inside)] == read_zip(archive)


def test_in_memory_the_same_is_refused():
    for archive, word in ((zipped(("../evil", b"x")), "leads out"), (zipped(("a\\b", b"1"), ("a/b", b"2")), "comes twice"),
                          (zipped(("a", bytes(5 << 20))), "more than 3 MiB"), (io.BytesIO(b"PK\x03\x04"), "not a zip")):  # fmt: skip
        with pytest.raises(DatasetError, match=word):
            read_zip(archive, limits=Limits(total=3 << 20))


def test_only_what_is_wrong_with_the_zip_is_called_damage(inside):
    for take in (read_zip, lambda archive, **kwargs: unpack_zip(archive, inside, **kwargs)):
        ticks = iter([0.0])  # when it begins
        with pytest.raises(RuntimeError, match="StopIteration"):
            take(zipped(("a.png", b"x")), clock=lambda ticks=ticks: next(ticks))
