"""One's own images in the Lab: what is left of them without their lungs."""

import shutil

import pytest
from streamlit.testing.v1 import AppTest

from lungcad.datasets import own
from lungcad.imaging.phantom import make_phantom
from lungcad.train import known_without
from tests.app.lab_page import join, page, words


@pytest.fixture
def slices_of_two_classes(tmp_path):
    for index in range(24):
        folder = tmp_path / "mine" / ("first" if index % 2 else "second")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{index}.png").write_bytes(make_phantom(index, size=128).png())
    return tmp_path / "mine"


def measured_own_folder(folder) -> AppTest:
    opened = page()
    opened.toggle(key="lab_own").set_value(True).run()
    opened.text_input(key="own_folder").set_value(str(folder)).run()
    opened.button(key="without_lungs_start").click().run()
    join()
    return opened.run()


def test_ones_own_folder_of_any_classes_is_measured_without_the_lungs(lab, slices_of_two_classes, monkeypatch):
    monkeypatch.setattr(own, "by_neighbours", lambda cases, prints: [case.id for case in cases])  # phantoms look like copies of each other
    monkeypatch.setattr(known_without, "_embedded", lambda backbone, grey, config: grey.reshape(len(grey), -1)[:, ::1000])
    opened = measured_own_folder(slices_of_two_classes)
    assert not opened.exception and not opened.error
    assert "Shown no lung at all" in words(opened) and str(slices_of_two_classes) not in str(opened.query_params)
    table = next(each.value for each in opened.dataframe if "what is seen" in each.value.columns)
    assert list(table["what is seen"])[:2] == ["as it is", "without the lungs"] and {"recall first", "recall second"} <= set(table.columns)


def test_ones_own_folder_with_one_class_or_few_images_is_a_sentence(lab, slices_of_two_classes):
    for path in sorted((slices_of_two_classes / "first").iterdir())[3:]:
        path.unlink()
    opened = measured_own_folder(slices_of_two_classes)
    assert not opened.exception and "only 3 images of the class first" in words(opened)
    shutil.copytree(slices_of_two_classes / "second", slices_of_two_classes.parent / "one class" / "second")
    opened = measured_own_folder(slices_of_two_classes.parent / "one class")
    assert not opened.exception and "All images are of one class" in words(opened)
