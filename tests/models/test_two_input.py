import numpy as np
import pytest
import torch

from lungcad.models import Inputs, create_model
from lungcad.models.backbones import Backbone, TwoInputBackbone
from lungcad.models.weights import load_model, save_weights
from tests.conftest import CLASSES, make_card


@pytest.fixture
def backbone():
    torch.manual_seed(0)
    return TwoInputBackbone("resnet18").eval()


def test_both_maps_are_those_of_one_input(backbone):
    """Averaged over positions, the first half is the plain network's answer to the image, the second to its enlarged middle."""
    one_input_backbone = Backbone("resnet18").eval()
    one_input_backbone.load_state_dict(backbone.state_dict())
    x = torch.rand(2, 3, 128, 128)
    with torch.no_grad():
        wide, near = backbone(x).chunk(2, dim=1)
        torch.testing.assert_close(wide.mean((2, 3)), one_input_backbone(x).mean((2, 3)))
        close_up = torch.nn.functional.interpolate(x[:, :, 32:96, 32:96], size=(128, 128), mode="bilinear")
        torch.testing.assert_close(near.mean((2, 3)), one_input_backbone(close_up).mean((2, 3)))


def test_the_close_up_stands_where_it_was_seen(backbone):
    near = backbone(torch.rand(1, 3, 128, 128))[0, 512:].detach().abs().sum(0)
    assert near.shape == (8, 8) and near[2:6, 2:6].min() > 0
    near[2:6, 2:6] = 0
    assert not near.any()


@pytest.mark.parametrize("attention", ["soft", "pyramid_gate"])
def test_it_is_saved_loaded_and_explained_like_any_other(tmp_path, phantom, attention):
    from lungcad.analysis import analyse

    torch.manual_seed(0)
    network = create_model("resnet18", attention, len(CLASSES), inputs=Inputs.SLICE_AND_CROP)
    sha256 = save_weights(network, tmp_path / "two.safetensors")
    make_card("two", "resnet18", attention, sha256).model_copy(update={"inputs": Inputs.SLICE_AND_CROP}).write(tmp_path / "two.json")
    result = analyse(phantom.png(), load_model("two", folder=tmp_path), methods=("gradcam", "attention"))
    for attribution in result.attributions.values():
        assert attribution.values.shape == (256, 256) and np.isfinite(attribution.values).all()
