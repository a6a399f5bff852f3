"""The page of viewers in Chromium: where a place of the picture lies, what the viewer says and holds."""

from playwright.sync_api import Page, expect

expect.set_options(timeout=60_000)
FIRST = ".st-key-pair .pane:nth-child(1) canvas"
ROWS, COLUMNS = 200, 300


def at(page: Page, selector: str, column: float, row: float) -> tuple[float, float]:
    """Where a place of the whole picture lies on screen: 1 mm between rows, 0.5 mm between columns, 400 CSS pixels high."""
    box = page.locator(selector).bounding_box()
    scale = min(box["width"] / (COLUMNS * 0.5), box["height"] / ROWS)
    x = box["x"] + box["width"] / 2 + (column + 0.5 - COLUMNS / 2) * 0.5 * scale
    return x, box["y"] + box["height"] / 2 + (row + 0.5 - ROWS / 2) * scale


def readout(page: Page, pane: int = 0) -> str:
    return page.locator(".st-key-pair .readout").nth(pane).inner_text()


def of_viewer(page: Page, key: str, expression: str):
    """Of the viewer ``v`` of that key."""
    return page.evaluate(f"() => {{ const v = document.querySelector('.st-key-{key} .stBidiComponent div[data-testid]').shadowRoot"
                         f".querySelector('.viewer').lungcadViewer; return {expression} }}")  # fmt: skip


def settings(page: Page) -> dict:
    return of_viewer(page, "pair", "({...v.settings, ...v.view})")
