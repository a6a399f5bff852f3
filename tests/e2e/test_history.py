"""A link opened directly: the page is one or two steps from where one came from (up to eight before), whatever its controls write into the link."""

import pytest
from playwright.sync_api import expect

from tests.e2e.accessibility import settled
from tests.e2e.conftest import BROWSER

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium on this machine")
LINKS = ("Predict", "Metrics?runs=lc-efficientnet-lite0-published&section=Cases", "Datasets?dataset=iq-oth-nccd", "Lab?preset=cheater")


@pytest.mark.parametrize("link", LINKS)
def test_a_link_opened_directly_adds_two_entries_at_most(browser, server, link):
    context = browser.new_context()
    page = context.new_page()
    page.goto(server)
    expect(page.locator("h1")).to_be_visible(timeout=120_000)
    settled(page)
    before = page.evaluate("history.length")
    page.goto(f"{server}/{link}")
    expect(page.locator("h1")).to_be_visible(timeout=120_000)
    settled(page)
    assert page.evaluate("history.length") <= before + 2  # the page, and the link as its controls complete it
    context.close()
