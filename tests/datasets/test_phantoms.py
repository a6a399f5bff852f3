"""Synthetic patients: the same seed, the same files; contours and planted shortcuts are exact; nothing but the lesion tells the classes apart."""

import numpy as np
import pytest
from PIL import Image

from lungcad.datasets import PHANTOMS, Split
from lungcad.datasets.phantoms import SHORTCUTS, make_phantoms
from lungcad.datasets.phantoms.draw import Place, draw_patient
from lungcad.datasets.phantoms.make import plan, render
from lungcad.errors import DatasetError, UnknownNameError
from lungcad.imaging import read_image

SIZE = 96


@pytest.fixture(scope="module")
def biased(tmp_path_factory):
    return make_phantoms(tmp_path_factory.mktemp("phantoms") / "marker", 48, shortcut="marker", size=SIZE)


def test_a_set_reads_back_as_a_data_set(biased):
    cases = PHANTOMS.read(biased)
    assert len(cases) == 48 and {case.split for case in cases} == set(Split) and len({case.group for case in cases}) == 48
    assert {case.label for case in PHANTOMS.read(biased, "edge")} == {"none", "smooth", "spiculated"}
    for case in cases:
        image = read_image(case.path)
        assert image.shape == (SIZE, SIZE) and image.provenance.synthetic
        assert (case.mask is not None) == (case.label == "lesion")
        if case.mask:
            assert (np.asarray(Image.open(case.mask)) > 0).sum() == case.facts["lesion_px"]


def test_the_same_arguments_give_the_same_files(tmp_path, biased):
    again = make_phantoms(tmp_path / "again", 48, shortcut="marker", size=SIZE)
    files = sorted(path.relative_to(biased) for path in biased.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(again) for path in again.rglob("*") if path.is_file())
    assert all((biased / name).read_bytes() == (again / name).read_bytes() for name in files)
    other = make_phantoms(tmp_path / "other", 24, seed=1, size=SIZE)
    assert not {case.group for case in PHANTOMS.read(other)} & {case.group for case in PHANTOMS.read(biased)}


def test_a_biased_set_has_its_shortcut_in_one_class():
    planned = plan(4000, biased=True)
    for with_lesion, share in ((True, 0.95), (False, 0.05)):
        carries = [case.carries for case in planned if (case.label != "none") == with_lesion]
        assert np.mean(carries) == pytest.approx(share, abs=0.02)
    assert not any(case.carries for case in plan(100))


def test_nothing_but_the_lesion_tells_the_classes_apart():
    """How the slice is taken, the body and the scars are drawn alike with and without a lesion."""
    patients = [draw_patient(seed, label) for seed in range(40) for label in ("none", "spiculated")]
    for without, with_lesion in zip(patients[::2], patients[1::2], strict=True):
        assert (without.body, without.scars, without.acquisition) == (with_lesion.body, with_lesion.scars, with_lesion.acquisition)


def test_lesions_are_of_every_size_place_and_density_and_lie_in_the_lungs():
    patients = [draw_patient(seed, "smooth") for seed in range(60)]
    diameters = [patient.lesion.diameter_mm for patient in patients]
    assert min(diameters) < 6 and max(diameters) > 30 and {patient.place for patient in patients} == set(Place)
    assert min(patient.contrast_hu for patient in patients) < 400 and max(patient.contrast_hu for patient in patients) > 850
    for patient in patients[:8]:
        phantom = patient.phantom(256)
        assert phantom.lesion.any() and phantom.lungs[phantom.lesion].mean() > 0.95


@pytest.mark.parametrize("name", SHORTCUTS)
def test_a_shortcut_changes_the_pixels_it_names_and_no_other(name):
    patient = draw_patient(3, "smooth")
    without, with_shortcut = render(patient, 192), render(patient, 192, SHORTCUTS[name])
    changed = without.grey != with_shortcut.grey
    assert changed.any()
    if SHORTCUTS[name].has_place:
        assert not (changed & ~with_shortcut.shortcut).any() and with_shortcut.shortcut.mean() < 0.1
        assert not (with_shortcut.shortcut & without.lungs).any()
    else:
        assert with_shortcut.shortcut is None and changed.mean() > 0.5


def test_the_slice_without_its_lesion_differs_nowhere_else():
    patient = draw_patient(5, "spiculated")
    with_lesion, without = render(patient, 192), render(patient, 192, lesion=False)
    changed = np.argwhere(with_lesion.grey != without.grey)
    middle = np.argwhere(with_lesion.lesion).mean(0)
    reach = 1.2 * patient.lesion.diameter_mm / (patient.acquisition.field_of_view_mm / 192) + 8
    assert len(changed) and np.hypot(*(changed - middle).T).max() < reach and not without.lesion.any()


def test_what_cannot_be_made_is_said(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "note.txt").write_text("mine")
    with pytest.raises(DatasetError, match="not empty"):
        make_phantoms(tmp_path / "full", 24)
    with pytest.raises(DatasetError, match="too few"):
        make_phantoms(tmp_path / "few", 5)
    with pytest.raises(UnknownNameError, match="marker"):
        make_phantoms(tmp_path / "odd", 24, shortcut="halo")
