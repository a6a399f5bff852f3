"""The lab in a real browser: every preset at both widths, and a training with a reload in its middle and the letter dragged at its end."""

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from lungcad.lab.presets import PRESETS
from tests.e2e.conftest import BROWSER

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium on this machine")


@pytest.fixture(params=[(1440, 900), (390, 844)], ids=["wide", "phone"])
def page(request, browser):
    context = browser.new_context(viewport=dict(zip(("width", "height"), request.param, strict=True)))
    page = context.new_page()
    page.set_default_timeout(60_000)
    yield page
    context.close()


def fits(page: Page) -> None:
    expect(page.locator("[data-testid=stException]")).to_have_count(0)
    assert page.evaluate("document.scrollingElement.scrollWidth <= window.innerWidth + 1")


def test_every_preset_opens_with_its_pictures(page, server):
    page.goto(f"{server}/Lab?preset={quote('hidden cheat')}")
    expect(page.get_by_text(PRESETS["hidden cheat"].look_at)).to_be_visible(timeout=60_000)
    for name, preset in PRESETS.items():
        page.get_by_role("button", name=name.capitalize(), exact=True).click()
        expect(page.get_by_text(preset.look_at)).to_be_visible(timeout=60_000)
        expect(page.locator("[data-testid=stImage] img")).to_have_count(2)
        expect(page.get_by_role("button", name="Train", exact=True)).to_be_enabled()
        fits(page)


def test_a_training_survives_a_reload_and_ends_with_a_letter_to_drag(page, server):
    seed = page.viewport_size["width"]  # not the other width's finished training
    page.goto(f"{server}/Lab?patients=50&epochs=100&seed={seed}")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.locator(".js-plotly-plot")).to_be_visible(timeout=60_000)
    page.reload()
    expect(page.get_by_text("What came of it")).to_be_visible(timeout=60_000)
    letter = page.get_by_role("button", name="The letter; arrow keys move it")
    letter.scroll_into_view_if_needed()
    with_letter = page.get_by_test_id("stMetric").filter(has_text="with the letter there")
    before = with_letter.inner_text()
    letter.focus()
    for _ in range(12):
        letter.press("ArrowDown")
        letter.press("ArrowRight")
    expect(with_letter).not_to_have_text(re.compile(f"^{re.escape(before)}$"))
    fits(page)
