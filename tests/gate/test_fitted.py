"""The shipped gates on pictures that are no CT slices, on files that are damaged or of other weights, and on the networks' own images."""

import dataclasses
import io
import json
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageDraw, ImageFont

from lungcad.analysis import analyse
from lungcad.datasets import is_made
from lungcad.ensemble_answer import answer_together
from lungcad.errors import ModelError
from lungcad.gate import Outcome
from lungcad.gate import stored as stored_module
from lungcad.gate.stored import FittedGate
from lungcad.imaging.phantom import make_phantom
from lungcad.models import list_cards, load_model
from lungcad.models.ensemble import Ensemble
from lungcad.paths import EXAMPLES, GATE

CT = ("chest-resnet18", "iq-mobilenetv2", "lidc-efficientnet-lite0")
EVERY = (*CT, "lc-efficientnet-lite0")


def png(pixels: np.ndarray | Image.Image) -> bytes:
    buffer = io.BytesIO()
    (pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)).save(buffer, "PNG")
    return buffer.getvalue()


def photograph(name: str, mode: str = "RGB", size: tuple[int, int] | None = None) -> bytes:
    with Image.open(Path(skimage.data.__file__).parent / name) as image:
        return png(image.convert(mode).resize(size) if size else image.convert(mode))


def words() -> bytes:
    canvas = Image.new("L", (128, 128), 255)
    ImageDraw.Draw(canvas).multiline_text((4, 4), "\n".join(["Findings: no focal lesion"] * 8), fill=0, font=ImageFont.load_default(12))
    return png(canvas)


rng = np.random.default_rng(7)
PICTURES = {
    "astronaut": photograph("astronaut.png"),
    "cat": photograph("chelsea.png"),
    "camera in grey": photograph("camera.png", "L"),
    "small camera in grey": photograph("camera.png", "L", (128, 128)),
    "black": png(np.zeros((128, 128), np.uint8)),
    "white": png(np.full((512, 512), 255, np.uint8)),
    "noise": png(rng.integers(0, 256, (128, 128), np.uint8)),
    "coloured noise": png(rng.integers(0, 256, (128, 128, 3), np.uint8)),
    "text": words(),
}


@pytest.fixture(scope="module")
def network():
    made = {}
    return lambda name: made.setdefault(name, load_model(name))


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("picture", PICTURES)
def test_what_is_no_ct_slice_is_declined(network, name, picture):
    found = analyse(PICTURES[picture], network(name), methods=())
    assert found.is_hidden and found.gate.reason and found.to_dict()["probabilities"] is None


@pytest.mark.parametrize("name", CT)
def test_turned_slices_and_crops_of_phantoms_are_not_answered_in_silence(network, name):
    """Nor are phantoms themselves, which no network was trained on."""
    whole = make_phantom(11, size=256).image().grey()
    for pixels in (whole, np.rot90(whole), whole[60:188, 20:148], 1 - whole):
        found = analyse(png(np.rint(255 * pixels).astype(np.uint8)), network(name), methods=())
        assert found.gate.outcome is not Outcome.ANSWER


def test_the_examples_can_be_shown_anyway():
    for path in sorted(path for path in EXAMPLES.glob("*") if path.suffix in (".png", ".dcm")):
        found = analyse(path, "chest-efficientnet-lite0-gate", show_anyway=True)
        assert not found.is_hidden and found.to_dict()["class"] and found.to_dict()["gate"]["overridden"] == found.gate.is_declined


def test_an_ensemble_declines_a_photograph(network):
    both = Ensemble([network("iq-mobilenetv2"), network("iq-mobilenetv2-soft")])
    assert answer_together(PICTURES["camera in grey"], both).is_hidden


def test_the_same_decision_again_and_from_a_copy_on_disk(network, tmp_path, monkeypatch):
    model, image = network("iq-mobilenetv2"), make_phantom(3, size=128).image()
    first = analyse(image, model, methods=()).gate
    assert first == analyse(image, model, methods=()).gate and first.is_fitted
    FittedGate.read(model.card).write(tmp_path / "iq-mobilenetv2.npz")
    monkeypatch.setattr(stored_module, "GATE", tmp_path)
    again = analyse(image, model, methods=()).gate
    assert again.outcome is first.outcome and again.measured == pytest.approx(first.measured, rel=1e-3, abs=1e-3)


def test_a_gate_of_other_weights_is_not_used_and_that_is_said(network):
    model = network("iq-mobilenetv2")
    other = dataclasses.replace(model, card=model.card.model_copy(update={"sha256": "0" * 64}))
    found = analyse(make_phantom(3, size=128).png(), other, methods=()).gate
    assert found.outcome is Outcome.WARN and "other weights" in found.reason and not found.is_fitted and not found.measured
    with pytest.raises(ModelError, match="gate fit --model iq-mobilenetv2"):
        FittedGate.read(other.card)


@pytest.mark.parametrize("fault", ["words", "cut", "no array", "nan"])
def test_a_damaged_gate_is_said(network, tmp_path, fault):
    card = network("iq-mobilenetv2").card
    data, path = (GATE / "iq-mobilenetv2.npz").read_bytes(), tmp_path / "iq-mobilenetv2.npz"
    if fault == "words":
        path.write_bytes(b"words")
    elif fault == "cut":
        path.write_bytes(data[: len(data) // 2])
    else:
        with np.load(io.BytesIO(data)) as whole:
            arrays = dict(whole)
        if fault == "no array":
            del arrays["kind:bias"]
        else:
            arrays["kind:bias"] = np.full_like(arrays["kind:bias"], np.nan)
        np.savez(path, **arrays)
    with pytest.raises(ModelError, match="is damaged"):
        FittedGate.read(card, tmp_path)


@pytest.mark.parametrize("card", [card for card in list_cards() if not is_made(card.dataset)], ids=lambda card: card.name)
def test_every_network_has_a_gate_of_its_weights_and_its_test(card):
    assert FittedGate.read(card).weights_sha256 == card.sha256
    test = json.loads((GATE / f"{card.name}.json").read_text("utf-8"))
    assert test["weights_sha256"] == card.sha256
    assert test["chosen_on_validation"]["validation_kept"] >= 0.95


@pytest.mark.parametrize("name", EVERY)
def test_own_test_images_are_kept_as_the_stored_test_says(network, name, shared_data):
    """A sample of 30: the whole call declines about as often as the stored test."""
    from lungcad.datasets import Split
    from lungcad.evaluate.gate.kinds import own

    model = network(name)
    kept = [not analyse(sample.image, model, methods=()).gate.is_declined for sample in own(model.card, Split.TEST, 30)]
    stored = json.loads((GATE / f"{name}.json").read_text("utf-8"))["own_test"]["kept"]["value"]
    assert np.mean(kept) >= stored - 0.15
