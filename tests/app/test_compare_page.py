"""The logic of the Compare page on the shipped networks and runs."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lungcad.evaluate.compare import compare_runs
from lungcad.evaluate.runs import read_run
from lungcad.models import list_cards

ROOT = Path(__file__).resolve().parents[2]


def new_page(**query: str) -> AppTest:
    page = AppTest.from_file(ROOT / "streamlit_app.py", default_timeout=120).switch_page("pages/2_Compare.py")
    for key, value in query.items():
        page.query_params[key] = value
    return page


def test_a_pair_on_one_image():
    page = new_page(networks="chest-resnet18,chest-resnet18-cbam").run()
    assert not page.exception and not page.error
    assert sum("test accuracy" in caption.value for caption in page.caption) == 2
    assert sum("attention adds" in caption.value for caption in page.caption) == 1
    assert sum("Rank correlation" in caption.value for caption in page.caption) == 1
    assert page.slider(key="threshold").set_value(0.6).run().exception == page.exception
    page.toggle(key="compare_trust").set_value(True).run()
    assert not page.exception and sum("-badge[" in text.value for text in page.markdown) == 8


def test_four_networks_and_methods_that_suit_all():
    names = [card.name for card in list_cards()][:4]
    page = new_page(networks=",".join(names)).run()
    assert not page.exception and sum("Rank correlation" in caption.value for caption in page.caption) == 6
    assert "Attention map" not in page.selectbox(key="method").options  # baselines have none


def test_networks_of_different_classes_are_said():
    page = new_page(networks="chest-resnet18,iq-resnet18").run()
    assert not page.exception and any("different classes" in caption.value for caption in page.caption)


def test_an_unknown_network_and_too_few():
    page = new_page(networks="chest-resnet18,nothing").run()
    assert not page.exception and any("unknown network" in info.value for info in page.info)
    page.multiselect(key="networks").set_value([]).run()
    assert not page.exception and any("at least two" in info.value for info in page.info)


def test_two_runs_show_what_compare_computes():
    page = new_page(view="runs", first="iq-resnet18", second="iq-resnet18-cbam").run()
    assert not page.exception and not page.error
    expected = compare_runs(read_run("iq-resnet18"), read_run("iq-resnet18-cbam"))
    shown = page.dataframe[0].value.set_index("metric")
    assert list(shown.index) == [row.metric for row in expected]
    assert (
        shown.loc["accuracy", "second − first"].startswith(f"{expected[0].difference:+.3f}") and "McNemar" in shown.loc["accuracy", "test"]
    )
    counts = page.dataframe[1].value.to_numpy()
    assert counts.sum() == len(read_run("iq-resnet18").test) and (counts[0, 1] + counts[0, 0]) / counts.sum() == pytest.approx(
        expected[0].first
    )


def test_a_case_of_two_runs_opens_beside_each_other(shared_data):
    page = new_page(view="runs", first="iq-resnet18", second="iq-resnet18-cbam").run()
    page.button(key="beside_0").click().run()
    assert not page.exception and page.selectbox(key="view").value == "image"
    assert page.multiselect(key="networks").value == ["iq-resnet18", "iq-resnet18-cbam"]
    assert "IQ-OTH" in page.session_state["source"].caption and "iq-oth-nccd/" in str(page.query_params["case"])


def test_runs_on_different_cases_offer_the_common_ones():
    page = new_page(view="runs", first="iq-efficientnet-lite0", second="iq-efficientnet-lite0-published").run()
    assert not page.exception and any("different cases" in warning.value for warning in page.warning) and len(page.dataframe) == 0
    page.toggle(key="common").set_value(True).run()
    assert not page.exception and len(page.dataframe) == 2


def test_an_unknown_run_in_the_link_is_said():
    page = new_page(view="runs", first="nothing").run()
    assert not page.exception and any("unknown first run" in info.value for info in page.info)
