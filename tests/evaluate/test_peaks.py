"""Where maps peak: on made-up masks, and for a method of which the peak is known."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from lungcad.datasets import Split
from lungcad.evaluate.truth.networks import KnownNetwork, Role
from lungcad.evaluate.truth.peaks import PeakPlace, nearest_place, peak_of, peak_rows, peaks
from lungcad.evaluate.truth.scenes import Shown, draw_scenes
from lungcad.explain import Attribution, PreparedInput
from lungcad.preprocess import PreprocessConfig

CHEATER = KnownNetwork("cheater", Role.CHEATER, "marker")


def masks():
    mark, lesion = np.zeros((100, 100), bool), np.zeros((100, 100), bool)
    mark[5:10, 5:10], lesion[60:70, 60:70] = True, True
    return mark, lesion


def test_a_peak_lies_on_what_is_nearest_within_reach():
    mark, lesion = masks()
    points = np.array([[7, 7], [65.5, 65.5], [5, 21], [5, 22.0], [80, 65], [35, 35]])
    places = nearest_place(points, 12, mark, lesion).tolist()
    mark_, lesion_, elsewhere = PeakPlace.ON_MARK, PeakPlace.IN_LESION, PeakPlace.ELSEWHERE
    assert places == [mark_, lesion_, mark_, elsewhere, lesion_, elsewhere]
    both = nearest_place(np.array([[34.0, 34.0], [36, 36]]), 50, mark, lesion).tolist()
    assert both == [mark_, lesion_]
    assert nearest_place(points, 12, None, lesion).tolist() == [elsewhere, lesion_, elsewhere, elsewhere, lesion_, elsewhere]


def model_of(toy):
    card = toy.card.model_copy(
        update={"classes": ("lesion", "none", "a", "b"), "preprocess": PreprocessConfig(size=(96, 96), crop="none", fit="stretch")}
    )
    return dataclasses.replace(toy, card=card)


def test_the_peak_is_the_centre_of_the_largest_cell_in_the_image(toy, phantom):
    prepared = PreparedInput.of(model_of(toy), phantom.image())
    side = phantom.hu.shape[0]
    grid = np.zeros((4, 8), np.float32)
    grid[3, 1] = 2.0

    def attribution(grid):
        values = np.zeros((side, side), np.float32)
        return Attribution("gradcam", "lesion", values, grid, np.ones_like(values, bool))

    assert peak_of(attribution(grid), prepared).tolist() == [side * 3.5 / 4, side * 1.5 / 8]
    assert peak_of(attribution(-grid), prepared) is None  # no positive evidence


def test_a_blob_in_the_middle_is_never_on_the_marker(toy):
    scenes = draw_scenes(Split.TEST, 12)
    lesions = [scene for scene in scenes if scene.has_lesion]
    table = peaks(model_of(toy), CHEATER, [Shown(scene, "marker") for scene in scenes], ["centre"])
    assert table.case.tolist() == [scene.name for scene in lesions]  # without a lesion there is nothing to choose between
    assert (table.peak != PeakPlace.ON_MARK).all()
    assert table.on_mark_by_chance.between(0, 0.5).all() and (table.in_lesion_by_chance > 0).any()
    without_place = peaks(model_of(toy), CHEATER, [Shown(lesions[0], "texture")], ["centre"])
    assert without_place.on_mark_by_chance.item() == 0


def test_shares_add_up_to_one():
    table = pd.DataFrame(
        {"network": "c", "role": "cheater", "shortcut": "marker", "case": [f"p{i}" for i in range(4)], "method": "gradcam",
         "peak": ["on_mark", "on_mark", "in_lesion", "elsewhere"], "on_mark_by_chance": 0.05, "in_lesion_by_chance": [0.1, 0.1, 0.2, 0.2]}
    )  # fmt: skip
    (row,) = peak_rows(table)
    assert [row[place] for place in PeakPlace] == [0.5, 0.25, 0.25] and row["n"] == 4
    assert row["in_lesion_by_chance"] == pytest.approx(0.15) and row["intervals"]["on_mark"][0] < 0.5
