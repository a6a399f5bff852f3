import numpy as np
import pytest
import torch
from lime.lime_image import LimeImageExplainer

from lungcad.explain import Options
from lungcad.explain.lime import BatchedLime, lime, superpixels
from lungcad.imaging import CTImage
from lungcad.models import predict_batch
from lungcad.preprocess import normalise
from tests.scenes import scene_of


@pytest.fixture(scope="module")
def scene(toy, phantom) -> CTImage:
    return scene_of(toy, phantom.image())


def test_segments_count_from_zero_without_gaps(scene):
    segments = superpixels(scene.grey)
    assert segments.shape == scene.grey.shape
    np.testing.assert_array_equal(np.unique(segments), np.arange(segments.max() + 1))
    assert 25 <= segments.max() + 1 <= 80


def test_same_seed_same_map_other_seed_another(toy, scene):
    one, facts = lime(toy, scene, 0, Options(seed=3, samples=100))
    same, _ = lime(toy, scene, 0, Options(seed=3, samples=100))
    other, _ = lime(toy, scene, 0, Options(seed=4, samples=100))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    assert facts["samples"] == 100 and facts["segments"] == superpixels(scene.grey).max() + 1


def test_samples_are_complementary_and_every_segment_is_hidden(toy, scene):
    segments = superpixels(scene.grey)
    picture = np.repeat(scene.grey[..., None], 3, axis=2)
    data, probabilities = BatchedLime(toy, 0, seed=0).data_labels(picture, picture * 0, segments, None, 80)
    assert data.shape == (80, segments.max() + 1) and probabilities.shape == (80, 4)
    assert data[0].all()
    np.testing.assert_array_equal(data[1:40], 1 - data[41:])
    assert (data == 0).any(axis=0).all()


def test_masking_is_the_librarys(toy, scene):
    """The same samples through lime's own loop, one image at a time, give the same probabilities."""
    segments = superpixels(scene.grey)
    picture = np.repeat(scene.grey[..., None], 3, axis=2)
    hidden = np.full_like(picture, 0.3)
    ours = BatchedLime(toy, 0, seed=0)
    data, probabilities = ours.data_labels(picture, hidden, segments, None, 60)

    class Replay:
        def randint(self, *_):
            return data.ravel()

    stock = LimeImageExplainer()
    stock.random_state = Replay()
    _, expected = stock.data_labels(
        picture,
        hidden,
        segments,
        lambda images: predict_batch(toy, normalise(torch.from_numpy(images[..., 0]), toy.card.preprocess)).numpy(),
        60,
    )
    np.testing.assert_allclose(probabilities, expected, atol=5e-3)


def test_finds_the_segment_that_decides(toy, scene, monkeypatch):
    """A classifier that looks at one segment's brightness only."""
    segments = superpixels(scene.grey)
    index = int(segments[segments.shape[0] // 2, segments.shape[1] // 3])
    where = torch.from_numpy(segments == index)

    def looks_at_one(model, inputs):
        shown = (inputs[:, 0][:, where].mean(1) > inputs[:, 0].amin()).float()
        return torch.stack([shown * 0.8 + 0.1, 0.9 - shown * 0.8], 1)

    monkeypatch.setattr("lungcad.explain.lime.predict_batch", looks_at_one)
    found = BatchedLime(toy, 0, seed=0).explain_instance(
        np.repeat(scene.grey[..., None], 3, axis=2) + 0.5, None, labels=(0,), top_labels=None, hide_color=0, num_samples=400,
        segmentation_fn=lambda _: segments,
    )  # fmt: skip
    ranked = found.local_exp[0]
    assert ranked[0][0] == index and ranked[0][1] > 5 * abs(ranked[1][1])


def test_progress_is_reported_and_can_stop_the_work(toy, scene):
    seen = []
    lime(toy, scene, 0, Options(samples=120), on_progress=lambda done, total: seen.append((done, total)))
    assert seen == [(50, 120), (100, 120), (120, 120)]

    class Stop(Exception):
        pass

    def stop(done, total):
        raise Stop

    with pytest.raises(Stop):
        lime(toy, scene, 0, Options(samples=120), on_progress=stop)
