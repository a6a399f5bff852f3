"""Metrics: groups of explanations, and the images of each."""

from tests.app.pages import open_page


def shown_cases(page) -> int:
    return next(int(text.value.split()[0].strip("*")) for text in page.markdown if " cases: " in text.value)


def test_from_a_group_to_its_images_in_one_click():
    page = open_page("3_Metrics.py", runs="phantom-cheat-marker", section="Groups of explanations").run()
    assert not page.exception and not page.error
    table = next(each.value for each in page.dataframe if "accuracy less that of the rest" in each.value.columns)
    assert list(table.group) == [1, 2] and table.cases.sum() == 500
    carry = [float(text.rstrip("%")) for text in table["carry the planted marker"]]
    assert max(carry) > 90 and min(carry) < 10
    assert shown_cases(page) == table.cases[0]
    page.segmented_control(key="group").set_value("Group 2").run()
    assert not page.exception and shown_cases(page) == table.cases[1] and page.query_params["group"] == "Group 2"


def test_a_run_without_an_index_says_so():
    page = open_page("3_Metrics.py", runs="iq-efficientnet-lite0-seed1", section="Groups of explanations").run()
    assert not page.exception and any("weights that are not shipped" in info.value for info in page.info)
