"""The lab in a real browser: every preset at both widths."""

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
    expect(page.get_by_text(PRESETS["hidden cheat"].look_at)).to_be_visible(timeout=120_000)
    for name, preset in PRESETS.items():
        page.get_by_role("button", name=name.capitalize(), exact=True).click()
        page.mouse.move(0, 0)  # the button's tooltip says the sentence too
        expect(page.get_by_text(preset.look_at)).to_be_visible(timeout=120_000)
        expect(page.locator("[data-testid=stImage] img")).to_have_count(2)
        expect(page.get_by_role("button", name="Train", exact=True)).to_be_enabled()
        fits(page)
