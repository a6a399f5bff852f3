"""A network marked anew: its rows take the place of its old ones, and those of the others stay."""

import pandas as pd
import pytest

from lungcad.errors import LungcadError, UnknownNameError
from lungcad.evaluate.truth.again import mark_again
from lungcad.evaluate.truth.run import Truth
from lungcad.models import load_model

CHEATER, HONEST = "phantom-cheat-marker", "phantom-honest"


def last(**weights):
    """A marking in which both networks have one old row each."""
    rows = [
        {"network": HONEST, "role": "honest", "shortcut": "", "carried": "dot", "check": "lungs", "verdict": "supports"},
        {"network": CHEATER, "role": "cheater", "shortcut": "marker", "carried": "marker", "check": "lungs", "verdict": "unclear"},
        {"network": "random weights", "role": "untrained", "shortcut": "", "carried": "", "check": "lungs", "verdict": "unclear"},
    ]
    verdicts = pd.DataFrame(rows).assign(case="old", method="gradcam", value=0.5)
    published = pd.DataFrame(
        [{"network": CHEATER, "case": "old", "cheat": "marker", "method": "gradcam", "cs": 0.0, "spc": 0.0, "cs_at_most": 1.0}]
    )
    localisation = pd.DataFrame(
        [
            {
                "network": HONEST,
                "case": "old",
                "method": "gradcam",
                "diameter_mm": 5.0,
                "called": 1.0,
                "pointing_game": 0.0,
                "energy_inside": 0.0,
                "iou": 0.0,
            }
        ]
    )
    facts = {
        "n": 8, "networks": [HONEST, CHEATER], "weights_sha256": {HONEST: load_model(HONEST).card.sha256, CHEATER: "0" * 64} | weights,
        "counterfactuals": [{"network": HONEST, "n": 1}, {"network": CHEATER, "n": 1}], "slow_cases": {"published_measures": 0}, "date": "then",
    }  # fmt: skip
    return Truth(facts, verdicts, pd.DataFrame(), {"published_measures": published, "walls": pd.DataFrame(), "localisation": localisation})


def test_the_network_is_marked_anew_and_the_others_stay():
    marked = mark_again([CHEATER], last(), slow_check_cases=0)
    by_network = marked.verdicts.groupby("network").case.unique()
    assert list(by_network[HONEST]) == list(by_network["random weights"]) == ["old"] and "old" not in by_network[CHEATER]
    assert marked.verdicts.network.unique().tolist() == [HONEST, CHEATER, "random weights"]
    assert set(marked.peaks.network) == {CHEATER}
    assert set(marked.parts["published_measures"].network) == {CHEATER} and "old" not in set(marked.parts["published_measures"].case)
    assert marked.parts["localisation"].case.tolist() == ["old"] and marked.parts["walls"].empty
    assert marked.facts["networks"] == [HONEST, CHEATER], "named twice, they would be measured twice"
    rows = {row["network"]: row for row in marked.facts["counterfactuals"]}
    assert list(rows) == [HONEST, CHEATER] and rows[HONEST]["n"] == 1 and rows[CHEATER]["n"] == 8
    assert marked.facts["weights_sha256"][CHEATER] == load_model(CHEATER).card.sha256
    assert {row["cheat"] for row in marked.facts["marks"]} >= {"marker", "random weights"}


def test_another_network_must_still_have_the_weights_that_were_marked():
    with pytest.raises(LungcadError, match=r"phantom-honest has other weights .* --again phantom-honest"):
        mark_again([CHEATER], last(**{HONEST: "1" * 64}), slow_check_cases=0)
    with pytest.raises(UnknownNameError, match="network of known truth"):
        mark_again(["chest-resnet18"], last(), slow_check_cases=0)
