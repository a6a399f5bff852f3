"""Our Grad-CAM on the tail against the library's own on the whole network, and against the formula."""

import dataclasses

import numpy as np
import pytest
import safetensors.torch
import torch
from pytorch_grad_cam import AblationCAM, EigenCAM, GradCAM, GradCAMPlusPlus, HiResCAM, LayerCAM, ScoreCAM
from pytorch_grad_cam.utils.image import scale_cam_image
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from lungcad.device import Device
from lungcad.explain import METHODS, Layer, Options, PreparedInput
from lungcad.explain.cam import GRADIENT_METHODS, ablationcam, eigencam, gradcam, gradient_maps, scorecam
from lungcad.models import create_model
from lungcad.models.weights import load_model

LIBRARY = {"gradcam": GradCAM, "hirescam": HiResCAM, "gradcam++": GradCAMPlusPlus, "layercam": LayerCAM}
EXACT = Device(torch.device("cpu"), None)


@pytest.fixture(params=["toy-resnet18-none", "toy-resnet18-cbam", "toy-efficientnet_lite0-gate", "toy-resnet18-soft"])
def model(request, weights_folder):
    loaded = load_model(request.param, folder=weights_folder, device=EXACT)
    # Random heads give maps of about 1e-6, where the library's division by "maximum + 1e-7" shows.
    with torch.no_grad():
        loaded.network.head.linear.weight.mul_(1e4)
        loaded.original.head.linear.weight.mul_(1e4)
    return loaded


def whole_network(model, folder):
    """From the file, by torch alone: batch normalisation not folded, gradients everywhere."""
    network = create_model(model.card.backbone, model.card.attention, len(model.card.classes))
    network.load_state_dict(
        {key: tensor.float() for key, tensor in safetensors.torch.load_file(folder / f"{model.card.name}.safetensors").items()}
    )
    with torch.no_grad():
        network.head.linear.weight.mul_(1e4)
    return network.eval()


@pytest.mark.parametrize("target", [0, 3])
@pytest.mark.parametrize("method", GRADIENT_METHODS)
def test_agrees_with_the_library_on_the_whole_network(model, phantom, method, target, weights_folder):
    prepared = PreparedInput.of(model, phantom.image())
    ours, _ = METHODS[method].compute(model, prepared, target, Options(), None)
    theirs = library_map(LIBRARY[method], model, weights_folder, prepared, target)
    np.testing.assert_allclose(stretched(ours, theirs.shape), theirs, atol=2e-3)


@pytest.mark.parametrize("method", GRADIENT_METHODS)
def test_an_inner_layer_agrees_with_the_library(model, phantom, method, weights_folder):
    prepared = PreparedInput.of(model, phantom.image())
    ours, _ = METHODS[method].compute(model, prepared, 1, Options(layer=Layer.BEFORE), None)
    network = whole_network(model, weights_folder)
    steps = network.features.steps()
    sizes = []
    with torch.no_grad():
        x = prepared.inputs
        for step in steps:
            x = step(x)
            sizes.append(x.shape[2])
    layer = steps[max(i for i, size in enumerate(sizes) if size > sizes[-1])]
    theirs = LIBRARY[method](model=network, target_layers=[layer])(prepared.inputs.clone(), targets=[ClassifierOutputTarget(1)])[0]
    np.testing.assert_allclose(stretched(ours, theirs.shape), theirs, atol=1e-2)


@pytest.mark.parametrize(("kind", "compute"), [(AblationCAM, ablationcam), (ScoreCAM, scorecam)])
def test_methods_without_gradients_agree_with_the_library(kind, compute, model, phantom, weights_folder):
    prepared = PreparedInput.of(model, phantom.image())
    target = int(
        model.network(prepared.inputs).argmax()
    )  # its logit is positive: AblationCAM divides by it, and turns the map around below 0
    ours, _ = compute(model, prepared, target, Options())
    np.testing.assert_allclose(stretched(ours, (96, 96)), library_map(kind, model, weights_folder, prepared, target), atol=1e-2)


def test_eigencam_is_the_librarys_up_to_its_sign(model, phantom, weights_folder):
    prepared = PreparedInput.of(model, phantom.image())
    ours, _ = eigencam(model, prepared, 0, Options())
    theirs = library_map(EigenCAM, model, weights_folder, prepared, 0)
    assert min(np.abs(stretched(sign * ours, theirs.shape) - theirs).max() for sign in (1, -1)) < 5e-3
    assert ours.max() >= -ours.min()


def test_several_classes_at_once_are_the_classes_one_by_one(model, phantom):
    prepared = PreparedInput.of(model, phantom.image())
    for method, formula in GRADIENT_METHODS.items():
        together = gradient_maps(model, prepared, formula, range(4))
        alone = [METHODS[method].compute(model, prepared, target, Options(), None)[0] for target in range(4)]
        np.testing.assert_allclose(together, np.stack(alone), rtol=1e-3, atol=1e-5)


def stretched(ours, shape):
    """As the library does, twice."""
    return scale_cam_image(scale_cam_image(np.maximum(ours, 0)[None], shape[::-1]))[0]


def library_map(kind, model, folder, prepared, target):
    network = whole_network(model, folder)
    plain = kind(model=network, target_layers=[network.get_submodule(network.target_layer)])
    return plain(input_tensor=prepared.inputs.clone(), targets=[ClassifierOutputTarget(target)])[0]


def test_is_the_gradient_weighted_sum_of_the_channels(model, phantom):
    prepared = PreparedInput.of(model, phantom.image())
    feature_map = prepared.features.clone().requires_grad_(True)
    logit = model.network.classify(feature_map)[0][0, 2]
    (gradient,) = torch.autograd.grad(logit, feature_map)
    expected = (gradient.mean((2, 3), keepdim=True) * feature_map).sum(1)[0].detach().numpy()
    np.testing.assert_allclose(gradcam(model, prepared, 2, Options())[0], expected, rtol=1e-4, atol=1e-6)


def test_leaves_no_hook_no_gradient_and_no_graph(model, phantom):
    prepared = PreparedInput.of(model, phantom.image())
    gradcam(model, prepared, 0, Options())
    for module in model.network.modules():
        assert not module._forward_hooks and not module._backward_hooks and not module._forward_pre_hooks
    assert all(parameter.grad is None and not parameter.requires_grad for parameter in model.network.parameters())
    assert not prepared.features.requires_grad and prepared.features.grad is None


def test_works_inside_no_grad_and_inference_mode(model, phantom):
    prepared = PreparedInput.of(model, phantom.image())
    expected, _ = gradcam(model, prepared, 1, Options())
    with torch.no_grad():
        np.testing.assert_array_equal(gradcam(model, prepared, 1, Options())[0], expected)


def test_negative_evidence_survives(toy, phantom):
    """A head that every channel speaks against gives a map without one positive value."""
    network = create_model("resnet18", "none", 4).eval()
    torch.nn.init.constant_(network.head.linear.weight, -1.0)
    model = dataclasses.replace(toy, network=network)
    raw, _ = gradcam(model, PreparedInput.of(model, phantom.image()), 0, Options())
    assert raw.max() <= 0 and raw.min() < 0
