import copy
import dataclasses
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from lungcad.errors import ModelError, UnknownNameError
from lungcad.explain import METHODS, Layer, Options, PreparedInput, Side, explain, methods_for
from lungcad.explain.attribution import Cost
from lungcad.explain.overlay import colour_range, overlay, visible
from lungcad.imaging import Unit
from lungcad.imaging.phantom import make_phantom
from lungcad.models import create_model
from lungcad.models.weights import load_model


@pytest.mark.parametrize("method", METHODS)
def test_every_method_lands_on_the_original_grid(method, toy_gate, phantom):
    image = phantom.image()
    attribution = explain(toy_gate, PreparedInput.of(toy_gate, image), method, 1, Options(samples=60))
    assert attribution.values.shape == image.shape and attribution.values.dtype == np.float32 and np.isfinite(attribution.values).all()
    assert attribution.target == (toy_gate.card.classes[1] if METHODS[method].for_class else None)
    entry = METHODS[method]
    assert entry.what.endswith(".") and entry.paper and entry.cost in Cost


@pytest.mark.parametrize("name", ["toy-resnet18-cbam", "toy-efficientnet_lite0-gate", "toy-resnet18-soft"])
def test_the_attention_map_is_what_the_named_layer_computes(name, weights_folder, phantom):
    model = load_model(name, folder=weights_folder)
    prepared = PreparedInput.of(model, phantom.image())
    hooked_outputs = []
    handle = model.network.get_submodule(model.network.attention_layer).register_forward_hook(
        lambda _m, _i, out: hooked_outputs.append(out)
    )
    with torch.no_grad():
        model.network.classify(prepared.features)
    handle.remove()
    np.testing.assert_array_equal(explain(model, prepared, "attention", 0).grid, hooked_outputs[0][0, 0].numpy())


def test_a_baseline_has_no_attention_map(toy, phantom):
    with pytest.raises(ModelError, match="no attention"):
        explain(toy, PreparedInput.of(toy, phantom.image()), "attention", 0)


def test_evidence_for_and_against_are_separate(toy, phantom):
    attribution = explain(toy, PreparedInput.of(toy, phantom.image()), "gradcam", 0)
    both = attribution.side(Side.FOR), attribution.side(Side.AGAINST)
    assert min(evidence.min() for evidence in both) == 0
    np.testing.assert_array_equal(both[0] - both[1], attribution.values)


def test_the_attention_map_is_offered_to_networks_that_have_one(toy, toy_gate):
    assert "attention" in methods_for(toy_gate.card) and "attention" not in methods_for(toy.card)


@pytest.mark.parametrize("layer", Layer)
@pytest.mark.parametrize("method", [name for name, entry in METHODS.items() if "layer" in entry.takes and entry.cost is Cost.FAST])
def test_layers_have_their_own_grids(toy_gate, phantom, method, layer):
    grid = explain(toy_gate, PreparedInput.of(toy_gate, phantom.image()), method, 0, Options(layer=layer)).grid
    assert grid.shape == ((6, 6) if layer in (Layer.BEFORE, Layer.ENLARGED) else (3, 3))


def test_a_layer_that_the_network_has_not(toy, phantom):
    with pytest.raises(ModelError, match=r"no attention.*choose"):
        explain(toy, PreparedInput.of(toy, phantom.image()), "gradcam", 0, Options(layer=Layer.ATTENDED))


@pytest.mark.parametrize("grey", [0.0, 100.0])
def test_black_and_constant_images_are_explained_without_a_fault(toy_gate, phantom, grey):
    image = dataclasses.replace(phantom.image(), pixels=np.full((64, 64), grey, np.float32), unit=Unit.GREY)
    for method in methods_for(toy_gate.card):
        attribution = explain(toy_gate, PreparedInput.of(toy_gate, image), method, 0, Options(samples=60))
        assert attribution.values.shape == (64, 64)
        assert attribution.peak > 0 or "no positive evidence" in attribution.notes[0]


def test_sixteen_threads_agree_with_one(toy_gate):
    """One cached network, many images at once: no crosstalk, nothing left behind."""
    images = [make_phantom(seed, size=128).image() for seed in range(4)]
    methods = ["gradcam", "hirescam", "gradcam++", "layercam", "eigencam", "attention"]
    jobs = [(image, method, target) for image in images for method in methods for target in (0, 2)]

    def run(job):
        image, method, target = job
        return explain(toy_gate, PreparedInput.of(toy_gate, image), method, target).values

    alone = [run(job) for job in jobs]
    with ThreadPoolExecutor(16) as pool:
        together = list(pool.map(run, jobs * 2))
    for ours, expected in zip(together, alone * 2, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-6)
    for network in (toy_gate.network, toy_gate.original):
        assert not any(module._forward_hooks or module._backward_hooks for module in network.modules())


def test_unknown_method(toy, phantom):
    with pytest.raises(UnknownNameError, match="gradcam"):
        explain(toy, PreparedInput.of(toy, phantom.image()), "magic", 0)


def test_a_map_without_positive_evidence_says_so_and_stays_colourless(toy, phantom):
    network = create_model("resnet18", "none", 4).eval()
    torch.nn.init.constant_(network.head.linear.weight, -1.0)
    model = dataclasses.replace(toy, network=network)
    attribution = explain(model, PreparedInput.of(model, phantom.image()), "gradcam", 0)
    assert attribution.peak <= 0 and attribution.values.min() < 0 and "no positive evidence" in attribution.notes[0]
    assert colour_range(attribution) == (0.0, 0.0) and not visible(attribution, 0.0).any()
    grey = phantom.image().grey()
    picture = overlay(grey, attribution, opacity=1.0)
    np.testing.assert_array_equal(picture, np.repeat((grey[..., None] * 255 + 0.5).astype(np.uint8), 3, axis=2))


def test_damaged_weights_raise_an_error_instead_of_a_map(toy, phantom):
    network = create_model("resnet18", "none", 4).eval()
    torch.nn.init.constant_(network.head.linear.weight, float("nan"))
    model = dataclasses.replace(toy, network=network)
    with pytest.raises(ModelError, match="NaN"):
        explain(model, PreparedInput.of(model, phantom.image()), "gradcam", 0)


def test_overlay_threshold_and_opacity(toy_gate, phantom):
    image = phantom.image()
    attribution = explain(toy_gate, PreparedInput.of(toy_gate, image), "attention", 0)
    grey = image.grey()
    base = np.repeat((grey[..., None] * 255 + 0.5).astype(np.uint8), 3, axis=2)
    np.testing.assert_allclose(overlay(grey, attribution, opacity=0.0), base, atol=1)  # one level for rounding
    changed = np.abs(overlay(grey, attribution, opacity=1.0, threshold=0.9).astype(int) - base).max(-1) > 1
    assert not changed[attribution.values < 0.9 * attribution.peak].any() and changed.any()


def test_signed_maps_have_a_scale_around_zero(toy, phantom):
    attribution = explain(toy, PreparedInput.of(toy, phantom.image()), "lime", 0, Options(samples=60))
    low, high = colour_range(attribution)
    assert low == -high and high == np.abs(attribution.values).max()


@pytest.mark.parametrize(("quiet", "flat"), [(0.95, True), (0.2, False)])
def test_an_attention_map_that_selects_nothing_says_so(toy_gate, phantom, quiet, flat):
    """A mask of one peak on a level floor: near the peak it selects nothing, far below it does."""

    class Mask(torch.nn.Module):
        def forward(self, x):
            mask = torch.full((1, 1, *x.shape[2:]), quiet)
            mask[..., 1, 1] = 1
            return mask

    network = copy.deepcopy(toy_gate.network)
    network.attention.mask = Mask()
    attribution = explain(dataclasses.replace(toy_gate, network=network), PreparedInput.of(toy_gate, phantom.image()), "attention", 0)
    assert (attribution.facts["flat_share"] > 0.8) == flat
    assert bool(attribution.notes) == flat and (not flat or "selects hardly anything" in attribution.notes[0])
