"""NIfTI files of every kind of bad: turned, leaning, contradicting themselves, claiming more than they hold."""

import gzip
import itertools
import tracemalloc
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from lungcad.errors import LungcadError
from lungcad.imaging.volume import read_volume
from lungcad.imaging.volume.nifti import load_nifti

TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def nifti(hu, affine_lps) -> bytes:
    image = nib.Nifti1Image(np.transpose(hu), TO_RAS @ affine_lps[:, [2, 1, 0, 3]])
    return image.to_bytes()


@pytest.mark.parametrize("reverse", list(itertools.product([False, True], repeat=3)))
def test_nifti_is_turned_by_its_own_affine(chest, tmp_path, reverse):
    volume = chest.volume
    back = tuple(slice(None, None, -1 if flip else 1) for flip in reverse)
    affine = volume.affine.copy()
    for axis, flip in enumerate(reverse):
        if flip:
            affine[:3, 3] += affine[:3, axis] * (volume.shape[axis] - 1)
            affine[:3, axis] *= -1
    path = tmp_path / "volume.nii.gz"
    path.write_bytes(gzip.compress(nifti(volume.hu[back], affine)))
    read = read_volume(path)
    np.testing.assert_array_equal(read.hu, volume.hu)
    np.testing.assert_allclose(read.affine, volume.affine, atol=1e-4)


def test_nifti_stored_sagittally(chest, tmp_path):
    volume = chest.volume
    image = nib.Nifti1Image(np.moveaxis(np.transpose(volume.hu), 0, 2), (TO_RAS @ volume.affine[:, [2, 1, 0, 3]])[:, [1, 2, 0, 3]])
    nib.save(image, tmp_path / "sagittal.nii")
    np.testing.assert_array_equal(read_volume(tmp_path / "sagittal.nii").hu, volume.hu)


@pytest.mark.parametrize(("unit", "mm"), [("meter", 1000), ("micron", 0.001), ("mm", 1), ("unknown", 1)])
def test_nifti_in_other_units_than_millimetres(chest, tmp_path, unit, mm):
    affine = TO_RAS @ chest.volume.affine[:, [2, 1, 0, 3]]
    affine[:3] /= mm
    image = nib.Nifti1Image(np.transpose(chest.volume.hu), affine)
    image.header.set_xyzt_units(unit)
    nib.save(image, tmp_path / "volume.nii")
    read = read_volume(tmp_path / "volume.nii")
    np.testing.assert_allclose(read.affine, chest.volume.affine, rtol=1e-4, atol=1e-3)
    assert not read.warnings


def test_nifti_whose_two_orientations_contradict_each_other(chest, tmp_path):
    affine = TO_RAS @ chest.volume.affine[:, [2, 1, 0, 3]]
    image = nib.Nifti1Image(np.transpose(chest.volume.hu), affine)
    for mirrored in (False, True):
        image.set_sform(affine, 1)
        image.set_qform(affine @ np.diag([-1.0 if mirrored else 1.0, 1, 1, 1]), 1)
        nib.save(image, tmp_path / "volume.nii")
        read = read_volume(tmp_path / "volume.nii")
        np.testing.assert_array_equal(read.hu, chest.volume.hu)
        assert any("contradict each other" in warning for warning in read.warnings) is mirrored


def sheared(chest, tmp_path, along: int, by: int, degrees: float) -> Path:
    """One axis of the stored array (columns, rows, slices) leaned towards another."""
    affine = TO_RAS @ chest.volume.affine[:, [2, 1, 0, 3]]
    affine[:3, along] += np.tan(np.radians(degrees)) * np.linalg.norm(affine[:3, along]) * affine[:3, by] / np.linalg.norm(affine[:3, by])
    image = nib.Nifti1Image(np.transpose(chest.volume.hu), affine)
    image.set_sform(affine, 1)
    image.set_qform(None, 0)
    nib.save(image, tmp_path / "volume.nii")
    return tmp_path / "volume.nii"


@pytest.mark.parametrize("along_rows", [True, False])
def test_nifti_with_pixels_that_are_no_rectangles_is_refused(chest, tmp_path, along_rows):
    with pytest.raises(LungcadError, match="rows and columns are not square"):
        read_volume(sheared(chest, tmp_path, *((0, 1) if along_rows else (1, 0)), degrees=5))


@pytest.mark.parametrize(("by", "degrees"), [(1, 20), (1, -20), (0, 20), (0, 40), (1, 0.5)])
def test_nifti_with_slices_that_lean_is_warned_of(chest, tmp_path, by, degrees):
    read = read_volume(sheared(chest, tmp_path, 2, by, degrees))
    np.testing.assert_array_equal(read.hu, chest.volume.hu)
    assert any("sheared" in warning and f"{abs(degrees)}°" in warning for warning in read.warnings) is (abs(degrees) > 1)


def test_nifti_whose_two_sizes_contradict_each_other(chest, tmp_path):
    affine = TO_RAS @ chest.volume.affine[:, [2, 1, 0, 3]]
    image = nib.Nifti1Image(np.transpose(chest.volume.hu), affine)
    image.set_sform(affine, 1)
    image.set_qform(None, 0)
    for factor in (1, 1.001, 0.5):
        image.header["pixdim"][1:4] = np.linalg.norm(affine[:3, :3], axis=0) * factor
        image.header["pixdim"][3] = np.linalg.norm(affine[:3, 2])
        (tmp_path / "volume.nii").write_bytes(image.header.binaryblock + bytes(4) + np.transpose(chest.volume.hu).tobytes("F"))
        read = read_volume(tmp_path / "volume.nii")
        assert any("two sizes" in warning for warning in read.warnings) is (factor == 0.5), read.warnings


def with_header(chest, **changes) -> bytes:
    data = bytearray(nifti(chest.volume.hu, chest.volume.affine))
    header = nib.Nifti1Header(bytes(data[:348]), check=False)
    for name, value in changes.items():
        header[name] = value
    return bytes(header.binaryblock) + bytes(data[348:])


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"dim": [3, 6000, 6000, 6000, 1, 1, 1, 1]}, "the limit is"),
        ({"dim": [4, 48, 48, 23, 5, 1, 1, 1]}, "4 dimensions"),
        ({"dim": [3, 48, 48, 46, 1, 1, 1, 1]}, "fewer values than it claims"),
        ({"dim": [3, 48, 48, -3, 1, 1, 1, 1]}, "dimensions|damaged"),
        ({"sform_code": 0, "qform_code": 0}, "left and right are unknown"),
        ({"datatype": 32, "bitpix": 64}, "complex"),
        ({"srow_x": [0, 0, 0, 0], "qform_code": 0}, "spacing is zero"),
        ({"datatype": 999}, "damaged|colours|fewer"),
        ({"vox_offset": -5}, "begin inside it"),
        ({"vox_offset": 344}, "begin inside it"),
        ({"vox_offset": 1e30}, "too far in"),
        ({"srow_z": [0, 0, 1e4, 0], "qform_code": 0}, r"lie 10,000\.000 mm apart"),
        ({"srow_x": [-8, 0, 0, 1e7], "qform_code": 0}, "10,000 m away from the scanner's middle"),
    ],
)
def test_nifti_headers_are_not_believed(chest, tmp_path, changes, part):
    path = tmp_path / "volume.nii"
    path.write_bytes(with_header(chest, **changes))
    with pytest.raises(LungcadError, match=part):
        read_volume(path)


def test_a_nifti_header_that_claims_429_gb_takes_no_memory(chest, tmp_path, monkeypatch):
    path = tmp_path / "volume.nii"
    path.write_bytes(with_header(chest, dim=[3, 5990, 5990, 5990, 1, 1, 1, 1])[:400])
    monkeypatch.setattr(np, "empty", lambda *_, **__: pytest.fail("memory was taken"))
    with pytest.raises(LungcadError, match=r"400\.\d GiB; the limit is 0\.7 GiB"):
        load_nifti(path)


def test_a_nifti_of_doubles_is_read_a_plane_at_a_time(chest, tmp_path):
    """Else 400 million of them took 3.2 GB beside the volume."""
    path = tmp_path / "double.nii.gz"
    path.write_bytes(gzip.compress(nifti(np.repeat(chest.volume.hu, 20, axis=0).astype(np.float64), chest.volume.affine)))
    tracemalloc.start()
    read = load_nifti(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    np.testing.assert_array_equal(read.hu[::20], chest.volume.hu)
    assert most < 2.5 * read.hu.nbytes  # the values themselves have four times as many


def test_nifti_with_nan(chest, tmp_path):
    values = chest.volume.hu.astype(np.float32)
    values[3, 4, 5] = np.nan
    (tmp_path / "nan.nii").write_bytes(nifti(values, chest.volume.affine))
    with pytest.raises(LungcadError, match="NaN"):
        read_volume(tmp_path / "nan.nii")


def test_nifti_cut_short_inside_its_gzip(chest, tmp_path):
    packed = gzip.compress(nifti(chest.volume.hu, chest.volume.affine))
    (tmp_path / "cut.nii.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(LungcadError, match="cut short"):
        read_volume(tmp_path / "cut.nii.gz")
