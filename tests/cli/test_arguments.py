"""Arguments that are wrong, and places where nothing can be written."""

import os

import pytest
from typer.testing import CliRunner

from lungcad import cli
from tests.cli.conftest import MODEL


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("predict", "{png}", "--model", "nope"), "choose one of"),
        (("batch", "{dir}", "--model", MODEL, "--out", ""), "--out is empty"),
        (("batch", "{dir}", "--model", MODEL, "--out="), "--out is empty"),
        (("explain", "{png}", "--model", MODEL, "--report", "html", "--out", " "), "--out is empty"),
        (("deidentify", "{png}", ""), "is empty"),
        (("audit", ""), "is empty"),
        (("predict", "{png}.gone", "--model", MODEL), "no such file"),
        (("predict", "{dir}", "--model", MODEL), "folder"),
        (("explain", "{png}", "--model", MODEL, "--target", "nope"), "choose one of"),
        (("explain", "{png}", "--model", MODEL, "--method", "nope"), "choose one of"),
        (("explain", "{png}", "--model", MODEL, "--method", "attention"), "no attention"),
        (("explain", "{png}", "--model", MODEL, "--out", "{dir}/gone/o.png"), "no folder"),
        (("explain", "{png}", "--model", MODEL, "--out", "{dir}/o.txt"), "must end in .png"),
        (("explain", "{png}", "--model", MODEL, "--out", "{dir}/../{name}/{file}"), "image itself"),
        (("evaluate", "--model", MODEL, "--data", "{dir}/gone"), "no folder"),
        (("evaluate", "--model", MODEL, "--data", "{dir}", "--layout", "nope"), "choose one of"),
        (("train", "{dir}/gone.yaml"), "cannot be read"),
        (("train", "{dir}"), "is a folder or a device"),
        (("train", "/dev/zero"), "is a folder or a device"),
        (("deidentify", "{png}", "{dir}/" + "n" * 300), "name too long"),
        (("bench", "--only", "nope"), "choose one of"),
        (("bench", "--only", "lime_vs_stock", "--all"), "exclude each other"),
        (("bench", "--only", "lime_vs_stock", "--out", "{dir}/gone/bench.json"), "no folder"),
        (("evaluate", "--model", MODEL, "--data", "{dir}", "--layout", "lidc-nodules"), "Choose a network trained on it"),
        (("predict", "{png}", "--model", f"{MODEL},nope"), "choose one of"),
        (("audit", "{dir}/gone"), "no folder"),
        (("audit", "{dir}", "--layout", "nope"), "choose one of"),
        (("audit", "{dir}", "--protocol", "nope"), "choose one of"),
        (("data", "info", "nope"), "choose one of"),
        (("data", "download", "nope"), "choose one of"),
        (("data", "info", "lc25000", "--data", "{dir}/gone"), "no folder"),
        (("runs", "show", "nope", "--runs", "{dir}"), "choose one of"),
        (("runs", "compare", "one", "two", "--runs", "{dir}"), "Unknown run"),
        (("tune", "{dir}/gone.yaml"), "cannot be read"),
    ],
)
def test_bad_arguments_end_in_one_sentence(run, png, arguments, word):
    status, out, err = run(*(each.format(png=png, dir=png.parent, name=png.parent.name, file=png.name) for each in arguments))
    assert status == 2 and out == "" and err.count("\n") == 1 and word in err


def test_help_lists_the_commands():
    text = CliRunner().invoke(cli.app, ["--help"]).stdout
    commands = ("models", "predict", "explain", "train", "tune", "evaluate", "audit", "data", "runs", "bench")
    assert all(command in text for command in commands)


@pytest.mark.parametrize(
    ("name", "word"),
    [("folder.png", "is a folder"), ("a" * 300 + ".png", "too long"), ("gone/a.png", "no folder"), ("full.png", "disk is full")],
)
def test_outputs_are_checked_first_and_written_whole(run, png, name, word):
    (png.parent / "folder.png").mkdir()
    if name == "full.png":
        if not os.path.exists("/dev/full"):
            pytest.skip("no /dev/full here")
        (png.parent / name).symlink_to("/dev/full")
    before = sorted(os.listdir(png.parent))
    status, out, err = run("explain", png, "--model", MODEL, "--out", png.parent / name)
    assert status == 2 and out == "" and err.count("\n") == 1 and word in err and sorted(os.listdir(png.parent)) == before
