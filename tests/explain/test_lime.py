import dataclasses
import itertools

import numpy as np
import pytest
import torch
from lime.lime_image import LimeImageExplainer
from scipy.stats import spearmanr
from sklearn.linear_model import Ridge

from lungcad.explain import Fill, Options, PreparedInput, Segments
from lungcad.explain.batched_lime import BatchedLime
from lungcad.explain.engine import replacement_grey
from lungcad.explain.lime import lime, superpixels
from lungcad.explain.mask_design import balanced_masks, rows_of_block
from lungcad.models import predict_batch
from lungcad.preprocess import normalise


@pytest.fixture(scope="module")
def prepared(toy, phantom) -> PreparedInput:
    return PreparedInput.of(toy, phantom.image())


@pytest.mark.parametrize("kind", Segments)
def test_segments_count_from_zero_without_gaps(prepared, kind):
    segments = superpixels(prepared.grey, kind)
    assert segments.shape == prepared.grey.shape
    np.testing.assert_array_equal(np.unique(segments), np.arange(segments.max() + 1))
    assert 10 <= segments.max() + 1 <= 150


def test_same_seed_same_map_other_seed_another(toy, prepared):
    one, facts = lime(toy, prepared, 0, Options(seed=3, samples=100))
    same, _ = lime(toy, prepared, 0, Options(seed=3, samples=100))
    other, _ = lime(toy, prepared, 0, Options(seed=4, samples=100))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    assert facts["samples"] == 100 and facts["segments"] == superpixels(prepared.grey).max() + 1


def test_samples_are_complementary_and_every_segment_is_hidden(toy, prepared):
    segments = superpixels(prepared.grey)
    picture = np.repeat(prepared.grey[..., None], 3, axis=2)
    data, probabilities = BatchedLime(toy, prepared, 0, Options()).data_labels(picture, picture * 0, segments, None, 80)
    assert data.shape == (80, segments.max() + 1) and probabilities.shape == (80, 4)
    assert data[0].all()
    np.testing.assert_array_equal(data[1:40], 1 - data[41:])
    assert (data == 0).any(axis=0).all()


@pytest.mark.parametrize("fill", Fill)
def test_masking_is_the_librarys(toy, prepared, fill):
    """The same samples through lime's own loop, one image at a time, give the same probabilities."""
    segments = superpixels(prepared.grey)
    picture = np.repeat(prepared.grey[..., None], 3, axis=2)
    replacement = np.repeat(replacement_grey(prepared.grey, fill)[..., None], 3, axis=2)
    data, probabilities = BatchedLime(toy, prepared, 0, Options(fill=fill)).data_labels(picture, None, segments, None, 60)

    class Replay:
        def randint(self, *_):
            return data.ravel()

    stock = LimeImageExplainer()
    stock.random_state = Replay()
    _, expected = stock.data_labels(
        picture,
        replacement,
        segments,
        lambda images: predict_batch(toy, normalise(torch.from_numpy(images[..., 0]), toy.card.preprocess)).numpy(),
        60,
    )
    np.testing.assert_allclose(probabilities, expected, atol=5e-3)


def test_finds_the_segment_that_decides(toy, prepared, monkeypatch):
    """A classifier that looks at one segment's brightness only: LIME finds it, steadily; one that answers by chance is called unsteady."""
    segments = superpixels(prepared.grey)
    index = int(segments[segments.shape[0] // 2, segments.shape[1] // 3])
    where = torch.from_numpy(segments == index)
    bright = dataclasses.replace(prepared, grey=prepared.grey * 0.5 + 0.5)

    def looks_at_one(model, inputs):
        shown = (inputs[:, 0][:, where].mean(1) > inputs[:, 0].amin()).float() * 8
        return torch.stack([shown, 4 - shown], 1)

    monkeypatch.setattr("lungcad.explain.engine.logits_of_inputs", looks_at_one)
    monkeypatch.setattr("lungcad.explain.lime.superpixels", lambda *_: segments)
    weights, facts = lime(toy, bright, 0, Options(samples=400, fill=Fill.ZERO))
    by_size = np.sort(np.unique(np.abs(weights)))
    assert np.abs(weights[where.numpy()]).min() == by_size[-1] > 5 * by_size[-2] and facts["r2"] > 0.9

    noise = np.random.default_rng(0)
    monkeypatch.setattr(
        "lungcad.explain.engine.logits_of_inputs", lambda model, inputs: torch.from_numpy(noise.normal(size=(len(inputs), 2)))
    )
    assert lime(toy, bright, 0, Options(samples=400))[1]["stability"] < 0.6


def test_progress_is_reported_and_can_stop_the_work(toy, prepared):
    progress = []
    lime(toy, prepared, 0, Options(samples=120), on_progress=lambda done, total: progress.append((done, total)))
    assert progress == [(50, 120), (100, 120), (120, 120)]

    class Stop(Exception):
        pass

    def stop(done, total):
        raise Stop

    with pytest.raises(Stop):
        lime(toy, prepared, 0, Options(samples=120), on_progress=stop)


@pytest.mark.parametrize("n_segments", [2, 15, 60, 64, 65])
def test_samples_are_balanced(n_segments):
    """In a block with its complements each segment is shown in half of the samples, each pair of them together in a quarter; each sample is fair."""
    rows = rows_of_block(n_segments)
    masks = balanced_masks(np.random.RandomState(0), rows, n_segments)
    both = np.concatenate([masks, 1 - masks])
    np.testing.assert_array_equal(both.T @ both, (rows / 2) * (np.ones((n_segments, n_segments)) + np.eye(n_segments)))
    many = balanced_masks(np.random.RandomState(1), 40 * rows, n_segments)
    assert many.shape == (40 * rows, n_segments) and abs(many[::rows].mean() - 0.5) < 4 / np.sqrt(160 * n_segments)


def test_fewer_balanced_samples_agree_than_coin_flips(toy, prepared, monkeypatch):
    """A network that adds up what it sees of each segment, few of them strong: two seeds agree, and each says so beforehand."""
    segments = superpixels(prepared.grey)
    effects = np.random.default_rng(1).exponential(1, segments.max() + 1) ** 2

    def agreement(masks) -> tuple[float, float]:
        explainers = [BatchedLime(toy, prepared, 0, Options(seed=seed)) for seed in range(4)]
        weights, told = [], []
        for explainer in explainers:
            monkeypatch.setattr("lungcad.explain.batched_lime.balanced_masks", masks)
            noise = np.random.default_rng(explainer.options.seed)

            def asked(data, *_, noise=noise):
                return torch.from_numpy(np.repeat((data @ effects + noise.normal(0, 2, len(data)))[:, None], 4, axis=1))

            monkeypatch.setattr(explainer, "_asked", asked)
            data, answers = explainer.data_labels(None, None, segments, None, 256)
            weights.append(Ridge().fit(data, answers[:, 0]).coef_)
            told.append(explainer.stability())
        return float(np.mean([spearmanr(*pair).statistic for pair in itertools.combinations(weights, 2)])), float(np.mean(told))

    balanced, told = agreement(balanced_masks)
    by_coins, _ = agreement(lambda random, n, n_segments: random.randint(0, 2, (n, n_segments)))
    assert balanced > by_coins and abs(told - balanced) < 0.15, (balanced, told, by_coins)


@pytest.mark.parametrize("samples", [75, 120])
def test_never_more_samples_than_asked_for(toy, prepared, samples):
    assert lime(toy, prepared, 0, Options(samples=samples, steady=0.999))[1]["samples"] in (samples, samples - 1)
