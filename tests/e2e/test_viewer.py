"""The viewer in Chromium, on a page of its own and on Predict: what it draws, says and sends."""

import io

import cv2
import matplotlib
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.e2e.viewer_page import COLUMNS, FIRST, ROWS, at, of_viewer, readout, settings


def expected_maps() -> tuple[np.ndarray, np.ndarray]:
    """Both maps on the image's grid, by OpenCV, from the same random numbers as viewer_app.py."""
    rng = np.random.default_rng(0)
    grids = rng.normal(size=(7, 5)).astype(np.float32), rng.random((7, 5)).astype(np.float32)
    found = []
    for grid, (top, left, bottom, right) in zip(grids, ((10, 20, 190, 280), (-10, 20, 190, 310)), strict=True):
        whole = np.zeros((ROWS + 40, COLUMNS + 40), np.float32)
        whole[top + 20 : bottom + 20, left + 20 : right + 20] = cv2.resize(
            grid, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR
        )
        found.append(whole[20:-20, 20:-20])
    return found[0], found[1]


@pytest.mark.parametrize(("column", "row"), [(25, 15), (100, 60), (271, 180), (150, 99)])
def test_position_hu_and_map_under_the_pointer(shown, column, row):
    signed, positive = expected_maps()
    shown.mouse.move(*at(shown, FIRST, column, row))
    expect(shown.locator(".st-key-pair .readout").first).to_contain_text(f"column {column}, row {row}")
    hu = column * 4 - 1000 + row
    across, down = (float(each) for each in readout(shown).split(" · ")[1].removesuffix(" mm").split(", "))
    assert (across, down) == pytest.approx(((column + 0.5) * 0.5, row + 0.5), abs=0.051)
    assert f"{hu} HU".replace("-", "−") in readout(shown) and f"{hu} HU".replace("-", "−") in readout(shown, 1)
    for pane, values in enumerate((signed, positive)):
        says = float(readout(shown, pane).rsplit("map ", 1)[1].replace("−", "-"))
        assert says == pytest.approx(values[row, column], rel=0.006, abs=1e-6)


def test_outside_the_box_nothing_was_seen(shown):
    shown.mouse.move(*at(shown, FIRST, 5, 100))
    expect(shown.locator(".st-key-pair .readout").first).to_contain_text("not seen by the network")


def test_nothing_is_sent_while_anything_moves(shown):
    """Opacity, threshold, window, zoom, pan, cells, side and colours change what is drawn, and the server hears nothing."""
    before, start = len(shown.frames_sent), settings(shown)
    shown.locator(".st-key-pair canvas").first.focus()
    for key in ("]", "]", ".", "x", "e", "k", "w", "l", "+", "+", "ArrowLeft", "ArrowUp", "h", "h", "r"):
        shown.keyboard.press(key)
    x, y = at(shown, FIRST, 150, 100)
    shown.mouse.move(x, y)
    shown.mouse.wheel(0, -300)
    shown.mouse.down(button="right")
    shown.mouse.move(x + 40, y + 30, steps=5)
    shown.mouse.up(button="right")
    shown.locator(".st-key-pair input[type=range]").first.fill("0.8")
    shown.locator(".st-key-pair select").first.select_option("bone")
    shown.wait_for_function("() => location.search.includes('window=bone') && location.search.includes('opacity=0.8')")
    now = settings(shown)
    assert now["opacity"] == 0.8 and now["threshold"] == 0.25 and now["cells"] and now["side"] == "for" and now["zoom"] > 1.5
    assert now["window"]["name"] == "bone" and now["signedColours"] != start["signedColours"] and now["mode"] == "ruler"
    assert len(shown.frames_sent) == before and "runs: 1" in shown.locator("[data-testid=stText]").first.inner_text()


def test_settings_survive_a_rerun_and_a_new_image_resets_the_zoom(shown):
    shown.locator(".st-key-pair canvas").first.focus()
    for key in ("]", "+", "+"):
        shown.keyboard.press(key)
    assert settings(shown)["zoom"] > 1.5
    shown.locator(".st-key-another label").click()
    expect(shown.locator("[data-testid=stText]").first).to_have_text("runs: 2")
    shown.wait_for_function("() => document.querySelector('.st-key-pair .stBidiComponent div[data-testid]').shadowRoot"
                            ".querySelector('.viewer').lungcadViewer.view.zoom === 1")  # fmt: skip
    assert settings(shown)["opacity"] == 0.55


def test_a_drawn_region_comes_back_in_image_pixels_and_a_click_draws_nothing(shown):
    x, y = at(shown, FIRST, 60, 60)
    shown.mouse.click(x, y)
    expect(shown.locator("[data-testid=stText]").first).to_have_text("runs: 1")
    shown.mouse.move(*at(shown, FIRST, 60, 60))
    shown.mouse.down()
    for corner in ((160, 60), (160, 120), (60, 120)):
        shown.mouse.move(*at(shown, FIRST, *corner), steps=8)
    shown.mouse.up()
    text = shown.get_by_text("drawn:")
    expect(text).to_contain_text("pixels")
    n = int(text.inner_text().split()[1])
    assert n == pytest.approx(101 * 61, rel=0.03)


def test_the_ruler_measures_millimetres(shown):
    shown.get_by_role("button", name="Ruler").first.click()
    shown.mouse.move(*at(shown, FIRST, 100, 50))
    shown.mouse.down()
    shown.mouse.move(*at(shown, FIRST, 160, 90), steps=4)
    shown.mouse.up()
    length = shown.evaluate("""() => { const v = document.querySelector('.st-key-pair .stBidiComponent div[data-testid]').shadowRoot
        .querySelector('.viewer').lungcadViewer; const p = v.panes[0];
        return p.length(p.ofShare(v.ruler.from), p.ofShare(v.ruler.to)) }""")
    assert float(length.split()[0]) == pytest.approx(np.hypot(60 * 0.5, 40.0), abs=0.6) and length.endswith("mm")


def test_a_saved_picture_is_what_is_shown_with_its_texts(shown):
    with shown.expect_download() as waiting:
        shown.locator(".st-key-colour").get_by_role("button", name="Save PNG").click()
    picture = Image.open(io.BytesIO(waiting.value.path().read_bytes()))
    assert np.array_equal(np.asarray(picture.convert("RGB")), np.tile(np.uint8([200, 40, 120]), (64, 64, 1)))
    with shown.expect_download() as waiting:
        shown.locator(".st-key-pair").get_by_role("button", name="Save PNG").click()
    picture = Image.open(io.BytesIO(waiting.value.path().read_bytes()))
    assert picture.size == (COLUMNS, ROWS) and picture.text["Network"] == "näive" and picture.text["Map"] == "Signed"
    grey = np.asarray(picture.convert("RGB"))[100, 5]  # outside the map's box: the lung window alone
    wanted = 255 * (5 * 4 - 1000 + 100 + 1350) / 1500
    assert np.abs(grey - wanted).max() <= 1


def test_the_picture_is_described_in_words(shown):
    words = shown.locator(".st-key-pair canvas").first.get_attribute("aria-label")
    signed, _ = expected_maps()
    row, column = np.unravel_index(np.abs(signed).argmax(), signed.shape)
    assert f"column {column}, row {row}" in words and "Outlined: a square" in words


def test_panes_stand_under_each_other_where_there_is_no_room(shown):
    shown.set_viewport_size({"width": 390, "height": 1500})
    shown.wait_for_function("() => { const c = [...document.querySelector('.st-key-pair .stBidiComponent div[data-testid]').shadowRoot"
                            ".querySelectorAll('.stage canvas')].map(e => e.getBoundingClientRect());"
                            "return c[1].top > c[0].bottom && c[0].width > 330 }")  # fmt: skip
    assert shown.evaluate("document.scrollingElement.scrollWidth <= window.innerWidth + 1")


def test_three_panes_move_together_on_one_scale(shown):
    panes = shown.locator(".st-key-three .stage canvas")
    expect(panes).to_have_count(3)
    panes.nth(1).scroll_into_view_if_needed()
    box = panes.nth(1).bounding_box()
    shown.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.4 * box["height"])
    shown.mouse.wheel(0, -400)
    shown.mouse.down()
    shown.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.5 * box["height"], steps=4)
    shown.mouse.up()
    corners = of_viewer(shown, "three", "v.panes.map(p => [...p.toImage([0, 0]), ...p.toImage([p.width, p.height])])")
    assert corners[0] == pytest.approx(corners[1]) and corners[0] == pytest.approx(corners[2])
    assert of_viewer(shown, "three", "v.view.zoom") > 1.4
    places = [text.split(" · ")[0] for text in shown.locator(".st-key-three .readout").all_inner_texts()]
    assert len(set(places)) == 1 and places[0].startswith("column")
    expect(shown.locator(".st-key-three .scale")).to_have_count(1)
    assert of_viewer(shown, "three", "v.scales().map(s => [s.low, s.high])") == [[0, 1]]
    peaks = of_viewer(
        shown, "three", "v.panes.map(p => Array.from(v.mapLayer(p.map()).getContext('2d').getImageData(150, 100, 1, 1).data))"
    )
    table = np.round(255 * matplotlib.colormaps["viridis"]([64, 128, 255])[:, :3])
    np.testing.assert_allclose(np.array(peaks)[:, :3], table, atol=1)  # a quarter, a half and all of the one scale


def test_pixels_that_are_not_square_keep_their_proportions(shown):
    """Of a file that tells the proportions alone: on screen, under the ruler, and in the saved file."""
    corners = of_viewer(shown, "flat", "[...v.panes[0].toScreen([0, 0]), ...v.panes[0].toScreen([100, 60])]")
    assert (corners[3] - corners[1]) / (corners[2] - corners[0]) == pytest.approx(60 * 2.5 / 100)
    assert of_viewer(shown, "flat", "v.panes[0].length([10, 10], [10, 14])") == "10.0 px"
    expect(shown.locator(".st-key-flat .readout")).to_contain_text("2.5 times as high as wide")
    with shown.expect_download() as waiting:
        shown.locator(".st-key-flat").get_by_role("button", name="Save PNG").click()
    saved = Image.open(waiting.value.path())
    assert saved.size == (100, 60) and saved.info["aspect"][0] / saved.info["aspect"][1] == pytest.approx(2.5)


def test_a_saved_picture_knows_its_millimetres(shown):
    with shown.expect_download() as waiting:
        shown.locator(".st-key-pair").get_by_role("button", name="Save PNG").click()
    across, down = (25.4 / each for each in Image.open(waiting.value.path()).info["dpi"])
    assert (across, down) == pytest.approx((0.5, 1.0), rel=1e-3)
