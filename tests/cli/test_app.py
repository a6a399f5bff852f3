"""`lungcad app`: what Streamlit is started with."""

import os
import sys

import pytest

from lungcad import cli
from lungcad.paths import APP


class Started(Exception):
    """Instead of becoming the server."""


@pytest.fixture
def start(monkeypatch):
    def instead(program, command, environment):
        raise Started(command, environment)

    monkeypatch.setattr(os, "execve", instead)

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["lungcad", "app", *map(str, arguments)])
        with pytest.raises(Started) as started:
            cli.main()
        return started.value.args

    return call


def test_a_port_by_its_short_name(start):
    command, _ = start("--port", 8701)
    assert command[-4:] == ["--server.address", "localhost", "--server.port", "8701"]


def test_it_listens_on_this_computer_only_and_passes_streamlits_options_on(start):
    command, environment = start("--server.port", 8600, "--server.headless", "true")
    assert command[1:] == [
        "-m",
        "streamlit",
        "run",
        str(APP),
        "--server.address",
        "localhost",
        "--server.port",
        "8600",
        "--server.headless",
        "true",
    ]
    assert environment.get("LUNGCAD_FOLDERS") == os.environ.get("LUNGCAD_FOLDERS")


def test_the_server_has_one_heap_unless_its_host_says_otherwise(start, monkeypatch):
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    assert start()[1]["MALLOC_ARENA_MAX"] == "1"
    monkeypatch.setenv("MALLOC_ARENA_MAX", "4")
    assert start()[1]["MALLOC_ARENA_MAX"] == "4"


def test_another_address_and_shared_folders(start, tmp_path):
    (tmp_path / "other").mkdir()
    command, environment = start("--host", "0.0.0.0", "--folders", tmp_path, "--folders", tmp_path / "other")  # noqa: S104
    assert command[command.index("--server.address") + 1] == "0.0.0.0"  # noqa: S104
    assert environment["LUNGCAD_FOLDERS"].split(os.pathsep) == [str(tmp_path), str(tmp_path / "other")]


def test_a_folder_that_is_not_there_ends_in_one_sentence(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(sys, "argv", ["lungcad", "app", "--folders", str(tmp_path / "gone")])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 2 and "no folder" in capsys.readouterr().err
