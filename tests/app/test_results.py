"""What sessions keep is bounded, in each and in all of them together."""

import gc

from lungcad.app import results
from lungcad.app.results import FEWEST_IMAGES, MAX_RESULTS, Results, image_of

NETWORK = "f" * 64


def looked_at(kept: Results, image: int) -> None:
    """An answer, a map and the checks of it, as Predict makes them."""
    for key in (("result", f"{image:064x}", NETWORK, None), ("result", f"{image:064x}", NETWORK, "gradcam")):
        kept.keep(key, image)
    kept.keep(("trust", *key), image)


def images_of(kept: Results) -> list[int]:
    return sorted(set(kept.values()))


def test_the_image_is_the_first_hash_of_a_key():
    assert image_of(("trust", "result", "a" * 64 + "auto", NETWORK)) == "a" * 64 + "auto" and image_of(("volume",)) is None


def test_one_visitor_keeps_many_images_and_a_crowd_two_each(monkeypatch):
    gc.collect()
    monkeypatch.setattr(results, "_ALL", type(results._ALL)())
    alone = Results()
    for image in range(30):
        looked_at(alone, image)
    assert len(alone) == MAX_RESULTS and images_of(alone) == list(range(14, 30))
    crowd = [Results() for _ in range(60)]
    for session in crowd:
        for image in range(5):
            looked_at(session, image)
    assert {len(session) for session in crowd} == {3 * FEWEST_IMAGES} and images_of(crowd[0]) == [3, 4]
    crowd.clear()
    del session
    gc.collect()
    for image in range(30, 50):
        looked_at(alone, image)
    assert len(alone) == MAX_RESULTS, "who has left still counts"


def test_what_was_looked_at_again_stays_before_what_is_older(monkeypatch):
    monkeypatch.setattr(results, "_ALL", type(results._ALL)())
    monkeypatch.setattr(results, "MAX_IMAGES", 2)
    kept = Results()
    for image in (1, 2, 1, 3):
        looked_at(kept, image)
    assert images_of(kept) == [1, 3]


def test_results_of_examples_are_kept_however_many_sessions_there_are(monkeypatch):
    monkeypatch.setattr(results, "MAX_IMAGES", 1)
    shared = Results(shared=True)
    for image in range(10):
        looked_at(shared, image)
    assert len(images_of(shared)) == 10
