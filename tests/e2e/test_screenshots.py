"""Every page and main state as a person sees it, at both widths and in both schemes; each is opened once and shot four times.

``LUNGCAD_SCREENSHOTS=tests/e2e/screenshots python -m pytest tests/e2e/test_screenshots.py tests/e2e/test_gate.py`` makes the pictures of the repository and of
Home anew; without it only their number and size are tested.
"""

import io
import os
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from lungcad.app.home.stories import STORIES
from lungcad.app.home.tasks import PICTURE
from tests.e2e.accessibility import serious_faults, settled
from tests.e2e.conftest import ROOT, SCHEMES, SIZES, running, save_screenshot
from tests.e2e.test_browser import MAPS

LARGEST_SET = 3_000_000
"""Bytes of all pictures in the repository."""
GATE_STATES = ("phantom", "photograph", "photograph-shown", "localizer", "prone")
"""Of test_gate.py."""
READ_A_SLICE = "Predict?" + "&".join(f"{key}={value}" for key, value in STORIES[0].query.items())
ON_IQ = "first=iq-efficientnet-lite0&second=iq-efficientnet-lite0-soft"


@dataclass(frozen=True)
class State:
    """path: with the query. ready: what stands on the page when it can be shot. click: the button before. top: what is scrolled to the top, where not the page's."""

    path: str
    ready: Callable[[Page], Locator]
    click: str = ""
    top: str = ""


def text(words: str) -> Callable[[Page], Locator]:
    return lambda page: page.get_by_text(words).first


STATES = {
    "home": State("", text("Model cards")),
    "predict": State(READ_A_SLICE, lambda page: page.locator(".st-key-check_stability")),
    "compare-image": State("Compare", text("test accuracy")),
    "compare-runs": State(f"Compare?view=runs&{ON_IQ}", text("Who is right?")),
    "compare-regions": State(f"Compare?view=runs&{ON_IQ}", text("What does attention cost"), top="Which of the two needs the lungs more?"),
    "metrics": State("Metrics?runs=iq-efficientnet-lite0-soft", text("Look closer")),
    "metrics-regions": State(
        "Metrics?runs=iq-efficientnet-lite0-soft&section=Regions", text("Cases whose answer changes"), top="Look closer"
    ),
    "metrics-groups": State("Metrics?runs=phantom-cheat-marker&section=Groups+of+explanations", text("Look closer"), top="Look closer"),
    "datasets": State("Datasets?dataset=iq-oth-nccd", text("What a network reaches on this set")),
    "volume": State("Volume", text("Drop a CT series into the sidebar")),
    "volume-example": State("Volume", text("Result (JSON)"), click="Show the example"),
    "lab": State("Lab", lambda page: page.locator("[data-testid=stImage] img").nth(1)),
    "lab-trained": State("Lab", text("Move the letter yourself"), click="Train", top="Result"),
}


@pytest.fixture(scope="module")
def server_without_data(tmp_path_factory):
    """Of a machine without the published data sets: their images do not get into the repository by way of its pictures."""
    with running(tmp_path_factory.mktemp("server") / "log.txt", LUNGCAD_DATA=str(tmp_path_factory.mktemp("data"))) as address:
        yield address


@pytest.mark.skipif("LUNGCAD_SCREENSHOTS" not in os.environ, reason="LUNGCAD_SCREENSHOTS is not set: no pictures are made")
@pytest.mark.parametrize("name", STATES)
def test_a_state_is_shot_and_accessible(browser, server_without_data, screenshots, name):
    state = STATES[name]
    context = browser.new_context(viewport=dict(zip(("width", "height"), SIZES[0], strict=True)))
    page = context.new_page()
    page.set_default_timeout(240_000)
    page.goto(f"{server_without_data}/{state.path}")
    page.locator("h1").wait_for()
    settled(page)
    if state.click:
        page.get_by_role("button", name=state.click, exact=True).first.click()
    expect(state.ready(page)).to_be_attached(timeout=240_000)
    settled(page)
    expect(page.locator("[data-testid=stException]")).to_have_count(0)
    faults = {}
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            page.mouse.move(0, 0)
            page.wait_for_timeout(1500)
            settled(page)
            if state.top:
                page.get_by_text(state.top, exact=True).first.evaluate("element => element.scrollIntoView()")
                page.wait_for_timeout(500)
            assert page.evaluate("document.scrollingElement.scrollWidth <= window.innerWidth + 1")
            save_screenshot(page, screenshots / f"{name}-{width}-{scheme}.webp")
            if (name, width, scheme) == ("predict", SIZES[0][0], "light"):
                _save_picture_of_home(page)
            if width == SIZES[0][0] and (found := serious_faults(page)):
                faults[scheme] = found
    context.close()
    assert not faults


def _save_picture_of_home(page: Page) -> None:
    """The slice under its map, without what is above and below the body."""
    picture = Image.open(io.BytesIO(page.locator(MAPS).first.screenshot())).convert("RGB")
    width, height = picture.size
    picture.crop((width // 20, round(0.17 * height), width - width // 20, round(0.83 * height))).quantize(256).save(PICTURE, optimize=True)


def test_the_repository_holds_whole_states_only():
    """Each at both widths and in both schemes, and nothing of a state that is gone."""
    combinations = [f"{width}-{scheme}" for width, _ in SIZES for scheme in SCHEMES]
    states = {f"{name}-" for name in (*STATES, *(f"gate-{state}" for state in GATE_STATES))}
    files = list((ROOT / "tests/e2e/screenshots").iterdir())
    shot = {file.stem.removesuffix(end) for file in files for end in combinations if file.stem.endswith(end)}
    assert shot <= states and {file.name for file in files} == {f"{name}{end}.webp" for name in shot for end in combinations}
    assert sum(file.stat().st_size for file in files) < LARGEST_SET
