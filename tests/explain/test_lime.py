import dataclasses

import numpy as np
import pytest
import torch
from lime.lime_image import LimeImageExplainer

from lungcad.explain import Fill, Options, PreparedInput, Segments
from lungcad.explain.batched_lime import BatchedLime
from lungcad.explain.engine import replacement_grey
from lungcad.explain.lime import lime, superpixels
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
