"""What is measured on a trained head, and the sentences that say it."""

import json

import numpy as np
import pytest
import torch

from lungcad.errors import DatasetError, LungcadError
from lungcad.estimate import Estimate
from lungcad.lab.chunk import without_region
from lungcad.lab.feature_store import Patients
from lungcad.lab.head import LESION, LabHead
from lungcad.lab.patients import Lesions, Part, clean_picture, has_lesion
from lungcad.lab.results import Results, measure
from lungcad.lab.sentences import sentences
from lungcad.lab.settings import HeadKind, LabSettings
from lungcad.lab.table import HEADS, MEASURES, make_table, read_table, write_table
from lungcad.publish.lab_tables import BEGIN, END, lab_table, sheet_with_table


def a_network_that_reads_only_the_marker() -> tuple[LabHead, Patients]:
    """Channel 0 is 1 where the marker is and 0 elsewhere, and the lesion's logit is that."""
    n = 200
    clean, planted = np.zeros((n, 128, 8, 8), np.int8), np.zeros((n, 128, 8, 8), np.int8)
    planted[:, 0, 0, 1] = 100
    lesions, marks = np.zeros((n, 256, 256), bool), np.zeros((n, 256, 256), bool)
    lesions[has_lesion(n), 200:210, 200:210] = True
    marks[:, 5:30, 35:60] = True
    head = LabHead(HeadKind.PLAIN)
    with torch.no_grad():
        head.head.linear.weight.zero_()
        head.head.linear.weight[LESION, 0] = 100
        head.head.linear.bias[:] = torch.tensor([-1.0, 0.0])
    return head, Patients(clean, planted, lesions, marks)


def test_a_network_that_reads_only_the_marker_loses_everything_without_it():
    head, patients = a_network_that_reads_only_the_marker()
    results = measure(LabSettings(), head, patients)
    assert results.clean.value == 0.5  # "none" for everybody
    assert results.planted.value == 0.95
    assert results.swapped.value == 0.0
    assert results.on_shortcut.value == 1.0 and results.on_lesion.value == 0.0
    said = " ".join(sentences(LabSettings(), results))
    assert "This network cheats" in said and "not clearly better than chance" in said and "the map tells the truth" in said


def test_without_the_lungs_a_network_that_reads_only_the_marker_loses_nothing_and_with_them_alone_everything():
    head, patients = a_network_that_reads_only_the_marker()
    n, gone = 50, np.zeros((128, 8, 8), np.int8)
    changed = np.ones((n, 256, 256), bool)
    without = Patients(patients.clean[:n], patients.planted[:n], changed, changed)
    alone = Patients(patients.clean[:n], np.repeat(gone[None], n, 0), changed, changed)
    results = measure(LabSettings(), head, patients, {"no-lungs": without, "lungs": alone})
    assert results.no_lungs.value >= 0.9 and results.lungs.value == 0.5
    assert "not in the lungs" in " ".join(sentences(LabSettings(), results))
    assert Results.of_dict(results.to_dict()) == results
    nowhere = Patients(patients.clean[:n], patients.planted[:n], ~changed, ~changed)
    assert measure(LabSettings(), head, patients, {"no-lungs": nowhere}).no_lungs.value is None, (
        "no lungs were found, so nothing was taken away"
    )


def test_a_region_is_taken_from_the_picture_or_the_picture_stays():
    grey = clean_picture(Part.TEST, 0, Lesions.of(LabSettings())).grey
    without, removed = without_region(grey, "no-lungs")
    alone, left_out = without_region(grey, "lungs")
    assert removed.any() and np.array_equal(left_out, ~removed)
    assert (
        np.ptp(without[removed]) == 0
        and np.array_equal(without[~removed], grey[~removed])
        and np.array_equal(alone[removed], grey[removed])
    )
    nothing, changed = without_region(np.zeros_like(grey), "no-lungs")
    assert not changed.any() and not nothing.any()


def results_of(**values: float) -> Results:
    usual = {"clean": 0.7, "planted": 0.7, "swapped": 0.7, "on_lesion": 0.3, "on_shortcut": None, "random": 0.07, "centre": 0.05} | values
    estimates = {
        name: Estimate(
            value=value, low=None if value is None else max(value - 0.05, 0), high=None if value is None else min(value + 0.05, 1)
        )
        for name, value in usual.items()
    }
    return Results(**estimates, n=300)


def test_the_lesson_is_said_where_the_map_looks_right_and_the_network_cheats():
    hidden = sentences(LabSettings(head=HeadKind.TAUGHT), results_of(clean=0.55, planted=0.95, swapped=0.1, on_shortcut=0.0))
    honest = sentences(LabSettings(shortcut="none"), results_of())
    assert "proves nothing" in hidden[-1]
    assert not any("proves nothing" in each or "cheats" in each for each in honest)
    assert any("changes little" in each for each in honest)


def test_a_peak_is_said_to_be_rarer_or_commoner_than_without_a_network():
    for on_lesion, words in ((0.02, "less often than"), (0.27, "not clearly more often than"), (0.6, "more often than")):
        said = " ".join(sentences(LabSettings(shortcut="none"), results_of(on_lesion=on_lesion, centre=0.27)))
        assert f"], {words} an uninformative map (27%)" in said


def test_a_network_misled_by_what_it_never_saw_is_not_called_a_cheat():
    said = " ".join(sentences(LabSettings(shortcut="none"), results_of(swapped=0.4)))
    assert "never saw one in training" in said and "cheats" not in said


def test_the_table_says_every_kind_of_training(monkeypatch, tmp_path):
    facts = make_table(LabSettings(patients=50, epochs=1), seeds=(0,))
    assert [(row["trained_on"], row["head"]) for row in facts["rows"]] == [(s, str(h)) for s in ("none", "marker") for h in HEADS]
    write_table(facts, tmp_path)
    assert read_table(tmp_path) == json.loads(json.dumps(facts))
    table = lab_table(facts)
    assert table.count("\n|") == 1 + len(facts["rows"])
    sheet = sheet_with_table(f"before\n{BEGIN}\nold\n{END}\nafter", facts)
    assert table in sheet and "old" not in sheet and sheet.endswith("after")
    with pytest.raises(LungcadError, match="lost the markers"):
        sheet_with_table("nothing", facts)
    facts["rows"][0]["by_seed"][0].pop("clean")
    write_table(facts, tmp_path)
    with pytest.raises(DatasetError, match="damaged"):
        read_table(tmp_path)
    assert all(set(row) >= set(MEASURES) for row in facts["rows"])
