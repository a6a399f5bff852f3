"""Many callers at once: each gets the answer to his own image, whoever shared a batch with him."""

import gc
import hashlib
import re
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import requests
import torch

from lungcad.analysis import analyse
from lungcad.api import service
from lungcad.api.app import create_app
from lungcad.api.batching import Batcher, _Waiting
from lungcad.explain import PreparedInput
from lungcad.imaging import read_image
from tests.api.conftest import HERE, ask, distinct, marked_image

N = 16
TOLERANCE = 2e-3
"""Of a probability: a batch of another size is summed in another order, in bfloat16 on some CPUs."""


@pytest.fixture(scope="module")
def images() -> list[bytes]:
    return [marked_image(mark) for mark in range(N)]


@pytest.fixture
def alone(marked, images) -> dict[str, list[list[float]]]:
    """Each image's probabilities when nobody else asks."""
    answers = {
        name: [list(analyse(image, service.network(name), methods=()).prediction.probabilities.values()) for image in images]
        for name in marked
    }
    assert all(distinct(rows) > 3 * TOLERANCE for rows in answers.values())  # so that a neighbour's answer would be seen
    return answers


def test_sixteen_callers_get_their_own_answers(serve, marked, images, alone):
    app = create_app(HERE)
    address = serve(app)
    begin = threading.Barrier(N)

    def caller(mark: int) -> int:
        begin.wait()
        checked = 0
        for turn in range(6):
            which, name = (mark + 5 * turn) % N, marked[(mark + turn) % 2]
            answer = ask(address, image=images[which], model=name, show_anyway="true").json()
            np.testing.assert_allclose(list(answer["probabilities"].values()), alone[name][which], atol=TOLERANCE)
            checked += answer["model"] == name
        explained = ask(address, "/v1/explain", image=images[mark], model=marked[0], show_anyway="true")
        if explained.status_code != 503:
            assert explained.json()["image_sha256"] == hashlib.sha256(images[mark]).hexdigest()
        return checked

    with ThreadPoolExecutor(N) as pool:
        assert list(pool.map(caller, range(N))) == [6] * N
    (mean,) = re.findall(r"^lungcad_mean_batch (.*)$", requests.get(f"{address}/metrics", timeout=10).text, flags=re.MULTILINE)
    assert float(mean) > 1  # they did share batches


def test_a_batch_answers_as_single_images_do(marked, images, alone):
    """All wait while the thread is busy with the first, so that they must go together."""
    batcher, model = Batcher(largest=8), service.network(marked[0])
    release, begun = threading.Event(), threading.Event()
    several = PreparedInput.several.__func__

    def slow(cls, model, images):
        begun.set()
        release.wait(10)
        return several(cls, model, images)

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(N) as pool:
        patch.setattr(PreparedInput, "several", classmethod(slow))
        read = [read_image(image) for image in images]
        futures = [pool.submit(batcher.prepare, model, read[0])]
        assert begun.wait(10)
        futures += [pool.submit(batcher.prepare, model, image) for image in read[1:]]
        until = time.monotonic() + 10
        while len(batcher._waiting) < N - 1 and time.monotonic() < until:
            time.sleep(0.01)
        release.set()
        prepared = [future.result() for future in futures]
    assert batcher.sizes[0] == 1 and max(batcher.sizes) == 8 and sum(batcher.sizes) == N
    for image, one, expected in zip(read, prepared, alone[marked[0]], strict=True):
        together = analyse(image, model, methods=("gradcam",), prepared=one)
        np.testing.assert_allclose(list(together.prediction.probabilities.values()), expected, atol=TOLERANCE)
        single = analyse(image, model, methods=("gradcam",))
        assert torch.equal(one.inputs, PreparedInput.of(model, image).inputs) and one.geometry == PreparedInput.of(model, image).geometry
        assert together.prediction.label == single.prediction.label
    batcher.stop()


def test_a_fault_of_one_image_is_told_to_its_caller_alone(marked, images, monkeypatch):
    batcher, model = Batcher(largest=8), service.network(marked[0])
    good, bad = read_image(images[0]), read_image(images[1])
    several = PreparedInput.several.__func__

    def spoilt(cls, model, images):
        if any(image is bad for image in images):
            raise MemoryError
        return several(cls, model, images)

    monkeypatch.setattr(PreparedInput, "several", classmethod(spoilt))
    with ThreadPoolExecutor(4) as pool:
        fine, broken = [pool.submit(batcher.prepare, model, good) for _ in range(3)], pool.submit(batcher.prepare, model, bad)
        with pytest.raises(MemoryError):
            broken.result()
        assert all(future.result().grey.shape == (64, 64) for future in fine)
    batcher.stop()
    with pytest.raises(RuntimeError):
        batcher.prepare(model, good)


def test_a_batch_that_comes_back_short_is_answered_one_by_one(marked, images, monkeypatch):
    """A future that got its result cannot be told a fault; the batches' thread would end of it."""
    several = PreparedInput.several.__func__
    short = classmethod(lambda cls, model, images: several(cls, model, images)[: max(len(images) - 1, 1)])
    monkeypatch.setattr(PreparedInput, "several", short)
    batcher, model = Batcher(largest=8), service.network(marked[0])
    waiting = [_Waiting(model, read_image(image)) for image in images[:3]]
    batcher._answer(waiting)
    assert [each.future.result(timeout=5).grey.shape for each in waiting] == [(64, 64)] * 3
    batcher.stop()


def test_nothing_of_an_image_is_kept_while_no_other_comes(marked, images):
    batcher, model = Batcher(largest=8), service.network(marked[0])
    image = read_image(images[0])
    prepared = batcher.prepare(model, image)
    kept = weakref.ref(image), weakref.ref(prepared)
    del image, prepared
    until = time.monotonic() + 5
    while any(each() is not None for each in kept) and time.monotonic() < until:
        gc.collect()
        time.sleep(0.01)
    assert [each() for each in kept] == [None, None]
    batcher.stop()
