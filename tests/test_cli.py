"""The command line as a person and a pipe see it."""

import io
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import lungcad.models.card
import lungcad.models.weights
from lungcad import cli
from lungcad.evaluate.stores.runs import write_run
from lungcad.imaging.phantom import make_phantom
from lungcad.models import ModelCard
from lungcad.names import printable
from tests.bad_files import bad_files
from tests.calls import caller
from tests.conftest import CLASSES

BAD = bad_files()
MODEL = "toy-resnet18-none"


@pytest.fixture
def run(weights_folder, monkeypatch, capsys):
    """Run the command line in this process on the toy networks: (exit status, stdout, stderr)."""
    for function in (lungcad.models.weights.load_model, lungcad.models.card.list_cards):
        monkeypatch.setitem(function.__kwdefaults__ or {}, "folder", weights_folder)
    monkeypatch.setattr(lungcad.models.card.list_cards, "__defaults__", (weights_folder,))
    return caller(monkeypatch, capsys)


@pytest.fixture
def png(tmp_path):
    path = tmp_path / "slice.png"
    path.write_bytes(make_phantom(1, size=96).png())
    return path


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
        assert set(row) == {"path", "model", "gate", "class", "probabilities", "set", "set_level", "set_note", "warnings", "notes"}
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


def test_evaluate(run, tmp_path):
    for index, name in enumerate(CLASSES):
        (tmp_path / "test" / name).mkdir(parents=True)
        (tmp_path / "test" / name / "a.png").write_bytes(make_phantom(index, size=96).png())
    status, out, _ = run("evaluate", "--model", MODEL, "--data", tmp_path, "--layout", "chest-ct-scan", "--json")
    values = json.loads(out)
    assert status == 0 and values["n"] == 4 and set(values["recall"]) == set(CLASSES)
    assert "accuracy" in run("evaluate", "--model", MODEL, "--data", tmp_path)[1]


@pytest.mark.parametrize("name", BAD)
def test_bad_files_end_in_one_sentence(run, tmp_path, name):
    path = tmp_path / name
    path.write_bytes(BAD[name][0])
    before = sorted(tmp_path.iterdir())
    for arguments in (("predict", path, "--model", MODEL, "--json"), ("explain", path, "--model", MODEL, "--out", tmp_path / "o.png")):
        status, out, err = run(*arguments)
        assert status == 2 and out == "" and err.count("\n") == 1 and BAD[name][1] in err
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("predict", "{png}", "--model", "nope"), "choose one of"),
        (("predict", "{png}.gone", "--model", MODEL), "no such file"),
        (("predict", "{dir}", "--model", MODEL), "folder"),
        (("explain", "{png}", "--model", MODEL, "--target", "nope"), "choose one of"),
        (("explain", "{png}", "--model", MODEL, "--method", "nope"), "choose one of"),
        (("explain", "{png}", "--model", MODEL, "--method", "attention"), "no attention"),
        (("explain", "{png}", "--model", MODEL, "--out", "{dir}/gone/o.png"), "no folder"),
        (("explain", "{png}", "--model", MODEL, "--out", "{dir}/o.txt"), "must end in .png"),
        (("evaluate", "--model", MODEL, "--data", "{dir}/gone"), "no folder"),
        (("evaluate", "--model", MODEL, "--data", "{dir}", "--layout", "nope"), "choose one of"),
        (("train", "{dir}/gone.yaml"), "cannot be read"),
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
    status, out, err = run(*(each.format(png=png, dir=png.parent) for each in arguments))
    assert status == 2 and out == "" and err.count("\n") == 1 and word in err


def test_as_a_process_stdout_is_json_alone(png):
    """Through ``python -m lungcad`` itself, with the shipped networks."""
    environment = os.environ | {"PYTHONWARNINGS": "default"}
    done = subprocess.run(
        [sys.executable, "-m", "lungcad", "models", "--json"], capture_output=True, text=True, env=environment, check=True
    )
    names = [card["name"] for card in json.loads(done.stdout)]
    done = subprocess.run(
        [sys.executable, "-m", "lungcad", "predict", str(png), "--model", names[0], "--json"],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    assert json.loads(done.stdout)["model"] == names[0]


def test_help_lists_the_commands():
    text = CliRunner().invoke(cli.app, ["--help"]).stdout
    commands = ("models", "predict", "explain", "train", "tune", "evaluate", "audit", "data", "runs", "bench")
    assert all(command in text for command in commands)


def test_an_ensemble_predicts_and_is_evaluated(run, png, tmp_path):
    both = f"{MODEL},toy-resnet18-soft"
    status, out, _ = run("predict", png, "--model", both, "--json")
    assert status == 0 and sum(json.loads(out)["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    for name in CLASSES:
        (tmp_path / "test" / name).mkdir(parents=True)
        (tmp_path / "test" / name / "a.png").write_bytes(make_phantom(3, size=96).png())
    status, out, _ = run("evaluate", "--model", both, "--data", tmp_path, "--json")
    assert status == 0 and json.loads(out)["n"] == 4


@pytest.fixture
def leaky(tmp_path):
    """Two classes of six textures; one test image is a training image."""
    rng = np.random.default_rng(0)
    for part in ("train", "valid", "test"):
        for name in CLASSES:
            place = tmp_path / "leaky" / part / name
            place.mkdir(parents=True)
            for index in range(2):
                texture = (rng.random((6, 6)) * 255).astype(np.uint8)
                Image.fromarray(texture).resize((96, 96), Image.Resampling.BICUBIC).save(place / f"{index}.png")
    folder = tmp_path / "leaky"
    (folder / "test" / "normal" / "copy.png").write_bytes((folder / "train" / "normal" / "0.png").read_bytes())
    return folder


def test_audit_has_the_promised_keys(run, leaky):
    status, out, _ = run("audit", leaky, "--json")
    values = json.loads(out)
    keys = {"n_images", "duplicate_groups", "leaks", "label_conflicts", "unreadable", "metadata_only", "seconds"}
    assert status == 0 and keys <= set(values) and values["n_images"] == 25
    assert values["leaks"] == [{"split": "test", "class": "normal", "n": 1, "share": 0.3333}]
    assert "1 groups of copies" in run("audit", leaky)[1]


def test_data_info_counts_both_protocols(run, leaky):
    status, out, _ = run("data", "info", "chest-ct-scan", "--data", leaky, "--json")
    values = json.loads(out)
    parts = {protocol: {row["split"]: row for row in each["parts"]} for protocol, each in values["protocols"].items()}
    assert status == 0 and parts["published"]["test"]["copies_of_training"] == 1 and parts["published"]["train"]["n"] == 8
    assert parts["grouped"]["train"]["n"] == 7 and values["licence"] == "ODbL 1.0"
    assert "ODbL" in run("data", "info", "chest-ct-scan", "--data", leaky)[1]


def test_runs_are_listed_shown_and_compared(run, tmp_path):
    from tests.evaluate.sample_runs import make_run

    for name, shift in (("plain", 0.0), ("attended", 2.0)):
        made = make_run(name, shift=shift, seed=len(name))
        write_run(tmp_path / name, made.facts | {"classes": list(made.classes), "protocol": "grouped", "network": name}, made.predictions)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_text("{")
    status, out, err = run("runs", "list", "--runs", tmp_path, "--json")
    assert status == 0 and [row["run"] for row in json.loads(out)] == ["attended", "plain"] and "broken is damaged" in err
    status, out, _ = run("runs", "show", "plain", "--runs", tmp_path, "--json")
    values = json.loads(out)
    assert status == 0 and values["metrics"]["accuracy"]["low"] <= values["metrics"]["accuracy"]["value"] and len(values["confusion"]) == 2
    status, out, _ = run("runs", "compare", "plain", "attended", "--runs", tmp_path, "--json")
    assert status == 0 and json.loads(out)[0]["metric"] == "accuracy" and json.loads(out)[0]["difference"] > 0
    assert run("runs", "gain", "plain", "attended", "--runs", tmp_path)[0] == 0
    assert (
        "ROC-AUC" in run("runs", "show", "plain", "--runs", tmp_path)[1]
        and "DeLong" in run("runs", "compare", "plain", "attended", "--runs", tmp_path)[1]
    )


def test_train_with_another_seed_keeps_its_run_only(run, leaky, tmp_path):
    recipe = tmp_path / "toy.yaml"
    recipe.write_text(
        "name: toy\nbackbone: custom_cnn\ninit: scratch\nepochs: 1\nfrozen_epochs: 0\nbatch_size: 4\npreprocess: {size: [64, 64], crop: none}\n"
    )
    (leaky / "train" / "normal" / "broken.png").write_bytes(b"no")
    places = ("--data", leaky, "--work", tmp_path / "work", "--out", tmp_path / "out", "--runs", tmp_path / "runs")
    status, out, err = run("train", recipe, *places, "--seed", 5)
    assert status == 0 and "toy-seed5: test accuracy" in out and "skipped train/normal/broken.png" in err
    assert (tmp_path / "runs" / "toy-seed5" / "run.json").exists() and not (tmp_path / "out").exists()
    status, _, err = run("train", recipe, *places, "--protocol", "nope")
    assert status == 2 and "choose one of: published, grouped" in err


def test_trust_prints_the_promised_json_and_keeps_a_run(run, png, tmp_path):
    for label in CLASSES:
        place = tmp_path / "data" / "test" / label
        place.mkdir(parents=True)
        (place / "a.png").write_bytes(png.read_bytes())
    common = ("trust", "--model", MODEL, "--data", tmp_path / "data", "--n", 2, "--methods", "gradcam,random", "--out", tmp_path / "trust")
    status, out, _ = run(*common, "--json")
    found = json.loads(out)
    wanted = {"method", "pointing_game", "energy_inside", "iou", "deletion_auc", "insertion_auc", "stability", "in_lung"}
    assert status == 0 and found["model"] == MODEL and found["n"] == 2 and wanted <= set(found["methods"][0])
    assert (tmp_path / "trust" / f"{MODEL}--chest-ct-scan" / "cases.parquet").exists()
    assert "2 cases" in run(*common)[1]
    assert "Random map" in run("trust-tables", "--runs", tmp_path / "trust", "--write")[1] and (tmp_path / "trust" / "README.md").exists()
    assert run("trust-tables", "--runs", tmp_path / "trust", "--measure", "beauty")[0] == 2


def test_index_embeds_the_training_cases(run, leaky, weights_folder, tmp_path, monkeypatch):
    status, _, err = run("index", "--model", MODEL, "--data", leaky, "--out", tmp_path)
    assert status == 2 and "was trained on 1" in err  # the toy's card says one case: not its data
    folder = shutil.copytree(weights_folder, tmp_path / "weights")
    card = ModelCard.read(folder / f"{MODEL}.json")
    card.model_copy(update={"n_train": 7}).write(folder / f"{MODEL}.json")  # 8 images, one left out as a copy of a test image
    monkeypatch.setitem(lungcad.models.weights.load_model.__kwdefaults__, "folder", folder)
    status, out, _ = run("index", "--model", MODEL, "--data", leaky, "--out", tmp_path)
    assert status == 0 and "7 training cases" in out
    with np.load(tmp_path / f"{MODEL}.npz", allow_pickle=False) as index:
        assert len(index["vectors"]) == 7 and "train/normal/0.png" not in index["cases"]
        assert sorted(index["test_cases"]) == sorted(path.relative_to(leaky).as_posix() for path in (leaky / "test").rglob("*.png"))


@pytest.mark.parametrize(
    "arguments", [("--layer", "before"), ("--method", "lime", "--segments", "grid", "--fill", "blur", "--samples", "60")]
)
def test_explain_takes_the_methods_settings(run, png, arguments):
    assert run("explain", png, "--model", MODEL, *arguments)[0] == 0
    status, _, err = run("explain", png, "--model", MODEL, arguments[0], "nothing")
    assert status == 2 and "choose one of" in err


@pytest.mark.parametrize(
    ("arguments", "unneeded"),
    [
        (("models",), {"torch", "timm", "cv2", "pydicom", "pandas", "sklearn", "scipy"}),
        (
            ("predict", "SLICE", "--model", "iq-mobilenetv2"),
            {
                "sklearn",
                "skimage",
                "lime",
                "captum",
                "pytorch_grad_cam",
                "matplotlib",
                "torch._dynamo",
            },  # pandas reads the run that the set of classes needs
        ),
    ],
)
def test_a_command_imports_what_it_needs_only(png, arguments, unneeded):
    """Which is most of the time that `models` and `predict` of one slice take."""
    script = "import sys; from lungcad.cli import main; sys.argv = sys.argv[1:]\ntry: main()\nexcept SystemExit: pass\nprint(*sys.modules, sep=chr(10))"
    arguments = [str(png) if each == "SLICE" else each for each in arguments]
    done = subprocess.run([sys.executable, "-c", script, "lungcad", *arguments], capture_output=True, text=True, check=True)
    assert arguments[0] == "predict" or "chest-efficientnet-lite0-gate" in done.stdout
    assert not unneeded & set(done.stdout.splitlines())


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


def test_an_evaluation_never_tests_on_training_images_in_silence(run, tmp_path):
    for part, n in (("A", 2), ("B", 1)):
        for index, label in enumerate(CLASSES):
            place = tmp_path / part / label
            place.mkdir(parents=True)
            for number in range(n):
                (place / f"{number}.png").write_bytes(make_phantom(10 * index + number, size=96).png())
    common = ("evaluate", "--model", MODEL, "--data")
    status, out, err = run(*common, tmp_path, "--json")
    assert status == 0 and json.loads(out)["n"] == 12 and "--parts" in err and any("--parts" in note for note in json.loads(out)["notes"])
    status, out, err = run(*common, tmp_path, "--parts", "A=training,b=test", "--json")
    assert status == 0 and json.loads(out)["n"] == 4 and "which of them trains" not in err
    assert run(*common, tmp_path, "--parts", "A=train,C=test")[0] == 2
    (tmp_path / "A").rename(tmp_path / "Training")
    status, out, err = run(*common, tmp_path / "Training", "--json")
    assert status == 0 and "train part" in err
    (tmp_path / "B").rename(tmp_path / "Testing")
    assert json.loads(run(*common, tmp_path, "--json")[1])["n"] == 4


def test_in_the_c_locale_and_to_a_full_disk(tmp_path):
    """Through the process itself: what the locale cannot show is escaped, JSON stays JSON."""
    place = tmp_path / "Größe [a]"
    place.mkdir()
    (place / os.fsdecode(b"Th\xf6rax.png")).write_bytes(make_phantom(1, size=64).png())
    command = [sys.executable, "-m", "lungcad", "audit", str(tmp_path)]
    environment = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run([*command, "--json"], capture_output=True, env=environment, check=True)
    assert json.loads(done.stdout)["n_images"] == 1 and done.stdout.isascii()
    assert subprocess.run(command, capture_output=True, env=environment, check=True).stdout.isascii()
    if os.path.exists("/dev/full"):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([*command, "--json"], stdout=full, stderr=subprocess.PIPE, check=False)
        assert done.returncode == 2 and done.stderr.decode().count("\n") == 1 and "disk is full" in done.stderr.decode()


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
