"""Does this answer need the lungs? On networks that read one place of a phantom and nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from lungcad.datasets.phantoms.draw import draw_patient
from lungcad.datasets.phantoms.make import planted, render
from lungcad.datasets.phantoms.shortcuts import SHORTCUTS
from lungcad.evaluate.truth.scenes import image_of
from lungcad.explain.trust import CHECKS, Subject, Verdict
from lungcad.explain.trust.lungs import ALONE, BODY, CHANGED, MARGIN, WITHOUT, changed_pictures, judged
from lungcad.explain.trust.panel import answer_of
from lungcad.imaging import CTImage
from lungcad.imaging.regions import MarkedImage
from lungcad.preprocess import PreprocessConfig
from tests.evaluate.readers import LEFT_LUNG, MARKER, SIDE, reader


@pytest.fixture(scope="module")
def picture():
    patient = draw_patient(7, "smooth")
    return image_of(planted(render(patient, SIDE), SHORTCUTS["marker"], patient.seed))


@pytest.fixture(scope="module")
def asked(picture):
    def ask(model, image: CTImage = picture, **changes):
        subject = Subject(model, image, "random", 0, **changes)
        return answer_of(CHECKS["lungs"], subject, None)

    return ask


def test_a_network_that_reads_the_marker_is_caught(asked):
    check = asked(reader(MARKER))
    assert check.verdict is Verdict.CONTRADICTS and check.value > 0.9 and "does not need the lungs" in check.sentence
    assert check.numbers["before"] == pytest.approx(check.numbers["without"]) and check.numbers["body"] < 0.1


def test_a_network_that_reads_a_lung_is_not_accused(asked):
    check = asked(reader(LEFT_LUNG, level=0.2))
    assert check.verdict is Verdict.SUPPORTS and check.value < -0.9 and "it needs the lungs" in check.sentence


def test_an_answer_that_stays_both_ways_is_unclear():
    assert judged(0.9, 0.88, 0.91, 0.9, 0.01).verdict is Verdict.UNCLEAR
    assert judged(0.9, 0.1, 0.2, 0.1, 0.01).verdict is Verdict.UNCLEAR


def test_an_answer_that_rests_on_the_body_around_the_lungs_is_contradicted_by_the_lungs_alone():
    """Wiping what lies outside the body changes nothing; the lungs alone lose the answer by more than the margin."""
    check = judged(0.95, 0.95, 0.95, 0.02, 0.01)
    assert check.verdict is Verdict.CONTRADICTS and check.value == pytest.approx(0.95 - 0.02 - MARGIN)
    assert judged(0.95, 0.3, 0.95, 0.02, 0.01).verdict is Verdict.SUPPORTS, "it falls without the lungs"


def test_the_pictures_say_their_probabilities(asked):
    pictures = asked(reader(MARKER)).pictures
    assert [caption.partition(":")[0] for caption in pictures] == ["as it is", WITHOUT, BODY, ALONE]
    assert all(values.dtype == np.uint8 and max(values.shape) <= 160 for values in pictures.values())


def test_the_lungs_alone_lie_in_a_body_of_one_grey(picture):
    marked = MarkedImage.of_slice(picture)
    changed = changed_pictures(marked)
    alone = changed[ALONE]
    assert tuple(changed) == CHANGED
    assert len(np.unique(alone.pixels[~marked.field.body])) == 1
    np.testing.assert_array_equal(alone.pixels[marked.field.lungs], picture.pixels[marked.field.lungs])


def test_it_says_why_it_does_not_apply(asked, picture):
    assert "does not see whole slices" in asked(reader(MARKER), has_lungs=False).sentence
    nothing = replace(picture, pixels=np.full(picture.shape, 40.0))
    check = asked(reader(MARKER), nothing)
    assert check.verdict is Verdict.NOT_APPLICABLE and "not found with certainty" in check.sentence
    model = reader(MARKER)
    part = replace(model, card=model.card.model_copy(update={"preprocess": PreprocessConfig(size=(SIDE, SIDE), crop="none", see="lungs")}))
    assert "trained on a part of the slice" in asked(part).sentence
