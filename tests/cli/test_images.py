"""Commands about images and networks: models, predict, explain."""

import io
import json
import os

import numpy as np
import pytest
from PIL import Image

from lungcad.imaging.phantom import make_phantom
from lungcad.models import list_cards
from lungcad.names import printable
from tests.bad_files import bad_files
from tests.calls import caller
from tests.cli.conftest import MODEL
from tests.conftest import CLASSES

BAD = bad_files()


def test_models(run):
    status, out, _ = run("models", "--json")
    cards = json.loads(out)
    assert status == 0 and {"name", "backbone", "attention", "dataset", "classes"} <= set(cards[0]) and len(cards) == 4
    assert "0.500" in run("models")[1] and "cbam" in run("models")[1]


def test_predict_prints_one_object_an_image(run, png, tmp_path):
    dicom = tmp_path / "slice.dcm"
    dicom.write_bytes(make_phantom(1, size=96).dicom())
    status, out, _ = run("predict", png, dicom, "--model", MODEL, "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    assert status == 0 and [row["path"] for row in rows] == [str(png), str(dicom)]
    for row in rows:
        assert set(row) == {
            "path",
            "model",
            "gate",
            "class",
            "probabilities",
            "set",
            "set_level",
            "set_note",
            "backend",
            "warnings",
            "notes",
        }
        assert row["model"] == MODEL and row["set"] is None and "no stored evaluation run" in row["set_note"]
        assert tuple(row["probabilities"]) == CLASSES and sum(row["probabilities"].values()) == pytest.approx(1, abs=1e-5)
        assert row["class"] == max(row["probabilities"], key=row["probabilities"].get)


def test_a_bad_image_among_good_ones(run, png, tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"words")
    status, out, err = run("predict", bad, png, "--model", MODEL, "--json")
    assert status == 2 and json.loads(out)["path"] == str(png) and "not an image" in err


@pytest.mark.parametrize(("method", "model"), [("gradcam", MODEL), ("lime", MODEL), ("attention", "toy-efficientnet_lite0-gate")])
def test_explain_writes_overlay_and_values_at_the_original_size(run, tmp_path, method, model):
    source = tmp_path / "odd.png"
    Image.fromarray(np.asarray(Image.open(io.BytesIO(make_phantom(1, size=192).png())))[:125, :187]).save(source)
    out, values = tmp_path / "overlay.png", tmp_path / "map.npy"
    status, text, _ = run("explain", source, "--model", model, "--method", method, "--target", "normal", "--out", out, "--values", values,
                          "--samples", 60, "--json")  # fmt: skip
    assert status == 0 and json.loads(text)["explained_class"] == "normal"
    assert Image.open(out).size == (187, 125)
    heat = np.load(values)
    assert heat.shape == (125, 187) and heat.dtype == np.float32


@pytest.mark.parametrize(
    "arguments", [("--layer", "before"), ("--method", "lime", "--segments", "grid", "--fill", "blur", "--samples", "60")]
)
def test_explain_takes_the_methods_settings(run, png, arguments):
    assert run("explain", png, "--model", MODEL, *arguments)[0] == 0
    status, _, err = run("explain", png, "--model", MODEL, arguments[0], "nothing")
    assert status == 2 and "choose one of" in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ("--method", "layercam-fused", "--layer", "attended"),
            "The option layer does nothing for layercam-fused; leave it out, or choose one of: gradcam,",
        ),
        (("--method", "layercam-fused", "--layer", "enlarged"), "The option layer does nothing for layercam-fused"),
        (("--coarse",), "The option coarse does nothing for gradcam; leave it out, or choose one of: occlusion."),
        (
            ("--method", "occlusion", "--steady", "0.9"),
            "The option steady does nothing for occlusion; leave it out, or choose one of: lime.",
        ),
    ],
)
def test_an_option_that_the_method_would_ignore_is_refused(run, png, arguments, says):
    status, out, err = run("explain", png, "--model", MODEL, *arguments)
    assert status == 2 and out == "" and says in err and err.count("\n") == 1


def test_an_ensemble_predicts_and_is_evaluated(run, png, tmp_path):
    both = f"{MODEL},toy-resnet18-soft"
    status, out, _ = run("predict", png, "--model", both, "--json")
    assert status == 0 and sum(json.loads(out)["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    for name in CLASSES:
        (tmp_path / "test" / name).mkdir(parents=True)
        (tmp_path / "test" / name / "a.png").write_bytes(make_phantom(3, size=96).png())
    status, out, _ = run("evaluate", "--model", both, "--data", tmp_path, "--json")
    assert status == 0 and json.loads(out)["n"] == 4


@pytest.mark.parametrize("name", BAD)
def test_bad_files_end_in_one_sentence(run, tmp_path, name):
    path = tmp_path / name
    path.write_bytes(BAD[name][0])
    before = sorted(tmp_path.iterdir())
    for arguments in (("predict", path, "--model", MODEL, "--json"), ("explain", path, "--model", MODEL, "--out", tmp_path / "o.png")):
        status, out, err = run(*arguments)
        assert status == 2 and out == "" and err.count("\n") == 1 and BAD[name][1] in err
    assert sorted(tmp_path.iterdir()) == before


def test_the_networks_are_readable_on_80_columns(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    text = run("models")[1]
    assert all(name in text for name in ("toy-resnet18-cbam", "toy-efficientnet_lite0-gate", "0.500 [0.400, 0.600]"))
    assert max(map(len, text.splitlines())) <= 80 and "…" not in text


@pytest.mark.parametrize("name", [b"Th\xf6rax.png", b"[x] [bold].png", b"two\nlines.png", b"a" * 240 + b".png"])
def test_names_of_any_bytes_are_printed_and_stop_nothing(run, png, name):
    odd = png.parent / os.fsdecode(name)
    odd.write_bytes(png.read_bytes())
    status, out, _ = run("predict", odd, png, "--model", MODEL, "--json")
    rows = [json.loads(line) for line in out.encode().splitlines()]
    assert status == 0 and [row["path"] for row in rows] == [printable(odd), str(png)]
    assert printable(odd.name) in run("explain", odd, "--model", MODEL)[1]
    odd.write_bytes(b"words")
    status, out, err = run("predict", odd, png, "--model", MODEL)
    assert status == 2 and str(png) in out and err.count("lungcad: ") == 1 and printable(odd.name)[-200:] in err


def test_an_image_path_that_cannot_be_opened_is_one_sentence_and_the_others_go_on(run, png):
    for bad, word in (
        (f"{png.parent}/{'a' * 300}", "too long"),
        ("a/" * 2100, "too long"),
        (f"{png}/b", "no such file"),
        ("/dev/full", "device"),
    ):
        status, out, err = run("predict", bad, png, "--model", MODEL)
        assert status == 2 and str(png) in out and err.count("lungcad: ") == 1 and word in err


def test_predict_tells_warnings_from_notes_and_the_switch_turns_recognition_off(run, tmp_path):
    from tests.imaging.encodings import HU, encode, enhanced, saved

    offset, frames = tmp_path / "offset.png", tmp_path / "frames.dcm"
    offset.write_bytes(encode((HU + 32768).astype("uint16")))
    frames.write_bytes(saved(enhanced(3)))
    status, out, err = run("predict", offset, "--model", MODEL)
    assert status == 0 and "note: The values look like" in " ".join(err.split())
    status, out, _ = run("predict", offset, frames, "--model", MODEL, "--json")
    first, second = map(json.loads, out.splitlines())
    assert any("32768" in note for note in first["notes"]) and any("frame 2" in warning for warning in second["warnings"])
    status, out, _ = run("predict", offset, "--model", MODEL, "--scale", "grey", "--json")
    assert status == 0 and not any("32768" in note for note in json.loads(out)["notes"])
    status, _, err = run("predict", frames, "--model", MODEL, "--frame", "4")
    assert status == 2 and "no frame 4" in err
    status, _, err = run("predict", offset, "--model", MODEL, "--scale", "hu")
    assert status == 2 and "choose one of" in err


def test_the_list_of_the_shipped_networks_fits_eighty_columns(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    text = caller(monkeypatch, capsys)("models")[1]
    assert "…" not in text and all(card.name in text and str(card.test.accuracy) in text for card in list_cards())
