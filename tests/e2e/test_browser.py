"""A person's way through the app, in Chromium."""

import io
import json
import re
import time

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from lungcad.imaging.phantom import PICTURE_WINDOW, Edge, Lesion, make_phantom

expect.set_options(timeout=30_000)
PHANTOM = make_phantom(41, lesion=Lesion((-12.0, -78.0), 40.0, Edge.SPICULATED))
MAPS = ".st-key-maps .js-plotly-plot"


def open_predict(page: Page, server: str, query: str = "") -> None:
    page.goto(f"{server}/Predict{query}")
    expect(maps(page)).to_be_visible()
    settled(page)


def settled(page: Page) -> None:
    """Streamlit has finished its run."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()


def upload(page: Page, name: str, data: bytes) -> None:
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "application/octet-stream", "buffer": data})


def heat(page: Page) -> dict:
    """The heat map trace as the browser draws it."""
    return page.evaluate(
        """selector => { const t = document.querySelector(selector)._fullData.find(t => t.type === 'heatmap');
        const shown = t.z.map(r => [...r].filter(v => v === v).length).reduce((a, b) => a + b);
        return {rows: t.z.length, columns: t.z[0].length, colorbar: !!t.showscale, shown} }""",
        MAPS,
    )


def opacity(page: Page) -> float:
    return page.evaluate("s => +getComputedStyle(document.querySelector(s + ' .heatmaplayer:has(.hm)')).opacity", MAPS)


def maps(page: Page):
    """The chart; while it is replaced there are two, one of them hidden."""
    return page.locator(MAPS).locator("visible=true").first


def ranges(page: Page) -> list:
    return page.evaluate(
        "s => { const l = document.querySelector(s)._fullLayout; return [l.xaxis.range, l.xaxis2.range, l.yaxis.range, l.yaxis2.range] }",
        MAPS,
    )


def move_slider(page: Page, key: str, presses: int) -> None:
    thumb = page.locator(f".st-key-{key} input[type=range]")
    thumb.focus()
    for _ in range(abs(presses)):
        thumb.press("ArrowRight" if presses > 0 else "ArrowLeft")


def test_the_front_door_leads_to_predict(tab, server, screenshots):
    tab.goto(server)
    expect(tab.get_by_text("Not a medical device").first).to_be_visible()
    expect(tab.get_by_text("The networks", exact=True)).to_be_visible()
    expect(tab.locator("[data-testid=stDataFrame] canvas").first).to_be_visible()
    settled(tab)
    tab.screenshot(path=screenshots / "home-1440.png")
    tab.locator("[data-testid=stMain]").get_by_role("link", name="Explain a slice").first.click()
    expect(maps(tab)).to_be_visible()


@pytest.mark.parametrize("kind", ["png", "dicom"])
def test_upload_class_bars_and_overlay(tab, server, screenshots, kind, capsys):
    open_predict(tab, server)
    data = PHANTOM.png(PICTURE_WINDOW) if kind == "png" else PHANTOM.dicom()
    before = tab.evaluate("s => document.querySelector(s)._fullData.find(t => t.type === 'heatmap').zmax", MAPS)
    start = time.perf_counter()
    upload(tab, f"slice.{kind}", data)
    tab.wait_for_function(  # the new class's caption, and a heat map that is not the old one, in the same frame
        """([s, zmax]) => document.body.innerText.includes('Uploaded image: 512×512')
        && [...document.querySelectorAll(s)].some(c => c.checkVisibility() && c._fullData?.some(t => t.type === 'heatmap' && t.zmax !== zmax))""",
        arg=[MAPS, before],
    )
    seconds = time.perf_counter() - start
    settled(tab)
    with capsys.disabled():
        print(f"\nupload to class and Grad-CAM on screen, {kind} 512×512, warm server: {seconds:.2f} s")
    expect(tab.locator(".st-key-class h2")).not_to_be_empty()
    expect(tab.locator(".st-key-bars .js-plotly-plot .bars .point")).to_have_count(4)
    drawn = heat(tab)
    assert (drawn["rows"], drawn["columns"]) == (512, 512) and drawn["colorbar"]
    tab.screenshot(path=screenshots / f"predict-{kind}-1440.png")
    expect(tab.locator(".st-key-window_off" if kind == "png" else ".st-key-window")).to_be_visible()


def test_opacity_and_threshold_move(tab, server):
    open_predict(tab, server)
    before, shown = opacity(tab), heat(tab)["shown"]
    move_slider(tab, "opacity", 4)
    tab.wait_for_function(
        "([s, v]) => +getComputedStyle(document.querySelector(s + ' .heatmaplayer:has(.hm)')).opacity > v + 0.15", arg=[MAPS, before]
    )
    move_slider(tab, "threshold", 6)
    tab.wait_for_function(
        """([s, v]) => { const t = document.querySelector(s)._fullData.find(t => t.type === 'heatmap');
        const n = t.z.map(r => [...r].filter(v => v === v).length).reduce((a, b) => a + b); return 0 < n && n < v }""",
        arg=[MAPS, shown],
    )


def test_zoom_is_linked_and_survives_a_slider(tab, server):
    open_predict(tab, server)
    box = tab.locator(f"{MAPS} .nsewdrag").first.bounding_box()
    whole = ranges(tab)
    tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    for share in (0.95, 0.9, 0.85):  # a wheel click zooms by about a tenth
        tab.mouse.wheel(0, -400)
        tab.wait_for_function("([s, v]) => { const r = document.querySelector(s)._fullLayout.xaxis.range; return r[1] - r[0] < v }",
                              arg=[MAPS, share * (whole[0][1] - whole[0][0])])  # fmt: skip
    zoomed = ranges(tab)
    assert zoomed[0] == zoomed[1] and zoomed[2] == zoomed[3]
    move_slider(tab, "opacity", 2)
    settled(tab)
    np.testing.assert_allclose(ranges(tab)[0], zoomed[0], atol=1)


def test_lime_runs_with_progress_and_can_be_stopped(tab, server, screenshots):
    open_predict(tab, server, "?method=lime")
    tab.get_by_role("button", name="Run LIME").click()
    expect(tab.get_by_text(re.compile(r"LIME: \d+ of 1000"))).to_be_visible()
    tab.get_by_role("button", name="Stop", exact=True).click()
    expect(tab.get_by_text("LIME was stopped")).to_be_visible()
    tab.get_by_role("button", name="Run LIME").click()
    expect(tab.get_by_text("The linear model explains")).to_be_visible(timeout=120_000)
    settled(tab)
    tab.screenshot(path=screenshots / "lime-1440.png")


def test_downloads(tab, server):
    open_predict(tab, server)
    upload(tab, "Mustermann_Max.dcm", PHANTOM.dicom())
    expect(tab.get_by_text("Uploaded image: 512×512")).to_be_visible()
    settled(tab)
    with tab.expect_download() as waiting:
        tab.get_by_role("button", name="Overlay (PNG)").click()
    assert "Mustermann" not in waiting.value.suggested_filename
    picture = np.asarray(Image.open(io.BytesIO(waiting.value.path().read_bytes())))
    assert picture.shape == (512, 512, 3) and (picture[..., 0] != picture[..., 1]).any()
    with tab.expect_download() as waiting:
        tab.get_by_role("button", name="Result (JSON)").click()
    text = waiting.value.path().read_text()
    values = json.loads(text)
    assert values["class"] in values["probabilities"] and "Mustermann" not in text and "Synthetic^Phantom" not in text


def test_a_bad_file_leaves_the_result_on_screen(tab, server, screenshots):
    open_predict(tab, server)
    upload(tab, "words.png", b"these are words")
    expect(tab.get_by_text("The content is not an image")).to_be_visible()
    expect(maps(tab)).to_be_visible()
    settled(tab)
    tab.screenshot(path=screenshots / "bad-file-1440.png")


@pytest.mark.parametrize("where", ["", "Predict"])
def test_a_narrow_screen_has_no_sideways_scroll(tab, server, screenshots, where):
    tab.set_viewport_size({"width": 390, "height": 2400})
    tab.goto(f"{server}/{where}")
    expect(tab.locator("h1")).to_be_visible()
    if where:
        expect(maps(tab)).to_be_visible()
    settled(tab)
    tab.screenshot(path=screenshots / f"{where.lower() or 'home'}-390.png")
    assert tab.evaluate("document.scrollingElement.scrollWidth <= window.innerWidth + 1")


def test_a_link_opens_the_same_view_elsewhere(tab, browser, server):
    open_predict(tab, server, "?model=chest-efficientnet-lite0-gate&method=attention&example=no-lesion.png")
    expect(tab.get_by_text("Example no lesion")).to_be_visible()
    expect(tab.get_by_text("Attention map:", exact=False).first).to_be_attached()
    assert "Mustermann" not in tab.url


def test_the_trust_panel_fills_and_its_slower_checks_run(tab, server, screenshots, capsys):
    start = time.perf_counter()
    tab.goto(f"{server}/Predict?panel=trust")
    expect(tab.locator(".st-key-check_partner")).to_be_visible()
    with capsys.disabled():
        print(f"\nlink to the last of the cheap trust checks on screen: {time.perf_counter() - start:.2f} s")
    for name in ("faithfulness", "anatomy", "agreement", "stability"):
        expect(tab.locator(f".st-key-check_{name}")).to_contain_text("control")
    tab.get_by_role("button", name="Run the slower checks").click()
    expect(tab.locator(".st-key-check_sanity")).to_contain_text("control")
    settled(tab)
    tab.set_viewport_size({"width": 1440, "height": 2900})
    tab.screenshot(path=screenshots / "trust-1440.png")


def lasso(page: Page, key: str, share: float) -> None:
    """Draw a circle around a place at the middle height of the picture."""
    area = page.locator(f'[class*="st-key-{key}_"] .nsewdrag').first
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    x, y, radius = box["x"] + share * box["width"], box["y"] + 0.45 * box["height"], 0.12 * box["width"]
    page.mouse.move(x + radius, y)
    page.mouse.down()
    for step in range(1, 25):
        page.mouse.move(x + radius * np.cos(step * np.pi / 12), y + radius * np.sin(step * np.pi / 12))
    page.mouse.up()


def test_a_region_is_erased_with_the_mouse(tab, server, screenshots):
    open_predict(tab, server, "?panel=erase")
    lasso(tab, "erase", 0.3)
    expect(tab.locator("[data-testid=stMetric]")).to_have_count(4)
    settled(tab)
    tab.screenshot(path=screenshots / "erase-1440.png")


def test_draw_first_then_reveal(tab, server, screenshots):
    tab.goto(f"{server}/Predict?panel=draw")
    expect(tab.get_by_text("The map is hidden until")).to_be_visible()
    assert tab.locator(MAPS).count() == 0
    lasso(tab, "contour", 0.3)
    toggle = tab.locator(".st-key-contour_reveal label")
    toggle.click()
    expect(tab.locator(".st-key-check_localisation")).to_contain_text("inside the contour")
    expect(maps(tab)).to_be_visible()
    settled(tab)
    tab.screenshot(path=screenshots / "draw-1440.png")


def test_methods_by_classes_and_nearest_cases(tab, server, screenshots):
    open_predict(tab, server, "?panel=methods")
    expect(tab.locator("[data-testid=stImage] img")).to_have_count(17)
    settled(tab)
    tab.set_viewport_size({"width": 1440, "height": 3600})
    tab.screenshot(path=screenshots / "methods-1440.png")
    open_predict(tab, server, "?panel=nearest")
    expect(tab.get_by_text("distance 0").first).to_be_visible()
