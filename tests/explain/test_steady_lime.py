"""LIME with an early stop."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from lungcad.explain import Options, PreparedInput
from lungcad.explain.lime import lime, superpixels
from lungcad.imaging.phantom import make_phantom
from tests.backends.conftest import toy


@pytest.fixture(scope="module")
def scene():
    model = toy()
    return model, PreparedInput.of(model, make_phantom(7, size=96).image())


def of_segments(scene, seed, **options):
    model, prepared = scene
    values, facts = lime(model, prepared, 1, Options(seed, **options))
    segments = superpixels(prepared.grey)
    return np.array([values[segments == segment][0] for segment in range(segments.max() + 1)]), facts


def test_it_stops_once_the_ranking_is_steady_and_another_seed_agrees(scene):
    (one, facts), (other, _) = (of_segments(scene, seed, samples=1000, steady=0.5) for seed in (0, 1))
    assert 100 <= facts["samples"] < 1000 and facts["stability"] >= 0.5
    assert spearmanr(one, other).statistic > 0.3
    whole, facts_of_all = of_segments(scene, 0, samples=1000)
    assert facts_of_all["samples"] == 1000 and spearmanr(one, whole).statistic > 0.5


def test_what_never_becomes_steady_takes_every_sample_and_is_todays_result(scene):
    stopped, facts = of_segments(scene, 3, samples=200, steady=0.999)
    usual, _ = of_segments(scene, 3, samples=200)
    assert facts["samples"] == 200
    np.testing.assert_allclose(stopped, usual, atol=1e-6)
