"""A head on projected features is a network: the same answers, and the map that Grad-CAM gives it."""

import numpy as np
import pytest
import torch

from lungcad.datasets.phantoms.shortcuts import SHORTCUTS, draw_letter
from lungcad.errors import ModelError
from lungcad.lab import frozen
from lungcad.lab.feature_store import touched
from lungcad.lab.head import LESION, LabHead, heat_maps, lesion_probability, whole_network
from lungcad.lab.results import TOLERANCE, near
from lungcad.lab.settings import HeadKind
from lungcad.train.teach import mask_loss


@pytest.fixture(scope="module")
def whole_features() -> torch.Tensor:
    """Stand-ins for a backbone's feature maps."""
    return torch.rand(3, frozen.projection().shape[0], 8, 8, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("kind", list(HeadKind))
def test_the_whole_network_answers_as_the_head(kind, whole_features):
    torch.manual_seed(3)
    head = LabHead(kind).eval()
    network = whole_network(head)
    with torch.no_grad():
        expected, mask = head.classify(frozen.project(whole_features))
        logits, whole_mask = network.classify(whole_features)
    assert torch.allclose(logits, expected, atol=1e-3 * float(expected.abs().max()))
    assert (mask is None) == (whole_mask is None)
    assert mask is None or torch.allclose(mask, whole_mask, atol=1e-4 * float(mask.max()))


def test_a_trained_last_stage_is_part_of_the_whole_network():
    torch.manual_seed(5)
    head = LabHead(HeadKind.GATE, last_stage=frozen.LastStage()).eval()
    with torch.no_grad():
        for weights in head.last_stage.parameters():
            weights.mul_(1.05)
        given = torch.randn(2, 192, 8, 8, generator=torch.Generator().manual_seed(2))
        network = whole_network(head)
        features = given
        for step in network.features.steps()[frozen.BEFORE_LAST :]:
            features = step(features)
        expected, logits = head(given), network.classify(features)[0]
    assert torch.allclose(logits, expected, atol=1e-3 * float(expected.abs().max()))
    assert not torch.allclose(frozen.LastStage()(given), features)


@pytest.mark.parametrize("kind", list(HeadKind))
def test_the_map_is_what_the_logit_is_made_of(kind, whole_features):
    torch.manual_seed(4)
    head, features = LabHead(kind).eval(), frozen.project(whole_features)
    maps = heat_maps(head, features)
    logit = head(features)[:, LESION] - head.head.linear.bias[LESION]
    assert torch.allclose(
        maps.sum((1, 2)), logit.detach(), rtol=1e-3, atol=1e-3
    )  # Grad-CAM's weights are the mean gradient: already one over the positions


def test_the_projection_is_applied_at_each_position_by_itself(whole_features):
    position = frozen.projection().T @ whole_features[1, :, 2, 5]
    assert torch.allclose(frozen.project(whole_features)[1, :, 2, 5], position, atol=1e-4 * float(position.abs().max()))


@pytest.mark.parametrize("content", [None, b"", b"no archive", b"PK\x03\x04 cut"])
def test_a_broken_projection_is_one_sentence(monkeypatch, tmp_path, content):
    path = tmp_path / "projection.npz"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setattr(frozen, "PROJECTION", path)
    with pytest.raises(ModelError, match="missing or damaged"):
        frozen.projection.__wrapped__()


def test_steps_lose_half_a_step_at_most():
    values = torch.linspace(-20, 20, 999)
    assert float((frozen.from_steps(frozen.to_steps(values)) - values).abs().max()) <= frozen.STEP / 2 + 1e-5


def test_a_fitted_projection_begins_with_what_moves_together():
    rng = np.random.default_rng(0)
    pooled = rng.normal(size=(200, 300)) * 0.01 + 1
    pooled[:100, :30] += 1  # some channels move together
    maps = pooled[:50, :, None, None] + rng.normal(size=(50, 300, 4, 4)) * 0.1
    projected = pooled @ frozen.fit_projection(pooled, maps).astype(np.float64)
    first = projected[:, 0]
    assert abs(first[:100].mean() - first[100:].mean()) > 2 * first[:100].std()


def test_near_is_one_cell_wide():
    masks = np.zeros((2, 256, 256), bool)
    masks[0, 40, 40] = True
    close = near(masks, 8)
    assert close[0, 1, 1] and close[0, 0, 1] and not close[0, 4, 4]
    assert not close[1].any()
    assert TOLERANCE == 256 // 8


def test_cells_that_a_lesion_touches():
    masks = np.zeros((1, 256, 256), bool)
    masks[0, 31:33, 64] = True
    assert np.argwhere(touched(masks)[0]).tolist() == [[0, 2], [1, 2]]


def test_a_taught_mask_on_cells_is_taught_as_on_pixels():
    """The lab hands over cells, other trainings contours."""
    mask, contours = torch.rand(2, 1, 8, 8), torch.zeros(2, 256, 256)
    contours[0, 30:50, 60:90] = 1
    cells = torch.from_numpy(touched(contours.numpy() > 0)).float()
    assert torch.isclose(mask_loss(mask, contours), mask_loss(mask, cells))


def test_the_letter_moved_to_its_place_is_the_marker():
    grey, rng = np.zeros((256, 256), np.uint8), np.random.default_rng(5)
    planted, _ = SHORTCUTS["marker"].plant(grey, grey > 0, np.random.default_rng(5))
    at = (int(256 * rng.uniform(0.03, 0.07)), int(256 * rng.uniform(0.09, 0.13)))
    assert np.array_equal(draw_letter(grey, at), planted)


def test_probabilities_are_of_the_lesion(whole_features):
    head = LabHead(HeadKind.PLAIN)
    with torch.no_grad():
        head.head.linear.weight.zero_()
        head.head.linear.bias[:] = torch.tensor([3.0, 0.0])
    assert float(lesion_probability(head, frozen.project(whole_features))[0]) == pytest.approx(1 / (1 + np.exp(-3)))


def test_the_trust_panel_is_asked_about_the_network_with_a_marker_that_it_reads():
    """A head made by hand from what the marker adds to the features: wiping what lies outside the body takes the answer away."""
    from lungcad.explain.trust import Verdict
    from lungcad.lab.feature_store import load_patients
    from lungcad.lab.panel import ASKED, panel_words
    from lungcad.lab.patients import Part
    from lungcad.lab.settings import LabSettings

    patients = load_patients(LabSettings(), Part.TEST, 50)
    clean, planted = (frozen.from_steps(steps).mean((2, 3)) for steps in (patients.clean, patients.planted))
    direction = (planted - clean).mean(0)
    head = LabHead(HeadKind.PLAIN)
    with torch.no_grad():
        scale = 12 / float((planted[ASKED] - clean[ASKED]) @ direction)
        head.head.linear.weight[:] = torch.stack([direction * scale, torch.zeros_like(direction)])
        head.head.linear.bias[:] = torch.tensor([-float(clean[ASKED] @ direction) * scale - 6, 0.0])
    words = {check.name: check.verdict for check in panel_words(LabSettings(), head)}
    assert words["surroundings"] is Verdict.CONTRADICTS
