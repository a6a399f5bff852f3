"""The command line called in this process."""

from collections.abc import Callable
from pathlib import Path

import pytest

import lungcad.models.card
import lungcad.models.weights
from lungcad import cli


def caller(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Arguments -> (exit status, stdout, stderr)."""

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["lungcad", *map(str, arguments)])
        status = 0
        try:
            cli.main()
        except SystemExit as stop:
            status = stop.code or 0
        out, err = capsys.readouterr()
        return status, out, err

    return call


def use_networks(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let those of the folder be the installed ones."""
    monkeypatch.setitem(lungcad.models.weights.load_model.__kwdefaults__, "folder", folder)
    monkeypatch.setattr(lungcad.models.card.list_cards, "__defaults__", (folder,))
