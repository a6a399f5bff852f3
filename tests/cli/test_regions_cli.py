"""``lungcad regions`` and ``regions-tables`` as a user calls them."""

import json

import pytest
from typer.testing import CliRunner

from lungcad.cli import app
from lungcad.datasets.phantoms.make import make_phantoms
from lungcad.errors import LungcadError

MODEL = "phantom-cheat-marker"


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory):
    return make_phantoms(tmp_path_factory.mktemp("data") / "phantoms", 24, shortcut="marker", size=128)


def run(*arguments: str):
    return CliRunner().invoke(app, ["regions", "--model", MODEL, *arguments])


def test_json_has_the_rows_and_what_was_left_out(phantoms, tmp_path):
    done = run("--data", str(phantoms), "--regions", "no-lungs,text", "--fills", "median", "--n", "4", "--out", str(tmp_path), "--json")
    assert done.exit_code == 0
    values = json.loads(done.stdout)
    assert [row["region"] for row in values["rows"]][:2] == ["all", "no-lungs"] and values["n"] == 4
    assert {"region", "fill", "n", "accuracy", "macro_f1", "answers_kept", "intervals", "difference"} <= set(values["rows"][1])
    assert any("no fitted gate" in note for note in values["notes"])
    assert (tmp_path / f"{MODEL}--phantoms" / "regions.json").is_file()
    tables = CliRunner().invoke(app, ["regions-tables", "--runs", str(tmp_path), "--write"])
    assert tables.exit_code == 0 and MODEL in tables.stdout and MODEL in (tmp_path / "README.md").read_text("utf-8")


def test_bad_input_is_one_sentence(phantoms):
    for arguments, what in (
        (("--regions", "heart"), "no-lungs"),
        (("--fills", "gold"), "median"),
        (("--layout", "lc25000"), "microscope tiles"),
    ):
        failed = run("--data", str(phantoms), *arguments)
        assert isinstance(failed.exception, LungcadError) and what in str(failed.exception)
