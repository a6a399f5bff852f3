import numpy as np
import pydicom
import pytest

from lungcad.datasets.phantoms.examples import EXAMPLES as WITH_CONTOUR
from lungcad.errors import ImageError
from lungcad.imaging import read_image
from lungcad.imaging.phantom import EXAMPLES, LUNG, Edge, Lesion, make_phantom, write_examples


def test_same_seed_same_slice_other_seed_another():
    one, same, other = make_phantom(4, size=96), make_phantom(4, size=96), make_phantom(5, size=96)
    np.testing.assert_array_equal(one.hu, same.hu)
    assert np.abs(one.hu - other.hu).max() > 100
    assert one.png() == same.png() and one.dicom() == same.dicom()


def test_tissues_have_their_hounsfield_units():
    phantom = make_phantom(6, size=512)
    assert abs(np.median(phantom.hu[phantom.lungs]) - LUNG) < 40
    assert abs(np.median(phantom.hu[:10, :10]) + 1000) < 15
    assert phantom.hu.max() > 500 and 0.08 < phantom.lungs.mean() < 0.25


@pytest.mark.parametrize("edge", list(Edge))
def test_lesion_lies_where_it_was_put(edge):
    phantom = make_phantom(6, size=256, lesion=Lesion((-10.0, -78.0), 30.0, edge))
    rows, columns = np.nonzero(phantom.lesion)
    centre = ((rows.mean() + 0.5) * phantom.spacing_mm - 200, (columns.mean() + 0.5) * phantom.spacing_mm - 200)
    assert np.hypot(centre[0] + 10, centre[1] + 78) < 4
    area = phantom.lesion.sum() * phantom.spacing_mm**2
    assert 0.8 < area / (np.pi * 15**2) < (1.25 if edge is Edge.SMOOTH else 3)
    assert np.median(phantom.hu[phantom.lesion]) > -50


def test_a_lesion_outside_the_lungs_is_refused():
    with pytest.raises(ImageError, match="not inside a lung"):
        make_phantom(6, size=96, lesion=Lesion((0.0, 0.0), 20.0))


def test_written_files_are_marked_synthetic_and_valid(tmp_path):
    write_examples(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(EXAMPLES)
    for path in tmp_path.iterdir():
        assert read_image(path).provenance.synthetic
    dataset = pydicom.dcmread(next(tmp_path.glob("*.dcm")))
    assert dataset.SOPClassUID.name == "CT Image Storage" and "Synthetic" in str(dataset.PatientName)


def test_the_committed_examples_are_these():
    from pathlib import Path

    folder = Path(__file__).resolve().parents[2] / "data" / "examples"
    files = [path for path in folder.iterdir() if path.is_file()]
    assert {path.name for path in files} == set(EXAMPLES) | set(WITH_CONTOUR)
    assert all(read_image(path).provenance.synthetic for path in files)
