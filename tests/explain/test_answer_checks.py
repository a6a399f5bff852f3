"""Checks of the answer itself, on classifiers of which it is known what they read."""

import dataclasses

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from lungcad.datasets.phantoms.draw import draw_patient
from lungcad.datasets.phantoms.make import render
from lungcad.datasets.phantoms.shortcuts import SHORTCUTS
from lungcad.evaluate.truth.scenes import image_of
from lungcad.explain import PreparedInput, explain
from lungcad.explain.trust import Subject, Verdict, quick_checks
from lungcad.explain.trust.surroundings import without_surroundings
from lungcad.explain.trust.texture import with_other_grain
from lungcad.imaging.lungs import lung_field
from lungcad.preprocess import PreprocessConfig

WITH_PLACE = [name for name, shortcut in SHORTCUTS.items() if shortcut.has_place]


@pytest.fixture(scope="module")
def patient():
    return draw_patient(2, "spiculated")


class Reads(nn.Module):
    """A feature map whose only channel is the image under ``weights`` (a mask of the input), so that class 0 is told by what lies there."""

    channels = 1

    def __init__(self, weights):
        super().__init__()
        self.weights = weights

    def forward(self, x):
        return (x[:, :1] * self.weights).contiguous()


def reader_of(toy, mask, gain=40.0, bias=0.0):
    """toy with a network whose class 0 grows with the mean brightness inside ``mask`` (bool, on the input's grid), and which sees nothing else."""
    network = toy.unfolded()
    network.features = Reads(torch.from_numpy(mask.astype(np.float32)))
    network.head.linear = nn.Linear(1, 4)
    with torch.no_grad():
        network.head.linear.weight.copy_(torch.tensor([[gain], [0.0], [0.0], [0.0]]))
        network.head.linear.bias.copy_(torch.tensor([bias, 1.0, -9.0, -9.0]))
    card = toy.card.model_copy(update={"preprocess": PreprocessConfig(size=(96, 96), crop="none", fit="stretch")})
    return dataclasses.replace(toy, card=card, network=network.eval().requires_grad_(False), unfolded=lambda: network)


def asked(model, image, name, target=0):
    subject = Subject(model, image, "centre", target)
    return next(check for check in quick_checks(subject, explain(model, subject.prepared, "centre", target)) if check.name == name)


@pytest.mark.parametrize("name", WITH_PLACE)
def test_the_body_stays_and_every_mark_around_it_goes(patient, name):
    picture, clean = render(patient, 256, SHORTCUTS[name]), render(patient, 256)
    image = image_of(picture)
    wiped = without_surroundings(image, lung_field(image).body)
    inside = clean.body
    marked = picture.shortcut & ~inside & (np.abs(picture.grey - clean.grey.astype(float)) > 40)
    assert np.abs(wiped.pixels[marked] - clean.grey[marked]).mean() < 25 < np.abs(image.pixels[marked] - clean.grey[marked]).mean()
    untouched = ~cv2.dilate(picture.shortcut.astype(np.uint8), np.ones((7, 7))).astype(bool)
    assert (wiped.pixels[untouched] == image.pixels[untouched]).mean() > 0.99
    assert (wiped.pixels[inside] == image.pixels[inside]).mean() > 0.99


def test_the_grain_changes_and_the_picture_stays(patient):
    with_grain = image_of(render(patient, 256, SHORTCUTS["texture"]))
    other = with_other_grain(with_grain)
    assert not np.array_equal(other.pixels, with_grain.pixels)
    assert np.abs(other.pixels - with_grain.pixels).mean() < 12
    stripes = [
        np.corrcoef(grain[:, :-1].ravel(), grain[:, 1:].ravel())[0, 1]
        for grain in (np.diff(with_grain.pixels, axis=0), np.diff(other.pixels, axis=0))
    ]
    assert stripes[1] < stripes[0] - 0.2  # along the rows neighbours no longer go together


def test_a_network_that_reads_only_what_lies_outside_the_body_is_caught(toy, patient):
    picture = render(patient, 256, SHORTCUTS["marker"])
    outside = np.zeros((96, 96), bool)
    outside[:14, :40] = True
    marked, clean = image_of(picture), image_of(render(patient, 256))
    with_marker, without = (float(PreparedInput.of(reader_of(toy, outside), image).features.mean()) for image in (marked, clean))
    gain = 8 / (with_marker - without)  # the letter moves the logit from -3 to 5
    model = reader_of(toy, outside, gain, bias=-3 - gain * without)
    check = asked(model, marked, "surroundings")
    assert check.verdict is Verdict.CONTRADICTS and check.value > 0.3 and "rests on what lies outside the body" in check.sentence


def test_a_network_that_reads_only_the_body_is_not_accused(toy, patient):
    picture = render(patient, 256, SHORTCUTS["marker"])
    inside = np.zeros((96, 96), bool)
    inside[40:56, 40:56] = True
    check = asked(reader_of(toy, inside), image_of(picture), "surroundings")
    assert check.verdict is Verdict.SUPPORTS and abs(check.value) < 0.01


def test_neither_check_speaks_of_what_it_cannot_see(toy, phantom):
    image = phantom.image()
    subject = Subject(toy, image, "gradcam", 0, has_lungs=False)
    names = {check.name for check in quick_checks(subject, subject.explain("gradcam")) if check.verdict is not Verdict.NOT_APPLICABLE}
    assert "surroundings" not in names
    coloured = dataclasses.replace(image, colour=np.zeros((*image.shape, 3), np.uint8))
    subject = Subject(toy, coloured, "gradcam", 0)
    checks = {check.name: check for check in quick_checks(subject, subject.explain("gradcam"))}
    assert checks["texture"].verdict is Verdict.NOT_APPLICABLE and "coloured" in checks["texture"].sentence
