"""A person's way through the app, in Chromium."""

import io
import json
import re
import time

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from lungcad.imaging.phantom import PICTURE_WINDOW, Edge, Lesion, make_phantom

expect.set_options(timeout=30_000)
PHANTOM = make_phantom(41, lesion=Lesion((-12.0, -78.0), 40.0, Edge.SPICULATED))
MAPS = ".st-key-maps .stage canvas"
VIEWER = "document.querySelector('.st-key-maps .stBidiComponent div[data-testid]').shadowRoot.querySelector('.viewer').lungcadViewer"


ON_SLICES = "model=chest-efficientnet-lite0&example=large-spiculated-lesion.png"
"""A network of CT slices on a phantom of lungcad's own."""


def open_predict(page: Page, server: str, query: str = f"?{ON_SLICES}") -> None:
    page.goto(f"{server}/Predict{query}")
    expect(maps(page)).to_be_visible()
    map_drawn(page)
    settled(page)


def settled(page: Page) -> None:
    """Streamlit has finished its run."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()


def upload(page: Page, name: str, data: bytes) -> None:
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "application/octet-stream", "buffer": data})


def asked_for(page: Page) -> None:
    """A phantom of one's own is no patient: where the gate declines it, the answer is asked for."""
    settled(page)
    button = page.get_by_role("button", name="Show anyway")
    if button.count():
        button.click()
        expect(page.get_by_text("do not believe this answer")).to_be_visible()


def map_drawn(page: Page) -> None:
    """The announced map is in the viewer."""
    page.wait_for_function(f"() => {VIEWER}.shownMaps().length > 0")


def maps(page: Page):
    """The picture with the map."""
    return page.locator(MAPS).first


def test_the_front_door_leads_to_predict(tab, server):
    tab.goto(server)
    expect(tab.get_by_text("Not a medical device").first).to_be_visible()
    expect(tab.get_by_text("The networks", exact=True)).to_be_visible()
    expect(tab.locator("[data-testid=stDataFrame] canvas").first).to_be_visible()
    settled(tab)
    tab.locator("[data-testid=stMain]").get_by_role("link", name="Explain a slice").first.click()
    expect(maps(tab)).to_be_visible()


@pytest.mark.parametrize("kind", ["png", "dicom"])
def test_upload_class_bars_and_overlay(tab, server, kind, capsys):
    open_predict(tab, server)
    data = PHANTOM.png(PICTURE_WINDOW) if kind == "png" else PHANTOM.dicom()
    before = tab.evaluate(f"{VIEWER}.facts.panes[0].map")
    start = time.perf_counter()
    upload(tab, f"slice.{kind}", data)
    expect(tab.locator(".st-key-class")).to_be_visible()
    tab.wait_for_function("() => document.body.innerText.includes('Uploaded image: 512×512')")
    answer = time.perf_counter() - start
    asked_for(tab)
    tab.wait_for_function(f"before => {VIEWER}.facts.panes[0].map !== before && {VIEWER}.shownMaps().length > 0", arg=before)
    seconds = time.perf_counter() - start
    settled(tab)
    with capsys.disabled():
        print(f"\nupload, {kind} 512×512, warm server: answer after {answer:.2f} s, Grad-CAM after {seconds:.2f} s")
    expect(tab.locator(".st-key-class h2")).not_to_be_empty()
    expect(tab.locator(".st-key-bars tr")).to_have_count(4)
    assert tab.evaluate(f"{VIEWER}.settings.window?.name ?? null") == (None if kind == "png" else "lung")


def test_all_that_matters_is_above_the_fold(tab, server):
    """At 1440×900: the picture is 640 pixels high, and beside it answer, bars and trust list."""
    tab.set_viewport_size({"width": 1440, "height": 900})
    open_predict(tab, server, "")
    picture = maps(tab).bounding_box()
    assert picture["height"] >= 640 and picture["y"] + picture["height"] < 900
    for part in (".st-key-class", ".st-key-bars", ".st-key-check_stability"):
        box = tab.locator(part).bounding_box()
        assert box["x"] > picture["x"] + picture["width"] and box["y"] + box["height"] < 900, part


def test_on_a_phone_the_picture_comes_right_after_the_answer(tab, server):
    tab.set_viewport_size({"width": 390, "height": 844})
    open_predict(tab, server)
    answer, picture, bars = (tab.locator(each).first.bounding_box() for each in (".st-key-answer", MAPS, ".st-key-bars"))
    assert answer["y"] < picture["y"] < bars["y"] and picture["y"] < 600 and picture["width"] > 330


def test_nothing_is_sent_while_the_picture_moves(tab, server):
    sent = []
    tab.on("websocket", lambda socket: socket.on("framesent", lambda payload: sent.append(payload)))
    open_predict(tab, server, "?model=chest-efficientnet-lite0&example=spiculated-lesion.dcm")
    before = len(sent)
    assert before > 0
    maps(tab).focus()
    for key in ("]", ".", "+", "ArrowLeft", "w", "x", "e", "2"):
        tab.keyboard.press(key)
    tab.wait_for_function("() => location.search.includes('opacity=0.55') && location.search.includes('window=mediastinum')")
    assert tab.evaluate(f"{VIEWER}.view.zoom") > 1 and len(sent) == before


def test_lime_runs_with_progress_and_can_be_stopped(tab, server):
    tab.goto(f"{server}/Predict?{ON_SLICES}&method=lime")
    tab.get_by_role("button", name="Run LIME").click()
    expect(tab.get_by_text(re.compile(r"LIME: \d+ of 1000"))).to_be_visible()
    tab.get_by_role("button", name="Stop", exact=True).click()
    expect(tab.get_by_text("LIME was stopped")).to_be_visible()
    tab.get_by_role("button", name="Run LIME").click()
    expect(tab.get_by_text("The linear model explains")).to_be_visible(timeout=120_000)
    settled(tab)


def test_downloads(tab, server):
    open_predict(tab, server)
    upload(tab, "Mustermann_Max.dcm", PHANTOM.dicom())
    expect(tab.get_by_text("Uploaded image: 512×512")).to_be_visible()
    asked_for(tab)
    settled(tab)
    map_drawn(tab)
    with tab.expect_download() as waiting:
        tab.get_by_role("button", name="Save PNG").click()
    assert "Mustermann" not in waiting.value.suggested_filename
    saved = Image.open(io.BytesIO(waiting.value.path().read_bytes()))
    picture = np.asarray(saved)
    assert picture.shape[:2] == (512, 512) and (picture[..., 0] != picture[..., 1]).any()
    assert "Grad-CAM" in saved.text["Map"] and "Synthetic^Phantom" not in str(saved.text)
    with tab.expect_download() as waiting:
        tab.get_by_role("button", name="Map values (.npy)").click()
    values = np.load(waiting.value.path())
    shown = tab.evaluate(
        f"(() => {{ const m = {VIEWER}.shownMaps()[0]; return [m.at(200, 300, false), m.at(256, 256, false), m.extent('for')] }})()"
    )
    np.testing.assert_allclose(shown, [values[300, 200], values[256, 256], values.max()], rtol=1e-4, atol=1e-7)
    with tab.expect_download() as waiting:
        tab.get_by_role("button", name="Result (JSON)").click()
    text = waiting.value.path().read_text()
    values = json.loads(text)
    assert values["class"] in values["probabilities"] and "Mustermann" not in text and "Synthetic^Phantom" not in text


def test_a_bad_file_leaves_the_result_on_screen(tab, server):
    open_predict(tab, server)
    upload(tab, "words.png", b"these are words")
    expect(tab.get_by_text("The content is not an image")).to_be_visible()
    expect(maps(tab)).to_be_visible()
    settled(tab)


@pytest.mark.parametrize("where", ["", "Predict"])
def test_a_narrow_screen_has_no_sideways_scroll(tab, server, where):
    tab.set_viewport_size({"width": 390, "height": 2400})
    tab.goto(f"{server}/{where}")
    expect(tab.locator("h1")).to_be_visible()
    if where:
        expect(maps(tab)).to_be_visible()
    settled(tab)
    assert tab.evaluate("document.scrollingElement.scrollWidth <= window.innerWidth + 1")


def test_a_link_opens_the_same_view_elsewhere(tab, browser, server):
    open_predict(tab, server, "?model=chest-efficientnet-lite0-gate&method=attention&example=no-lesion.png")
    expect(tab.get_by_text("Example no lesion")).to_be_visible()
    expect(tab.get_by_text("Attention map:", exact=False).first).to_be_attached()
    assert "Mustermann" not in tab.url


def test_the_trust_panel_fills_and_its_slower_checks_run(tab, server, capsys):
    start = time.perf_counter()
    tab.goto(f"{server}/Predict?{ON_SLICES}&panel=trust")
    expect(tab.locator(".st-key-check_partner")).to_be_visible()
    with capsys.disabled():
        print(f"\nlink to the last of the cheap trust checks on screen: {time.perf_counter() - start:.2f} s")
    for name in ("faithfulness", "anatomy", "agreement", "stability"):
        expect(tab.locator(f".st-key-check_{name}")).to_contain_text("control")
    settled(tab)
    tab.get_by_role("button", name="Run the slower checks").click(timeout=60_000)
    expect(tab.locator(".st-key-check_sanity")).to_contain_text("control")


def lasso(page: Page, area: Locator, share: float) -> None:
    """Draw a circle around a place at the middle height of the area."""
    expect(area).to_be_visible()
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    x, y, radius = box["x"] + share * box["width"], box["y"] + 0.45 * box["height"], 0.12 * box["width"]
    page.mouse.move(x + radius, y)
    page.mouse.down()
    for step in range(1, 25):
        page.mouse.move(x + radius * np.cos(step * np.pi / 12), y + radius * np.sin(step * np.pi / 12))
    page.mouse.up()


def test_a_region_is_erased_with_the_mouse(tab, server):
    open_predict(tab, server, f"?{ON_SLICES}&panel=erase")
    lasso(tab, maps(tab), 0.3)
    expect(tab.locator("[data-testid=stMetric]")).to_have_count(4)
    settled(tab)


def test_draw_first_then_reveal(tab, server):
    tab.goto(f"{server}/Predict?{ON_SLICES}&panel=draw")
    expect(tab.get_by_text("Answer and map are hidden until")).to_be_visible()
    expect(tab.locator(".st-key-class")).to_have_count(0)
    expect(maps(tab)).to_be_visible()
    settled(tab)
    assert tab.evaluate(f"{VIEWER}.shownMaps().length") == 0 and tab.evaluate(f"{VIEWER}.facts.panes[0].map") is None
    lasso(tab, maps(tab), 0.3)
    toggle = tab.locator("[class*=st-key-contour_reveal] label").first
    toggle.click()
    expect(tab.locator(".st-key-check_localisation")).to_contain_text("inside the contour")
    map_drawn(tab)
    settled(tab)


def test_methods_by_classes_and_nearest_cases(tab, server):
    open_predict(tab, server, f"?{ON_SLICES}&panel=methods")
    expect(tab.locator(".st-key-methods .stage canvas")).to_have_count(21)
    settled(tab)
    expect(tab.locator(".st-key-methods .scale")).to_have_count(6)
    tab.set_viewport_size({"width": 1440, "height": 3600})
    open_predict(tab, server, f"?{ON_SLICES}&panel=nearest")
    expect(tab.get_by_text("training case").first).to_be_visible()
