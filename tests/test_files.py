"""A file is there whole or not at all; what goes wrong is one sentence."""

import errno
import os

import pytest

from lungcad.errors import OutputError
from lungcad.files import check_can_make, check_can_write, whole_file, whole_folder, write_whole

needs_full = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")


@pytest.fixture
def full_disk(monkeypatch):
    """Every file is written and then cannot be brought to the disk."""

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)


def test_bytes_and_text_are_written_and_keep_the_mode(tmp_path):
    path = tmp_path / "a.txt"
    write_whole(path, "ä\n")
    assert path.read_bytes() == "ä\n".encode() and path.stat().st_mode & 0o777 == 0o666 & ~_umask()
    path.chmod(0o640)
    write_whole(str(path), b"new")
    assert path.read_bytes() == b"new" and path.stat().st_mode & 0o777 == 0o640 and os.listdir(tmp_path) == ["a.txt"]


def test_a_name_as_long_as_the_file_system_allows(tmp_path):
    write_whole(tmp_path / ("a" * 251 + ".txt"), "x")
    assert len(os.listdir(tmp_path)) == 1


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("real.txt")
    write_whole(tmp_path / "link.txt", "new")
    assert (tmp_path / "link.txt").is_symlink() and (tmp_path / "real.txt").read_text() == "new"


def test_a_full_disk_leaves_what_was_there(tmp_path, full_disk):
    (tmp_path / "a.txt").write_text("old")
    for name in ("a.txt", "b.txt"):
        with pytest.raises(OutputError, match="disk is full"):
            write_whole(tmp_path / name, "new")
    assert os.listdir(tmp_path) == ["a.txt"] and (tmp_path / "a.txt").read_text() == "old"


@needs_full
def test_a_device_that_is_full(tmp_path):
    (tmp_path / "a.png").symlink_to("/dev/full")
    with pytest.raises(OutputError, match="disk is full"):
        write_whole(tmp_path / "a.png", b"x" * 100_000)
    assert (tmp_path / "a.png").is_symlink()


def test_a_fault_in_between_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError), whole_file(tmp_path / "a.txt") as file:
        file.write(b"half")
        1 / 0  # noqa: B018
    assert not os.listdir(tmp_path)


def test_files_of_a_folder_come_together_and_the_last_one_last(tmp_path):
    folder = tmp_path / "run"
    with whole_folder(folder, last="run.json") as aside:
        (aside / "run.json").write_text("{}")
        (aside / "table").write_text("1")
        assert sorted(path.name for path in folder.iterdir()) == [aside.name]
    assert sorted(path.name for path in folder.iterdir()) == ["run.json", "table"]
    with pytest.raises(OutputError, match="disk is full"), whole_folder(folder, last="run.json") as aside:
        (aside / "table").write_text("2")
        raise OSError(errno.ENOSPC, "full")
    assert (folder / "table").read_text() == "1" and len(list(folder.iterdir())) == 2
    with pytest.raises(OutputError), whole_folder(tmp_path / "new", last="x"):
        raise OSError(errno.ENOSPC, "full")
    assert os.listdir(tmp_path) == ["run"]


@pytest.mark.parametrize(
    ("name", "word"), [("", "is a folder"), ("gone/a.png", "no folder"), ("a" * 300, "too long"), ("a/" * 2100 + "b", "too long|no folder"), ("a\0b", "NUL"),
                       ("a.txt/b", "no folder|Not a directory")]
)  # fmt: skip
def test_where_nothing_can_be_written(tmp_path, name, word):
    (tmp_path / "a.txt").touch()
    place = f"{tmp_path}/{name}"
    with pytest.raises(OutputError, match=word):
        check_can_write(place)
    if name:
        with pytest.raises(OutputError):
            write_whole(place, "x")


@pytest.mark.parametrize(
    ("name", "word"), [("a.txt", "not a folder"), ("a.txt/b", "not a folder"), ("a" * 300, "too long"), ("a\0b", "NUL")]
)
def test_where_no_folder_can_be_made(tmp_path, name, word):
    (tmp_path / "a.txt").touch()
    with pytest.raises(OutputError, match=word):
        check_can_make(f"{tmp_path}/{name}")
    check_can_make(tmp_path / "new" / "deep")
    assert os.listdir(tmp_path) == ["a.txt"]


def test_without_permission(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, how: False)  # the tests may run as root, who may write anywhere
    for check in (check_can_write, check_can_make):
        with pytest.raises(OutputError, match="Permission denied"):
            check(tmp_path / "new")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
