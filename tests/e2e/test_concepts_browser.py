"""The sliders of a concept network in a real browser: the answer moves at once, and the picture stays where it is."""

from playwright.sync_api import expect

from tests.e2e.test_browser import MAPS, settled

QUERY = "?model=lidc-efficientnet-lite0-concepts&example=spiculated-nodule-crop.png&method=gradcam"


def test_what_if_it_were_not_spiculated(tab, server):
    tab.goto(f"{server}/Predict{QUERY}")
    expect(tab.locator(".concepts")).to_be_visible(timeout=90_000)
    settled(tab)
    picture = tab.locator(MAPS).first.bounding_box()
    assert picture["y"] < tab.locator(".concepts").bounding_box()["y"]
    slider = tab.locator("[class*=st-key-what_if-spiculation] input")
    slider.focus()
    slider.press("Home")
    expect(tab.get_by_text("With these ratings the answer would be")).to_be_visible(timeout=30_000)
    expect(tab.locator(".concepts .changed").first).to_contain_text("no spiculation")
    tab.get_by_test_id("stButton").get_by_role("button", name="Reset").click()
    expect(tab.get_by_text("is the sum of what 8 ratings speak for")).to_be_visible(timeout=30_000)
    now = tab.locator(MAPS).first.bounding_box()
    assert {side: now[side] for side in ("x", "width", "height")} == {side: picture[side] for side in ("x", "width", "height")}
