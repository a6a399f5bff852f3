"""A stranger's picture that a link names is shown as text, and never fetched."""

from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.test_browser import settled

expect.set_options(timeout=60_000)
STRANGER = "203.0.113.9"  # an address for documentation (RFC 5737): nobody answers there
PICTURE = f"![x](http://{STRANGER}/x.png)<img src=http://{STRANGER}/y.png>"


@pytest.fixture
def watched(tab: Page) -> tuple[Page, list[str]]:
    """A page, and the addresses of whatever it asks for."""
    tab.set_default_timeout(60_000)
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    return tab, asked


def strangers(asked: list[str]) -> list[str]:
    return [url for url in asked if STRANGER in url.partition("://")[2].partition("/")[0]]


def test_the_watch_sees_a_picture_that_is_fetched(watched, server):
    page, asked = watched
    page.goto(server)
    page.evaluate(f"document.body.append(Object.assign(new Image(), {{src: 'http://{STRANGER}/control.png'}}))")
    page.wait_for_timeout(200)
    assert strangers(asked)


@pytest.mark.parametrize(
    ("where", "shown"),
    [(f"Predict?model={quote(PICTURE)}&example={quote(PICTURE)}&case={quote(PICTURE)}", "is unknown"), (f"Compare?networks={quote(PICTURE)}", STRANGER)],
)  # fmt: skip
def test_a_strangers_picture_in_a_link_is_never_fetched(watched, server, where, shown):
    page, asked = watched
    page.goto(f"{server}/{where}")
    expect(page.locator("h1")).to_be_visible()
    expect(page.get_by_text(shown).first).to_be_visible()
    settled(page)
    assert asked and not strangers(asked)
