"""The viewer by keyboard and by touch."""

import pytest
from playwright.sync_api import expect

from tests.e2e.viewer_page import FIRST, at, of_viewer, settings


@pytest.mark.parametrize(
    ("key", "before", "after"),
    [("[", "v.settings.opacity", 0.45), ("]", "v.settings.opacity", 0.55), (",", "v.settings.threshold", 0.15), (".", "v.settings.threshold", 0.25),
     ("h", "v.settings.map", False), ("k", "v.settings.signedColours", "PuOr_r"), ("x", "v.settings.cells", True), ("e", "v.settings.side", "for"),
     ("2", "v.settings.window.name", "mediastinum"), ("w", "v.settings.window.width", 1500 + 25 * 3.75), ("Shift+W", "v.settings.window.width", 1500 - 25 * 3.75),
     ("l", "v.settings.window.level", -600 + 25 * 3.75), ("g", "v.settings.mode", "window"), ("r", "v.settings.mode", "ruler"), ("m", "v.settings.mode", "move"),
     ("?", "v.controls.list.hidden", False), ("Shift+ArrowRight", "Math.floor(v.panes[0].ofShare(v.cursor.share)[0])", 151),
     ("Shift+Alt+ArrowDown", "Math.floor(v.panes[0].ofShare(v.cursor.share)[1])", 110)],
)  # fmt: skip
def test_every_key_does_what_the_list_says(shown, key, before, after):
    shown.locator(FIRST).focus()
    start = None if "cursor" in before else of_viewer(shown, "pair", before)
    shown.keyboard.press(key)
    now = of_viewer(shown, "pair", before)
    assert now != start and (
        now == pytest.approx(after, abs=1) if isinstance(after, float | int) and not isinstance(after, bool) else now == after
    )


def test_zoom_and_reset_by_keyboard(shown):
    shown.locator(FIRST).focus()
    for key in ("+", "+", "ArrowLeft", "4", "w"):
        shown.keyboard.press(key)
    assert settings(shown)["zoom"] == pytest.approx(1.5625) and settings(shown)["x"] != 0.5
    shown.keyboard.press("-")
    assert settings(shown)["zoom"] == pytest.approx(1.25)
    shown.keyboard.press("0")
    now = settings(shown)
    assert (now["zoom"], now["x"], now["y"], now["window"]["name"]) == (1, 0.5, 0.5, "lung")


def test_ruler_and_region_by_keyboard(shown):
    shown.locator(FIRST).focus()
    for key in ("r", " ", *["Shift+Alt+ArrowRight"] * 4, " "):
        shown.keyboard.press(key)
    assert of_viewer(shown, "pair", "v.panes[0].length(v.panes[0].ofShare(v.ruler.from), v.panes[0].ofShare(v.ruler.to))") == "20.0 mm"
    shown.keyboard.press("Escape")
    assert of_viewer(shown, "pair", "v.ruler") is None
    for key in (
        "d",
        " ",
        *["Shift+Alt+ArrowRight"] * 2,
        " ",
        *["Shift+Alt+ArrowDown"] * 3,
        " ",
        *["Shift+Alt+ArrowRight"] * 3,
        " ",
        "Backspace",
        "Enter",
    ):
        shown.keyboard.press(key)
    text = shown.get_by_text("drawn:")
    expect(text).to_contain_text("pixels")
    assert int(text.inner_text().split()[1]) == pytest.approx(20 * 30 / 2, rel=0.15)  # a triangle: the fourth point was taken back
    shown.keyboard.press("Backspace")
    expect(text).to_contain_text("nothing")


def test_two_fingers_zoom_and_one_pans(shown):
    shown.locator(".st-key-pair").get_by_role("button", name="Move").click()
    devtools = shown.context.new_cdp_session(shown)
    devtools.send("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 5})
    x, y = at(shown, FIRST, 150, 100)

    def touch(kind: str, *fingers: tuple[float, float]) -> None:
        devtools.send(
            "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": a, "y": b, "id": i} for i, (a, b) in enumerate(fingers)]}
        )

    touch("touchStart", (x - 20, y), (x + 20, y))
    for apart in (30, 40, 50, 60):
        touch("touchMove", (x - apart, y), (x + apart, y))
    touch("touchEnd")
    assert settings(shown)["zoom"] == pytest.approx(3, rel=0.1) and settings(shown)["x"] == pytest.approx(0.5, abs=0.02)
    touch("touchStart", (x, y))
    for moved in (10, 20, 30):
        touch("touchMove", (x + moved, y + moved))
    touch("touchEnd")
    assert settings(shown)["x"] < 0.49 and settings(shown)["y"] < 0.49


def test_full_screen_and_back_by_keyboard(shown):
    shown.locator(FIRST).focus()
    before = shown.locator(FIRST).bounding_box()["height"]
    shown.keyboard.press("f")
    shown.wait_for_function("() => document.fullscreenElement !== null")
    shown.wait_for_function(
        "before => document.fullscreenElement.shadowRoot.querySelector('.stage canvas').clientHeight > 1.2 * before", arg=before
    )
    shown.keyboard.press("+")
    assert settings(shown)["zoom"] > 1
    shown.keyboard.press("f")
    shown.wait_for_function("() => document.fullscreenElement === null")
    expect(shown.locator(FIRST)).to_have_js_property("clientHeight", before)


def test_blink_hides_the_map_while_the_key_is_held(shown):
    shown.locator(".st-key-pair canvas").first.focus()
    shown.keyboard.down("b")
    expect(shown.locator(".st-key-pair .note").first).to_have_text("map hidden")
    shown.keyboard.up("b")
    expect(shown.locator(".st-key-pair .note").first).to_be_empty()
