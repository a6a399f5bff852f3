"""One check marked by itself: its rows are put beside those of the others, which stay."""

import pandas as pd
import pytest

from lungcad.errors import LungcadError
from lungcad.evaluate.truth.one_check import choose_one, mark_one
from lungcad.evaluate.truth.verdicts import COLUMNS
from lungcad.explain.trust.thresholds import thresholds_in_use
from lungcad.models import load_model

NAME = "phantom-honest"


@pytest.fixture(scope="module")
def facts():
    return {"n": 3, "networks": [NAME], "weights_sha256": {NAME: load_model(NAME).card.sha256}, "marks": ["old"], "peaks": ["kept"]}


def verdicts(*checks: str) -> pd.DataFrame:
    return pd.DataFrame(
        [dict(zip(COLUMNS, (NAME, "honest", "", "p1", "", "gradcam", check, 0.5, "unclear"), strict=True)) for check in checks]
    )


def test_the_check_is_marked_and_the_others_stay(facts):
    marked, table = mark_one("lungs", facts, verdicts("anatomy", "lungs"))
    old = table[table.check == "anatomy"]
    assert len(old) == 1 and old.value.iloc[0] == 0.5
    new = table[table.check == "lungs"]
    assert len(new) == 3 * 3 and set(new.network) == {NAME, "random weights", "shuffled labels"} and (new.value.abs() <= 1).all()
    assert marked["peaks"] == ["kept"] and marked["thresholds"] == thresholds_in_use()
    assert {row["check"] for row in marked["marks"]} == {"lungs"}  # of anatomy no cheater was judged


def test_a_slow_check_is_marked_on_as_many_cases_as_asked_for_and_those_of_fewer_are_among_them(facts, monkeypatch):
    def judged(model, known, pictures, methods, *, slow_check_cases, checks, on_case):
        assert slow_check_cases == len(pictures) and methods == ("gradcam",)
        return pd.concat([verdicts(*checks)] * len(pictures)).assign(network=known.name, case=[shown.scene.name for shown in pictures])

    monkeypatch.setattr("lungcad.evaluate.truth.one_check.judge", judged)
    few, more = (mark_one("sanity", facts | {"n": 8}, verdicts("sanity", "lungs"), slow_check_cases=n)[1] for n in (2, 5))
    for network in (NAME, "random weights", "shuffled labels"):
        cases = [set(table[(table.check == "sanity") & (table.network == network)].case) for table in (few, more)]
        assert len(cases[0]) == 2 and len(cases[1]) == 5 and cases[0] < cases[1]
    assert len(more[more.check == "lungs"]) == 1


def test_only_its_own_threshold_is_chosen_anew(monkeypatch):
    def judged(model, known, pictures, methods, *, checks, **others):
        return pd.concat([verdicts(*checks)] * len(pictures)).assign(case=[shown.scene.name for shown in pictures], value=0.3)

    monkeypatch.setattr("lungcad.evaluate.truth.run.judge", judged)
    assert choose_one("lungs", n=4) == thresholds_in_use() | {"lungs": 0.3}


def test_bad_input_is_a_sentence(facts):
    with pytest.raises(LungcadError, match=r"Only some checks are marked by themselves: .*sanity"):
        mark_one("anatomy", facts, verdicts("anatomy"))
    with pytest.raises(LungcadError, match="Only some checks have a threshold to choose"):
        choose_one("nothing", n=10)
    with pytest.raises(LungcadError, match="other weights"):
        mark_one("lungs", facts | {"weights_sha256": {NAME: "0" * 64}}, verdicts("lungs"))
