"""The trust checks on worked examples, where the right answer is known."""

import dataclasses
import sys

import numpy as np
import pytest
import torch
from captum.attr import Occlusion
from pytorch_grad_cam.metrics.perturbation_confidence import PerturbationConfidenceMetric, RemoveMostRelevantFirst
from scipy.stats import spearmanr

from lungcad.errors import ImageError
from lungcad.explain import METHODS, Attribution, Fill, Options, PreparedInput, explain
from lungcad.explain.engine import masked_probabilities, replacement_grey
from lungcad.explain.trust import (
    CHECKS,
    Check,
    PerturbedInputs,
    Subject,
    Verdict,
    agreement,
    check_agreement,
    check_anatomy,
    check_faithfulness,
    check_localisation,
    check_stability,
    faithfulness,
    localisation,
    quick_checks,
    sanity,
    stability,
)
from lungcad.explain.trust.panel import without_support
from lungcad.explain.trust.similarity import rank_correlation, ssim
from lungcad.explain.trust.stability import make_perturbations
from lungcad.imaging import Unit
from lungcad.imaging.lungs import lung_field
from lungcad.models import create_model
from lungcad.models.predict import calibrated
from lungcad.preprocess import normalise


def a_map(values, grid=None, method="gradcam"):
    values = np.asarray(values, dtype=np.float32)
    return Attribution(method, "x", values, values if grid is None else np.asarray(grid, np.float32), np.ones(values.shape, bool))


@pytest.fixture(scope="module")
def prepared(toy, phantom):
    return PreparedInput.of(toy, phantom.image())


@pytest.fixture
def looks_at_one_corner(monkeypatch):
    """A classifier whose class 0 is the share of the top left seventh that is not hidden."""

    def logits(model, inputs):
        shown = (inputs[:, 0, :13, :13] > inputs.amin()).float().mean((1, 2))
        return torch.stack([6 * shown, 3 - 0 * shown, -9 + 0 * shown, -9 + 0 * shown], 1)

    monkeypatch.setattr("lungcad.explain.engine.logits_of_inputs", logits)
    monkeypatch.setattr(sys.modules["lungcad.explain.trust.faithfulness"], "FILLS", (Fill.ZERO,))


def corner(sign):
    grid = np.full((7, 7), 0.1, np.float32)
    grid[0, 0] = 0.1 + sign
    return a_map(grid)


def test_a_map_of_what_the_network_uses_is_faithful(toy, prepared, looks_at_one_corner):
    bright = dataclasses.replace(prepared, grey=prepared.grey * 0.5 + 0.5)
    good, measured = check_faithfulness(toy, bright, corner(+1), 0)
    bad, other = check_faithfulness(toy, bright, corner(-1), 0)
    assert good.verdict is Verdict.SUPPORTS and bad.verdict is Verdict.CONTRADICTS and good.value > 0 > bad.value
    assert measured.deletion_auc < other.deletion_auc and measured.insertion_auc > other.insertion_auc
    assert good.control == pytest.approx(float((measured.random_insertion_areas - measured.random_deletion_areas).mean()))
    # with the corner hidden first, every later step shows the fallen probability: the area is what the trapezoid gives
    top, bottom = measured.deletion[0, 0], measured.deletion[0, -1]
    n = len(measured.shares) - 1
    assert measured.deletion_auc == pytest.approx((top + bottom) / 2 / n + bottom * (n - 1) / n, abs=1e-6)


def test_deletion_agrees_with_grad_cams_metric(toy, prepared):
    """The library hides percentile by percentile; the same cells, the same fill, the same probabilities."""
    grid = np.random.default_rng(0).random((6, 6)).astype(np.float32)
    ours = faithfulness(toy, prepared, a_map(grid), 1, steps=4, random_maps=1)
    large = np.kron(grid, np.ones((16, 16), np.float32))
    replacement = normalise(torch.from_numpy(replacement_grey(prepared.grey, Fill.BLUR))[None], toy.card.preprocess)[0]

    class Network(torch.nn.Module):
        def forward(self, inputs):
            return calibrated(toy, toy.original(inputs))

    for step, percentile in enumerate((75, 50, 25), 1):
        remove = RemoveMostRelevantFirst(percentile, lambda image, keep: torch.where(keep > 0, image, replacement))
        theirs = PerturbationConfidenceMetric(remove)(
            prepared.inputs, large[None], [lambda output: output[1]], Network(), return_diff=False
        )
        assert ours.deletion[0, step] == pytest.approx(float(theirs[0]), abs=5e-3)
    assert ours.shares.tolist() == [0, 0.25, 0.5, 0.75, 1]


def test_occlusion_is_captums_own_one_window_at_a_time(toy, prepared):
    ours, facts = METHODS["occlusion"].compute(toy, prepared, 2, Options(), None)
    grey = torch.from_numpy(prepared.grey)[None, None]
    shape, strides = (1, facts["window"], facts["window"]), (1, facts["stride"], facts["stride"])
    theirs = Occlusion(lambda x: calibrated(toy, toy.original(normalise(x[:, 0], toy.card.preprocess)))).attribute(
        grey, shape, strides=strides, baselines=torch.from_numpy(replacement_grey(prepared.grey, Fill.MEAN))[None, None], target=2
    )
    np.testing.assert_allclose(ours, theirs[0, 0].numpy(), atol=5e-3)


def test_integrated_gradients_add_up_to_the_change_of_the_score(toy, prepared):
    values, facts = METHODS["integrated-gradients"].compute(toy, prepared, 1, Options(), None)
    with torch.no_grad():
        logits = [
            toy.original(normalise(torch.from_numpy(grey)[None], toy.card.preprocess))[0, 1] for grey in (prepared.grey, 0 * prepared.grey)
        ]
    change = float(logits[0] - logits[1])
    assert abs(values.sum() - change) == pytest.approx(facts["gap"] * abs(change), rel=0.05, abs=1e-4)
    assert facts["gap"] < 0.2


def test_smoothgrad_repeats_under_its_seed(toy, prepared):
    one, same, other = (METHODS["smoothgrad"].compute(toy, prepared, 1, Options(seed=seed), None)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other) and one.min() >= 0


@pytest.mark.parametrize("fill", Fill)
def test_masks_show_and_hide(toy, prepared, fill):
    replacement = replacement_grey(prepared.grey, fill)
    masks = torch.stack([torch.ones(96, 96), torch.zeros(96, 96)]).bool()
    all_shown, all_hidden = masked_probabilities(toy, prepared, masks, replacement)
    for probabilities, grey in ((all_shown, prepared.grey), (all_hidden, replacement)):
        expected = masked_probabilities(toy, dataclasses.replace(prepared, grey=grey), masks[:1], grey)[0]
        torch.testing.assert_close(probabilities, expected)


def test_a_constant_image_and_a_constant_map_are_not_applicable(toy, prepared):
    flat = dataclasses.replace(prepared, grey=np.full_like(prepared.grey, 0.4))
    assert "same grey" in check_faithfulness(toy, flat, corner(1), 0)[0].sentence
    check, nothing = check_faithfulness(toy, prepared, a_map(np.zeros((7, 7))), 0)
    assert check.verdict is Verdict.NOT_APPLICABLE and nothing is None


def test_similarity_of_maps():
    one = np.random.default_rng(0).random((28, 28))
    assert rank_correlation(one, np.exp(one)) == pytest.approx(1) and rank_correlation(one, -one) == pytest.approx(-1)
    assert rank_correlation(one, np.ones_like(one)) is None
    assert ssim(one, one) == pytest.approx(1) and ssim(one, -one) is None and ssim(one, one[::-1]) < 0.5


def test_agreement_is_the_rank_correlation():
    one, other = (np.random.default_rng(seed).random((28, 28)) for seed in (0, 1))
    mixed = one + 0.3 * other
    correlations = agreement({"a": a_map(one), "b": a_map(mixed), "c": a_map(-one)})
    assert correlations["a", "b"] == pytest.approx(spearmanr(one.ravel(), mixed.ravel()).statistic, abs=1e-5) and correlations[
        "a", "c"
    ] == pytest.approx(-1)
    mine = a_map(one, method="lime")
    assert check_agreement(mine, {"gradcam": a_map(mixed)}).verdict is Verdict.SUPPORTS
    assert check_agreement(mine, {"gradcam": a_map(-one)}).verdict is Verdict.CONTRADICTS
    assert check_agreement(mine, {"gradcam": a_map(np.ones((28, 28)))}).verdict is Verdict.NOT_APPLICABLE


def test_controls_never_change_with_the_weights_and_gradcam_does(toy, phantom, prepared):
    before = {key: value.clone() for key, value in toy.original.state_dict().items()}
    sanity_by_method = sanity(toy, prepared, ["gradcam", "centre", "random"], 0)
    assert (
        sanity_by_method["centre"].check().verdict is Verdict.CONTRADICTS
        and sanity_by_method["random"].check().verdict is Verdict.CONTRADICTS
    )
    np.testing.assert_allclose(sanity_by_method["centre"].correlations, 1)
    assert sanity_by_method["gradcam"].correlations.mean() < 0.9 and len(sanity_by_method["gradcam"].layers) == 1 + len(
        toy.original.features.stages()
    )
    assert sanity_by_method["gradcam"].layers[0] == "head"
    for key, value in toy.original.state_dict().items():
        torch.testing.assert_close(value, before[key], rtol=0, atol=0)


def test_stability_of_a_fixed_map_and_of_a_random_one(toy, phantom):
    perturbed = PerturbedInputs.of(toy, phantom.image())
    assert check_stability(toy, perturbed, "centre", 0).value > 0.98
    random_check = check_stability(toy, perturbed, "random", 0)
    assert random_check.verdict is Verdict.CONTRADICTS and abs(random_check.value) < 0.5
    measured = stability(toy, perturbed, "gradcam", 0)
    assert len(measured.correlations) == 15 and set(measured.by_change) == {"noise", "shift", "window"} and 0 <= measured.same_class <= 1


def test_changes_are_small_and_a_shift_is_undone(phantom):
    image = phantom.image()
    for perturbation in make_perturbations(image, samples=9, seed=3):
        changed = perturbation.apply(image)
        assert changed.shape == image.shape and not np.array_equal(changed.pixels, image.pixels)
        back = perturbation.undo(changed.pixels)
        if perturbation.name == "shift":
            np.testing.assert_array_equal(back[10:-10, 10:-10], image.pixels[10:-10, 10:-10])
    grey = dataclasses.replace(image, pixels=image.grey() * 255, unit=Unit.GREY)
    assert all(
        perturbation.apply(grey).pixels.min() >= 0 and perturbation.apply(grey).pixels.max() <= 255
        for perturbation in make_perturbations(grey)
    )


def test_anatomy_says_where_the_evidence_lies(toy, phantom):
    image = phantom.image()
    field = lung_field(image)
    centre = explain(toy, PreparedInput.of(toy, image), "centre", 0)
    inside, outside = (check_anatomy(a_map(mask.astype(np.float32)), field, centre) for mask in (phantom.lungs, ~field.body))
    assert inside.verdict is Verdict.SUPPORTS and inside.value > 0.95 and inside.value > inside.control
    assert outside.verdict is Verdict.CONTRADICTS and outside.numbers["outside_body"] == 1
    assert check_anatomy(a_map(np.zeros(image.shape)), field, centre).verdict is Verdict.NOT_APPLICABLE
    nowhere = dataclasses.replace(field, lungs=np.zeros_like(field.lungs))
    assert "No lung" in check_anatomy(a_map(np.ones(image.shape)), nowhere, centre).sentence
    doubtful = dataclasses.replace(field, confidence=0.2, doubts=("Odd.",))
    assert check_anatomy(a_map(phantom.lungs), doubtful, centre).verdict is Verdict.UNCLEAR


def test_localisation_by_hand():
    values, contour = np.zeros((10, 10)), np.zeros((10, 10), bool)
    values[2:4, 2:4] = 1.0
    values[4:6, 4:6] = 0.4
    contour[2:4, 2:6] = True
    measured = localisation(a_map(values), contour)
    assert measured.pointing == 1 and measured.energy_inside == pytest.approx(4 / 5.6) and measured.iou_fixed == pytest.approx(4 / 8)
    assert measured.iou_best == pytest.approx(0.5)
    away = localisation(a_map(values[::-1]), contour)
    assert away.pointing == 0 and away.iou_fixed == 0
    controls = {"random": a_map(np.ones((10, 10)))}
    assert check_localisation(a_map(values), contour, controls).verdict is Verdict.SUPPORTS
    assert check_localisation(a_map(values[::-1]), contour, controls).verdict is Verdict.CONTRADICTS
    assert localisation(a_map(-values), contour) is None
    with pytest.raises(ImageError, match="outside the image or is empty"):
        localisation(a_map(values), np.zeros((10, 10), bool))
    with pytest.raises(ImageError, match="10×10"):
        localisation(a_map(values), np.ones((5, 5), bool))


def test_the_quick_checks_go_on_past_a_fault(toy, phantom, monkeypatch):
    image, prepared = phantom.image(), PreparedInput.of(toy, phantom.image())
    attribution = explain(toy, prepared, "gradcam", 0)
    checks = {check.name: check for check in quick_checks(Subject(toy, image, "gradcam", 0), attribution)}
    assert list(checks) == ["faithfulness", "surroundings", "lungs", "texture", "anatomy", "agreement", "stability"] and set(checks) < set(
        CHECKS
    )
    assert all(check.question and check.sentence.endswith(".") for check in checks.values())
    crops = {check.name: check for check in quick_checks(Subject(toy, image, "gradcam", 0, has_lungs=False), attribution)}
    assert crops["anatomy"].verdict is Verdict.NOT_APPLICABLE
    network = create_model("resnet18", "none", 4).eval()
    torch.nn.init.constant_(network.head.linear.weight, float("nan"))
    broken = dataclasses.replace(toy, network=network, unfolded=lambda: network)
    damaged = {check.name: check for check in quick_checks(Subject(broken, image, "gradcam", 0), attribution)}
    assert damaged["agreement"].verdict is Verdict.NOT_APPLICABLE and "NaN" in damaged["agreement"].sentence
    assert damaged["anatomy"].verdict is not Verdict.NOT_APPLICABLE


def test_a_map_that_selects_nothing_gets_no_support(toy, phantom):
    """Whatever a check finds: only the share of positions that weigh the same decides."""
    attribution = explain(toy, PreparedInput.of(toy, phantom.image()), "gradcam", 0)
    check = Check("stability", "r", 0.9, 0.0, Verdict.SUPPORTS, "Stable.")
    for share, verdict in ((1.0, Verdict.UNCLEAR), (0.81, Verdict.UNCLEAR), (0.5, Verdict.SUPPORTS)):
        assert without_support(check, dataclasses.replace(attribution, facts={"flat_share": share})).verdict is verdict
    flat = without_support(check, dataclasses.replace(attribution, facts={"flat_share": 1.0}))
    assert flat.value == 0.9 and flat.sentence.startswith("Stable. ") and "100%" in flat.sentence and "no support" in flat.sentence


def test_occlusion_from_coarse_to_fine_asks_less_and_says_nearly_the_same(toy, prepared):
    whole, facts = METHODS["occlusion"].compute(toy, prepared, 2, Options(), None)
    reported = []
    coarse, facts_of_coarse = METHODS["occlusion"].compute(toy, prepared, 2, Options(coarse=True), lambda *state: reported.append(state))
    assert facts["windows_tried"] == 225 and 64 < facts_of_coarse["windows_tried"] <= 225
    assert reported[-1] == (facts_of_coarse["windows_tried"], 225)
    assert np.corrcoef(whole.ravel(), coarse.ravel())[0, 1] > 0.9


def test_occlusion_refines_only_beside_what_matters(toy, prepared, monkeypatch):
    """One window in the corner that matters: it, the other coarse ones and its three neighbours are asked for."""
    asked = []

    def probabilities(model, prepared, masks, replacement, *, n, on_progress):
        shown = masks(0, n)
        asked.extend(shown)
        hides_corner = ~shown[:, 0, 0]
        return torch.where(hides_corner, 0.0, 1.0)[:, None].expand(-1, 4)

    monkeypatch.setattr("lungcad.explain.occlusion.masked_probabilities", probabilities)
    monkeypatch.setattr("lungcad.explain.occlusion.calibrated", lambda model, logits: torch.ones(1, 4))
    values, facts = METHODS["occlusion"].compute(toy, prepared, 2, Options(coarse=True), None)
    assert facts["windows_tried"] == len(asked) == 64 + 3
    assert values[0, 0] == 1 and values[-1, -1] == 0 and values.max() == 1
