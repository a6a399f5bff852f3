"""Who may look where."""

import os

import pytest

from lungcad.app.folder_access import FOLDERS, REFUSED, is_loopback, open_folder, shared_roots
from lungcad.errors import DatasetError


@pytest.fixture
def shared(tmp_path):
    for name in ("shared/set/normal", "private/set", "shared-too"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "private" / "set" / "a.png").write_bytes(b"x")
    return tmp_path / "shared"


@pytest.mark.parametrize("address", ["localhost", "127.0.0.1", "127.1.2.3", "::1"])
def test_loopback(address):
    assert is_loopback(address)


@pytest.mark.parametrize(
    "address", [None, "", "0.0.0" + ".0", "::", "192.168.0.4", "example.org", "localhost.example.org", "127.0.0.1.example.org"]
)
def test_everything_else_is_not(address):
    assert not is_loopback(address)


def test_the_shipped_configuration_listens_on_loopback_only():
    import tomllib

    from lungcad.paths import SHIPPED

    assert is_loopback(tomllib.loads((SHIPPED / ".streamlit" / "config.toml").read_text("utf-8"))["server"]["address"])


def test_a_local_visitor_opens_any_folder(shared):
    assert open_folder(str(shared / "set"), roots=None, is_local=True) == (shared / "set").resolve()


@pytest.mark.parametrize("path", ["shared/set", "private/set", "private/gone", "/", "", "\0", "n" * 5000])
def test_another_visitor_opens_none_and_learns_nothing(shared, path):
    with pytest.raises(DatasetError) as told:
        open_folder(str(shared.parent / path), roots=None, is_local=False)
    assert str(told.value) == REFUSED


@pytest.mark.parametrize("is_local", [True, False])
def test_below_the_roots_only(shared, is_local):
    roots = (shared.resolve(),)
    assert open_folder(str(shared / "set"), roots=roots, is_local=is_local) == (shared / "set").resolve()
    (shared / "way-out").symlink_to(shared.parent / "private")
    (shared / "no-way").symlink_to(shared.parent / "gone")
    for outside in (
        "../private/set",
        "../private/gone",
        "../shared-too",
        "way-out",
        "way-out/set",
        "way-out/gone",
        "no-way",
        "..",
        "/etc",
        "/gone",
    ):
        with pytest.raises(DatasetError) as told:
            open_folder(str(shared / outside), roots=roots, is_local=is_local)
        assert str(told.value) == REFUSED, outside


@pytest.mark.parametrize("path", ["gone", "set\0", "n" * 5000])
def test_a_missing_folder_below_a_root_is_said(shared, path):
    with pytest.raises(DatasetError, match=r"There is no folder|may not be opened"):
        open_folder(str(shared / path), roots=(shared.resolve(),), is_local=False)


@pytest.mark.parametrize("target", ["private", "private/set/a.png", "gone"])
@pytest.mark.parametrize("through", [False, True])
def test_links_out_of_the_roots_are_refused(shared, target, through):
    place = shared / "set" / "normal"
    if through:  # by way of a link that stays inside
        place = shared / "elsewhere"
        place.mkdir()
        (shared / "set" / "inner").symlink_to(place)
    (place / "link").symlink_to(shared.parent / target)
    with pytest.raises(DatasetError, match="link that leads out"):
        open_folder(str(shared / "set"), roots=(shared.resolve(),), is_local=False)


def test_links_within_the_roots_are_followed_and_loops_end(shared):
    (shared / "set" / "loop").symlink_to(shared / "set")
    assert open_folder(str(shared / "set"), roots=(shared.resolve(),), is_local=False)


def test_the_roots_are_named_by_the_environment(shared):
    assert shared_roots({}) is None
    assert shared_roots({FOLDERS: ""}) == () and shared_roots({FOLDERS: "relative"}) == ()
    assert shared_roots({FOLDERS: os.pathsep.join([str(shared), "/"])}) == (shared.resolve(), (shared / "/").resolve())
    with pytest.raises(DatasetError):
        open_folder(str(shared), roots=(), is_local=True)
