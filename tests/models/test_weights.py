import shutil

import pytest
import safetensors.torch
import torch

from lungcad.device import Device, best_device
from lungcad.errors import LungcadError, ModelError, UnknownNameError
from lungcad.models import create_model, list_cards, load_model, load_state_dict_file
from lungcad.models.card import ModelCard
from tests.conftest import CLASSES, WEIGHTS, make_card

NAME = "toy-resnet18-cbam"


def test_loads_what_was_saved_to_float16(weights_folder):
    torch.manual_seed(1)
    saved = create_model("resnet18", "cbam", len(CLASSES)).eval()
    stored = safetensors.torch.load_file(weights_folder / f"{NAME}.safetensors")
    for key, tensor in saved.state_dict().items():
        expected = tensor.half() if tensor.is_floating_point() else tensor
        assert torch.equal(stored[key], expected)
    loaded = load_model(NAME, folder=weights_folder, device=Device(torch.device("cpu"), None)).network
    assert not loaded.training and not any(parameter.requires_grad for parameter in loaded.parameters())
    x = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(loaded(x), saved(x), atol=1e-3, rtol=1e-2)


@pytest.mark.parametrize(
    ("damage", "word"),
    [
        (lambda folder: (folder / f"{NAME}.safetensors").unlink(), "missing"),
        (lambda folder: (folder / f"{NAME}.safetensors").write_bytes(b"\0" * 100), "sha256"),
        (lambda folder: (folder / f"{NAME}.json").write_text("{"), "not JSON"),
        (lambda folder: (folder / f"{NAME}.json").write_text('{"name": "x"}'), "backbone"),
    ],
)
def test_damage_is_reported(weights_folder, tmp_path, damage, word):
    shutil.copytree(weights_folder, tmp_path / "w")
    damage(tmp_path / "w")
    with pytest.raises(ModelError, match=word):
        load_model(NAME, folder=tmp_path / "w")


def test_one_flipped_byte_fails_the_hash(weights_folder, tmp_path):
    shutil.copytree(weights_folder, tmp_path / "w")
    path = tmp_path / "w" / f"{NAME}.safetensors"
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelError, match="does not match"):
        load_model(NAME, folder=tmp_path / "w")


def test_unknown_model_lists_the_choices(weights_folder, tmp_path):
    with pytest.raises(UnknownNameError, match=NAME):
        load_model("nope", folder=weights_folder)
    with pytest.raises(ModelError, match="No network is installed"):
        load_model("nope", folder=tmp_path)


def test_class_names_are_forgiving_but_not_guessed(toy):
    assert toy.class_index("Large Cell-Carcinoma") == 1
    with pytest.raises(LungcadError, match="normal"):
        toy.class_index("carcinoma")


def test_a_users_own_state_dict(tmp_path):
    torch.manual_seed(2)
    network = create_model("resnet18", "gate", len(CLASSES))
    card = make_card("mine", "resnet18", "gate", "")
    for name, state in (("plain.pth", network.state_dict()), ("nested.pth", {"state_dict": network.state_dict(), "epoch": 3})):
        torch.save(state, tmp_path / name)
        loaded = load_state_dict_file(tmp_path / name, "resnet18", "gate", card, device=best_device())
        assert torch.equal(loaded.network.head.linear.weight.cpu(), network.head.linear.weight)


def test_a_mismatch_says_which_keys(tmp_path):
    state = create_model("resnet18", "none", 3).state_dict()
    state["extra.weight"] = torch.zeros(1)
    del state["features.body.conv1.weight"]
    torch.save(state, tmp_path / "other.pth")
    with pytest.raises(ModelError) as caught:
        load_state_dict_file(tmp_path / "other.pth", "resnet18", "none", make_card("mine", "resnet18", "none", ""))
    for key in ("features.body.conv1.weight", "extra.weight", "head.linear.bias"):
        assert key in str(caught.value)


def test_a_pickle_with_code_is_not_run(tmp_path):
    class Payload:
        def __reduce__(self):
            return (open, (str(tmp_path / "owned"), "w"))

    torch.save({"weight": Payload()}, tmp_path / "evil.pth")
    with pytest.raises(ModelError, match="state dict"):
        load_state_dict_file(tmp_path / "evil.pth", "resnet18", "none", make_card("mine", "resnet18", "none", ""))
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("content", [b"", b"words", b"\x80\x02}q\x00."])
def test_not_a_state_dict(tmp_path, content):
    (tmp_path / "broken.pth").write_bytes(content)
    with pytest.raises(ModelError):
        load_state_dict_file(tmp_path / "broken.pth", "resnet18", "none", make_card("mine", "resnet18", "none", ""))


def test_every_shipped_card_is_complete_and_fits_its_file():
    cards = list_cards()
    pairs = {(card.backbone, card.attention == "none") for card in cards}
    assert pairs >= {(backbone, is_baseline) for backbone in ("resnet18", "efficientnet_lite0") for is_baseline in (True, False)}
    for card in cards:
        path = WEIGHTS / f"{card.name}.safetensors"
        assert path.stat().st_size < 25_000_000
        assert load_model(card.name).card == card
        assert (WEIGHTS / f"{card.name}.yaml").exists()
        for result in filter(None, (card.test, card.test_without_copies)):
            for estimate in (result.accuracy, result.macro_f1, result.auc, *result.recall.values()):
                assert estimate.low <= estimate.value <= estimate.high
        assert card.operating_point.chosen_on == "validation" and ModelCard.model_validate_json(card.model_dump_json()) == card


def test_the_network_is_built_once_until_gradients_of_inner_layers_are_asked_for(weights_folder):
    model = load_model("toy-resnet18-soft", folder=weights_folder)
    assert "original" not in vars(model)
    assert not any(tensor.is_meta for tensor in (*model.original.parameters(), *model.original.buffers(), *model.network.buffers()))
    assert model.original is model.original and model.original is not model.network
