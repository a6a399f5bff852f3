"""The front door and its stories, at both widths and in both schemes; what an accessibility checker finds on every page."""

import re

import pytest
from playwright.sync_api import Page, expect

from lungcad.app.home.stories import STORIES
from tests.e2e.accessibility import serious_faults, settled

expect.set_options(timeout=60_000)
PAGES = ("", "Predict", "Compare", "Metrics", "Datasets", "Volume", "Lab")
STANDS = {
    "Read a slice": lambda page: page.locator(".st-key-maps canvas").first,
    "Does attention help?": lambda page: page.get_by_text("Who is right?").first,
    "What is behind 98 %?": lambda page: page.get_by_text("Without copies of training images").first,
    "Catch a network that cheats": lambda page: page.locator(".st-key-check_surroundings").get_by_text("contradicts").first,
    "Make one cheat yourself": lambda page: page.get_by_role("button", name="Train", exact=True),
    "A network that needs no lungs": lambda page: page.get_by_text("Cases whose answer changes").first,
}
"""What stands on the page that a story opens when it is ready."""
BACKGROUND = "getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"


@pytest.fixture(params=[(1440, 900), (390, 844)], ids=["wide", "phone"])
def screen(request, browser):
    """A page of that size, light or dark by the test's own choice."""

    def opened(scheme: str) -> Page:
        context = browser.new_context(viewport=dict(zip(("width", "height"), request.param, strict=True)), color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        return page

    contexts = []
    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("story", STORIES, ids=lambda story: re.sub(r"\W+", "-", story.title.lower()).strip("-"))
def test_a_story_opens_a_page_that_shows_it(screen, server, story, scheme):
    page = screen(scheme)
    page.goto(server)
    page.locator("[data-testid=stMain]").get_by_role("link", name=story.title).click()
    expect(STANDS[story.title](page)).to_be_visible()
    settled(page)
    expect(page.locator("[data-testid=stException]")).to_have_count(0)
    expect(page.get_by_text(re.compile("The link (asks for|names|’s value)"))).to_have_count(0)
    assert page.evaluate("document.scrollingElement.scrollWidth <= window.innerWidth + 1")
    page.go_back()  # once: what the page adds to its link is no entry of its own
    expect(page.get_by_role("heading", name="Stories of a minute")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_home_invites(screen, server, scheme):
    page = screen(scheme)
    page.goto(server)
    expect(page.get_by_text("Not a medical device").first).to_be_attached()
    for story in STORIES:
        expect(page.get_by_role("link", name=story.title)).to_be_visible()
    expect(page.locator("[data-testid=stDataFrame] canvas").first).to_be_attached()
    settled(page)
    assert page.evaluate("document.querySelector('h1').getBoundingClientRect().top") < 100
    assert page.evaluate("document.scrollingElement.scrollWidth <= window.innerWidth + 1")


@pytest.mark.parametrize("where", PAGES)
def test_an_accessibility_checker_finds_nothing_serious(tab, server, where):
    """Of the light scheme, and of the dark one after a switch while the page stands. Streamlit's own markup counts too, but for what it alone can mend."""
    tab.goto(f"{server}/{where}")
    expect(tab.locator("h1")).to_be_visible()
    settled(tab)
    assert not serious_faults(tab)
    before = tab.evaluate(BACKGROUND)
    tab.emulate_media(color_scheme="dark")
    tab.wait_for_function(f"before => {BACKGROUND} !== before", arg=before)
    assert not serious_faults(tab)
