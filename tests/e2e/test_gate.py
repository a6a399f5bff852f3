"""What a photograph, a phantom, a localizer and a prone slice look like on Predict, at both widths and in both schemes."""

import io

import numpy as np
import pydicom
import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from skimage import data as pictures

from lungcad.imaging.phantom import make_phantom
from tests.e2e.conftest import save_screenshot
from tests.e2e.test_browser import MAPS, settled, upload
from tests.imaging.encodings import saved

expect.set_options(timeout=90_000)
SHOW, HIDE = "Show anyway", "Hide the answer"
MODEL = "chest-efficientnet-lite0-gate"


def photograph() -> bytes:
    file = io.BytesIO()
    Image.fromarray(pictures.astronaut()).save(file, "PNG")
    return file.getvalue()


def localizer() -> bytes:
    dataset = pydicom.dcmread(io.BytesIO(make_phantom(7).dicom()))
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    return saved(dataset)


def prone() -> bytes:
    dataset = pydicom.dcmread(io.BytesIO(make_phantom(7).dicom()))
    dataset.PixelData = np.rot90(dataset.pixel_array, 2).astype("<u2").tobytes()
    dataset.ImageOrientationPatient = [-1, 0, 0, 0, -1, 0]
    return saved(dataset)


@pytest.fixture(
    params=[(1440, 900, "light"), (1440, 900, "dark"), (390, 844, "light"), (390, 844, "dark")], ids=lambda each: f"{each[0]}-{each[2]}"
)
def opened(request, browser, server, screenshots):
    """(a page, a function that keeps a screenshot under a name)."""
    width, height, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = context.new_page()
    page.set_default_timeout(90_000)

    def keep(name: str) -> None:
        settled(page)
        page.locator(MAPS).first.wait_for()
        save_screenshot(page, screenshots / f"gate-{name}-{width}-{scheme}.webp")
        assert page.evaluate("document.scrollingElement.scrollWidth <= window.innerWidth + 1")

    yield page, keep
    context.close()


def fresh(page: Page, server: str, data: bytes | None = None) -> None:
    """Predict in a new session, with its example or with this file."""
    page.goto(f"{server}/Predict?model={MODEL}&example=large-spiculated-lesion.png&panel=erase")
    expect(page.locator(MAPS).first).to_be_visible()
    settled(page)
    if data is not None:
        upload(page, "slice", data)
        expect(page.get_by_text("Uploaded image:")).to_be_attached()
        settled(page)


def test_declined_and_shown_all_the_same(opened, server):
    page, keep = opened
    fresh(page, server)
    keep("phantom")
    fresh(page, server, photograph())
    expect(page.locator(".st-key-class h2")).to_have_text("No answer")
    expect(page.get_by_text("coloured", exact=False).first).to_be_visible()
    expect(page.locator(".st-key-bars table")).to_have_count(0)
    keep("photograph")
    page.get_by_role("button", name=SHOW).click()
    expect(page.get_by_text("do not believe this answer")).to_be_visible()
    expect(page.locator(".st-key-bars table")).to_be_visible()
    keep("photograph-shown")
    fresh(page, server, localizer())
    expect(page.locator(".st-key-class h2")).to_have_text("No answer")
    expect(page.get_by_text("localizer (scout view)").first).to_be_visible()
    keep("localizer")
    fresh(page, server, prone())
    expect(page.get_by_text("it was turned to the usual view").first).to_be_attached()
    keep("prone")


def test_an_override_goes_into_the_saved_picture(tab, server):
    fresh(tab, server, photograph())

    def saved_picture() -> Image.Image:
        with tab.expect_download() as waiting:
            tab.get_by_role("button", name="Save PNG").click()
        return Image.open(io.BytesIO(waiting.value.path().read_bytes()))

    expect(tab.get_by_role("button", name=SHOW)).to_be_visible()
    bare = saved_picture()
    assert "the answer is hidden" in bare.text["Gate"] and "Map" not in bare.text and "Answer" not in bare.text
    tab.get_by_role("button", name=SHOW).click()
    expect(tab.get_by_role("button", name=HIDE)).to_be_visible()
    tab.wait_for_function(
        "() => document.querySelector('.st-key-maps .stBidiComponent div[data-testid]').shadowRoot.querySelector('.viewer').lungcadViewer.shownMaps().length > 0"
    )
    settled(tab)
    overridden = saved_picture()
    assert "shown all the same" in overridden.text["Gate"] and "Grad-CAM" in overridden.text["Map"]
    corner = np.asarray(overridden.convert("RGB"))[2:22, 4:180].astype(int)
    assert np.abs(corner - np.asarray(bare.convert("RGB"))[2:22, 4:180]).max() > 100  # the words stand in the picture itself
    assert "anyway" not in tab.url
    upload(tab, "another", localizer())
    expect(tab.get_by_text("Uploaded image 2 of 2")).to_be_visible()
    expect(tab.get_by_role("button", name=SHOW)).to_be_visible()
