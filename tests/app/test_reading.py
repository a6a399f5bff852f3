"""Which slice of a file is shown, and what its values are taken for: chosen on the page."""

import numpy as np
import pytest

from lungcad.imaging import Unit, read_image
from tests.app.pages import open_page
from tests.imaging.encodings import GREY, HU, encode, enhanced, saved, slice_

MODEL = "chest-efficientnet-lite0"


@pytest.fixture
def page(without_trust_checks):
    return open_page("1_Predict.py", panel="erase", model=MODEL, example="large-spiculated-lesion.png").run()


def upload(page, name: str, data: bytes):
    page.file_uploader[0].set_value([(name, data, "application/octet-stream")])
    return page.run()


def shown(page):
    return page.session_state["source"].image


def test_the_slice_of_a_file_with_several_is_said_and_chosen(page):
    data = saved(enhanced(4))
    assert not page.slider
    upload(page, "a.dcm", data)
    assert (
        not page.exception
        and shown(page).provenance.frame == 3
        and page.slider[0].label == "Slice of the file"
        and page.slider[0].value == 3
    )
    assert any(caption.value == "Slice 3 of 4 is shown." for caption in page.caption)
    page.slider[0].set_value(1).run()
    assert not page.exception and not page.error
    np.testing.assert_array_equal(shown(page).pixels, read_image(data, frame=1).pixels)
    assert any(caption.value == "Slice 1 of 4 is shown." for caption in page.caption)
    upload(page, "b.dcm", saved(enhanced(3)))
    assert page.slider[0].value == 2 and shown(page).provenance.frames == 3  # of another file, its own middle one


def test_what_the_values_are_can_be_overruled(page):
    upload(page, "a.png", encode((HU + 1024).astype(np.uint16)))
    assert not page.exception and shown(page).unit is Unit.HU
    control = next(each for each in page.selectbox if each.label == "Values are")
    assert control.value == "auto" and "Hounsfield units" in control.options[0]
    page.selectbox(key=control.key).select("grey").run()
    assert not page.exception and shown(page).unit is Unit.GREY and shown(page).provenance.reading == " as grey"
    page.selectbox(key=control.key).select("auto").run()
    assert shown(page).unit is Unit.HU
    upload(page, "b.png", encode(np.full((64, 64), 200, np.uint8)))
    assert not [each for each in page.selectbox if each.label == "Values are"]


@pytest.mark.parametrize(
    ("dataset", "is_offered"),
    [
        (lambda: slice_(), False),
        (lambda: slice_(RescaleIntercept=0), True),
        (lambda: slice_(RescaleSlope=None, RescaleIntercept=None), True),
        (lambda: slice_(RescaleType="OD"), True),
        (lambda: slice_(GREY, bits=8, allocated=8, RescaleIntercept=0, WindowCenter=None, WindowWidth=None), False),
    ],
    ids=["as it should be", "lost", "without a rescale", "another unit", "8 bits"],
)
def test_of_dicom_the_switch_is_offered_where_the_scale_is_in_doubt(dataset, is_offered):
    image = read_image(saved(dataset()))
    assert image.provenance.has_open_scale is is_offered
    again = read_image(saved(dataset()), scale="grey")
    assert again.provenance.has_open_scale and again.unit is Unit.GREY  # the way back


def test_the_scale_of_a_dicom_file_can_be_overruled(page):
    upload(page, "a.dcm", saved(slice_(RescaleType="OD")))
    assert not page.exception and shown(page).unit is Unit.GREY
    control = next(each for each in page.selectbox if each.label == "Values are")
    assert "grey picture" in control.options[0] and "air -1000" in control.help
    page.selectbox(key=control.key).select("hounsfield").run()
    assert not page.exception and shown(page).unit is Unit.HU
    np.testing.assert_array_equal(shown(page).pixels, HU)


def test_a_choice_that_cannot_be_is_said_and_the_image_stays(page):
    values = np.full((64, 64), 60000, np.uint16)
    values[::2] = 50000
    upload(page, "a.png", encode(values))
    before = shown(page)
    control = next(each for each in page.selectbox if each.label == "Values are")
    page.selectbox(key=control.key).select("hounsfield").run()
    assert not page.exception and any("Not one value of the image can be a Hounsfield unit" in each.value for each in page.error)
    assert shown(page) is before
