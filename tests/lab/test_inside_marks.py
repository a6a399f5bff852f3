"""Marks inside the body: where they lie, and what is stored and said of the checks that do not see them."""

import json

import numpy as np
import pytest
import torch

from lungcad.errors import DatasetError
from lungcad.evaluate.stores.inside_marks import FILE, read_marks, write_marks
from lungcad.explain.trust import Verdict
from lungcad.explain.trust.lungs import ALONE, BODY, WITHOUT, WITHOUT_BLACK
from lungcad.lab import inside_marks
from lungcad.lab.head import LESION, LabHead
from lungcad.lab.inside_marks import CHEATER, HONEST, MARKS, Asked, marked, measure_marks
from lungcad.lab.patients import Lesions, Part, clean_picture
from lungcad.lab.settings import HeadKind, LabSettings
from lungcad.publish.inside_marks import blind_spot, inside_marks_section, inside_marks_table


@pytest.fixture(scope="module")
def clean():
    return [clean_picture(Part.TEST, index, Lesions.of(LabSettings())) for index in range(8)]


@pytest.mark.parametrize("name", MARKS)
def test_a_mark_lies_where_it_says_and_its_mask_is_exact(clean, name):
    for index, picture in enumerate(clean):
        with_mark = marked(MARKS[name], Part.TEST, index, picture)
        mark, body = with_mark.shortcut, picture.body | picture.lungs
        assert mark.any() and np.array_equal(with_mark.grey[~mark], picture.grey[~mark]) and not (mark & picture.lesion).any()
        match name:
            case "letter":
                assert not (mark & body).any()
            case "port":
                assert (mark & body).sum() >= mark.sum() - 2 and not (mark & picture.lungs).any()
            case "clip":
                assert not (mark & ~picture.lungs).any()
        assert np.array_equal(marked(MARKS[name], Part.TEST, index, picture).grey, with_mark.grey)


def features(*, mark: bool, lungs: bool = True, n: int = 4) -> torch.Tensor:
    """Channel 0 says whether the mark is in the picture, channel 1 whether the lungs are."""
    found = torch.zeros(n, 128, 8, 8)
    found[:, 0], found[:, 1] = float(mark), float(lungs)
    return found


@pytest.mark.parametrize(
    ("goes_with_the_lungs", "is_outside", "word"),
    [(False, True, Verdict.CONTRADICTS), (False, False, Verdict.CONTRADICTS), (True, False, Verdict.SUPPORTS)],
    ids=["letter", "port", "clip"],
)
def test_a_head_that_reads_the_mark_alone_is_judged_by_what_goes_with_the_lungs(goes_with_the_lungs, is_outside, word):
    head = LabHead(HeadKind.PLAIN)
    with torch.no_grad():
        head.head.linear.weight.zero_()
        head.head.linear.weight[LESION, 0] = 10
        head.head.linear.bias[:] = torch.tensor([-5.0, 0.0])
    changed = {
        WITHOUT: features(mark=not goes_with_the_lungs, lungs=False), WITHOUT_BLACK: features(mark=not goes_with_the_lungs, lungs=False),
        BODY: features(mark=not is_outside), ALONE: features(mark=goes_with_the_lungs),
    }  # fmt: skip
    asked = Asked(np.arange(4), np.array([False, True] * 2), features(mark=False), features(mark=True), changed)
    answers = inside_marks._answers(head, asked, CHEATER)
    assert [patient for patient, *_ in answers] == [0, 2], "of patients without a lesion, who are called healthy without the mark"
    assert {verdict for _, verdict, _ in answers} == {word} and {outside for *_, outside in answers} == {is_outside}
    assert [patient for patient, *_ in inside_marks._answers(head, asked, HONEST)] == [1, 3]


def test_it_is_measured_from_drawing_to_shares(tmp_path):
    told = []
    facts = measure_marks({"clip": MARKS["clip"]}, (0,), patients=50, asked=6, on_progress=lambda done, total: told.append((done, total)))
    assert [(row["mark"], row["network"]) for row in facts["rows"]] == [("clip", CHEATER), ("clip", HONEST)]
    assert told[-1] == (56, 56) and all(row["n"] <= 6 for row in facts["rows"])
    write_marks(facts, tmp_path)
    assert read_marks(tmp_path) == json.loads(json.dumps(facts)) and inside_marks_table(facts).count("\n") == 3


def test_what_is_stored_is_said_where_the_checks_speak(tmp_path):
    facts = read_marks()
    row = next(row for row in facts["rows"] if (row["mark"], row["network"]) == ("clip", CHEATER))
    assert f"{row['needs_no_lungs']['value']:.0%} of {row['n']} that rested on a clip in a lung" in blind_spot(facts, "lungs")
    assert "port" in blind_spot(facts, "surroundings") and blind_spot(facts, "sanity") == "" and blind_spot(None, "lungs") == ""
    assert inside_marks_table(facts) in inside_marks_section(facts)
    assert read_marks(tmp_path) is None
    (tmp_path / FILE).write_text('{"schema": 1, "rows": []}')
    with pytest.raises(DatasetError, match="damaged"):
        read_marks(tmp_path)
