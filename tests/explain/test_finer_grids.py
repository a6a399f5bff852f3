"""Finer maps: of the input enlarged twice, and several scales in one, against the formula and the library's own maps."""

import dataclasses

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from pytorch_grad_cam import LayerCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from lungcad.errors import ModelError
from lungcad.explain import Layer, Options, PreparedInput, explain, methods_for
from lungcad.explain.cam import layer_of, layers_by_resolution
from lungcad.models import Inputs, create_model
from lungcad.models.weights import ready
from tests.conftest import CLASSES, make_card


def test_the_layer_of_an_enlarged_input_is_the_last_of_that_input(toy, phantom):
    prepared = PreparedInput.of(toy, phantom.image())
    large = dataclasses.replace(prepared, inputs=F.interpolate(prepared.inputs, scale_factor=2, mode="bilinear"))
    features, _ = layer_of(toy, prepared, Layer.ENLARGED)
    assert features.shape[2:] == tuple(2 * side for side in prepared.features.shape[2:])
    first = explain(toy, prepared, "gradcam", 1, Options(layer=Layer.ENLARGED)).grid
    second = explain(toy, dataclasses.replace(large, features=features), "gradcam", 1).grid
    np.testing.assert_allclose(first, second, rtol=1e-5)


def test_scales_are_fused_as_in_the_paper(toy, phantom):
    prepared = PreparedInput.of(toy, phantom.image())
    ours = explain(toy, prepared, "layercam-fused", 2)
    steps, heights, x = toy.original.features.steps(), {}, prepared.inputs
    for index, step in enumerate(steps):
        x = step(x)
        heights[x.shape[2]] = index
    maps = []
    network = toy.unfolded().eval()
    for _, index in sorted(heights.items())[:3]:
        library = LayerCAM(model=network, target_layers=[network.features.steps()[index]])
        library(prepared.inputs.clone(), targets=[ClassifierOutputTarget(2)])
        activations, gradients = library.activations_and_grads.activations[0], library.activations_and_grads.gradients[0]
        evidence = np.maximum((np.maximum(gradients.numpy(), 0) * activations.numpy()).sum(1), 0)[0]
        maps.append(np.tanh(2 * evidence / evidence.max()) if evidence.max() > 0 else evidence)
    large = [F.interpolate(torch.from_numpy(each)[None, None].float(), size=maps[-1].shape, mode="bilinear")[0, 0].numpy() for each in maps]
    assert ours.facts["scales"] == 3 and ours.grid.shape == maps[-1].shape
    np.testing.assert_allclose(ours.grid, np.max(large, 0), atol=0.05)


def test_resolutions_come_the_coarsest_first_and_a_network_of_two_inputs_has_none(toy, phantom):
    prepared = PreparedInput.of(toy, phantom.image())
    heights = [features.shape[2] for features, _ in layers_by_resolution(toy, prepared)]
    assert heights == sorted(set(heights)) and heights[0] == prepared.features.shape[2]
    two = dataclasses.replace(toy, card=toy.card.model_copy(update={"inputs": Inputs.SLICE_AND_CROP}))
    assert "layercam-fused" not in methods_for(two.card)
    with pytest.raises(ModelError, match="meet in the last layer"):
        layers_by_resolution(two, prepared)


@pytest.fixture(scope="module")
def pyramid():
    """A network whose mask reads earlier maps, with answers that differ."""
    torch.manual_seed(0)
    network = create_model("custom_cnn", "pyramid_gate", len(CLASSES))
    network.head.linear.weight.data *= 20
    return ready(network.eval(), make_card("pyramid", "custom_cnn", "pyramid_gate", "0" * 64))


def test_a_class_activation_map_is_of_the_features_and_not_of_the_earlier_maps_behind_them(pyramid, phantom):
    prepared = PreparedInput.of(pyramid, phantom.image())
    features, tail = layer_of(pyramid, prepared, Layer.LAST)
    assert features.shape[1] == pyramid.network.features.channels < prepared.features.shape[1]
    torch.testing.assert_close(tail(features), pyramid.network.classify(prepared.features)[0])


@pytest.mark.parametrize("which", [0, 1, 2])
def test_an_earlier_layer_leads_to_the_same_answer_where_the_mask_reads_it_too(pyramid, phantom, which):
    prepared = PreparedInput.of(pyramid, phantom.image())
    features, tail = layers_by_resolution(pyramid, prepared)[which]
    with torch.no_grad():
        answer = pyramid.network.classify(prepared.features)[0]
        torch.testing.assert_close(tail(features), answer, rtol=0, atol=0.05 * float(answer.abs().max()))
