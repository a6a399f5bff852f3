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
from lungcad.models import Inputs


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
