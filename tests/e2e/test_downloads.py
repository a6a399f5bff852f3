"""The files that only a browser can offer: Streamlit's CSV of each table, and the viewer's PNG, each compared with what is on screen."""

import base64
import csv
import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from lungcad.app.components.text import class_label
from tests.e2e.test_browser import VIEWER, open_predict, settled

TABLES = {
    "": 1,
    "Metrics?runs=chest-resnet18": 2,
    "Metrics?runs=chest-resnet18&section=Classes": 2,
    "Metrics?runs=chest-resnet18&section=Slices": 2,
    "Compare?view=runs&first=chest-resnet18&second=chest-resnet18-cbam": 2,
    "Datasets?dataset=chest-ct-scan": 2,
}
"""Link -> how many tables stand there at least."""
CELLS = """table => [...table.querySelectorAll('canvas tr')].map(row =>
    Object.fromEntries([...row.querySelectorAll('th, td')].map(cell => [+cell.getAttribute('aria-colindex'), cell.textContent])))"""
"""The cells on screen by column, as a screen reader finds them: the first row is the head."""


@pytest.mark.parametrize("where", TABLES)
def test_the_csv_of_a_table_is_the_table(tab, server, where):
    tab.set_viewport_size({"width": 1900, "height": 3000})
    tab.add_init_script("delete window.showSaveFilePicker")  # else the browser asks where to save
    tab.goto(f"{server}/{where}")
    tables = tab.locator("[data-testid=stDataFrame]", has=tab.locator("canvas"))
    expect(tables.nth(TABLES[where] - 1)).to_be_visible()
    settled(tab)
    for index in range(tables.count()):
        expect(tables.nth(index).locator("canvas tr").nth(1)).to_be_attached()  # its text comes after its picture
        shown, saved = tables.nth(index).evaluate(CELLS), saved_table(tab, tables.nth(index))
        head = {column: text for column, text in shown[0].items() if text}
        assert len(shown) > 1 and len(head) > 1
        names = saved[0]
        offset = len(names) - max(map(int, shown[0]))  # a row's own name, or its box, has no head
        for row, cells in zip(saved[1:], shown[1:], strict=False):
            for column, text in head.items():
                assert class_label(names[int(column) - 1 + offset]) == text
                assert same(row[int(column) - 1 + offset], cells[column]), (text, row, cells)


def saved_table(page: Page, table: Locator) -> list[list[str]]:
    table.hover()
    around = table.locator("xpath=ancestor::*[@data-testid='stElementContainer'][1]")
    with page.expect_download() as waiting:
        around.get_by_role("button", name="Download as CSV").first.dispatch_event("click")
    return list(csv.reader(io.StringIO(waiting.value.path().read_text(encoding="utf-8-sig"))))


def same(saved: str, shown: str) -> bool:
    """The same text, or the same number as far as it is written out on screen."""
    if saved == shown or (saved in ("", "None") and shown in ("", "None")):
        return True
    try:
        return abs(float(saved) - float(shown)) <= 0.5000001 * 10 ** -len(shown.partition(".")[2])
    except ValueError:
        return False


def test_the_saved_picture_is_the_picture_on_screen(tab, server):
    """Slice under its map at the usual opacity and threshold; the canvas is scaled to the file's 512 pixels."""
    open_predict(tab, server, "?model=chest-efficientnet-lite0&example=spiculated-lesion.dcm")
    with tab.expect_download() as waiting:
        tab.get_by_role("button", name="Save PNG").click()
    saved = Image.open(waiting.value.path()).convert("RGB")
    canvas = tab.evaluate_handle(f"{VIEWER}.panes[0].canvas")
    painted = Image.open(io.BytesIO(_bytes(canvas.evaluate("canvas => canvas.toDataURL('image/png')")))).convert("RGB")
    side = min(painted.size)
    left = (painted.width - side) // 2
    screen = np.asarray(painted.crop((left, 0, left + side, side)).resize(saved.size, Image.Resampling.BOX), dtype=float)
    apart = np.abs(screen - np.asarray(saved, dtype=float)).mean(axis=2)
    assert saved.size == (512, 512) and np.median(apart) < 3 and (apart > 40).mean() < 0.03  # the scale bar, and edges
    assert (np.ptp(np.asarray(saved), axis=2) > 30).mean() > 0.02  # the map is in it


def _bytes(address: str) -> bytes:
    return base64.b64decode(address.partition(",")[2])
