"""Series -> CTVolume: order, orientation, gaps, repeats, what is left aside."""

import csv
import itertools
import shutil

import numpy as np
import pydicom
import pytest
from pydicom.uid import generate_uid

from lungcad.errors import ImageError
from lungcad.imaging.phantom_volume import write_series
from lungcad.imaging.volume import load, opened, read_volume


def says(part: str, sentences) -> bool:
    return any(part in sentence for sentence in sentences)


@pytest.mark.parametrize("reverse", list(itertools.product([False, True], repeat=3)))
def test_all_eight_flips_give_the_same_patient(chest, tmp_path, reverse):
    write_series(chest.volume, tmp_path, reverse=reverse)
    volume = read_volume(tmp_path)
    np.testing.assert_array_equal(volume.hu, chest.volume.hu)
    np.testing.assert_allclose(volume.affine, chest.volume.affine, atol=1e-4)
    one = pydicom.dcmread(sorted(tmp_path.iterdir())[volume.sources[4].file])
    assert one.ImagePositionPatient[2] == pytest.approx(volume.position_mm(4), abs=1e-3)
    in_file = one.pixel_array.astype(int) - 1024
    np.testing.assert_array_equal(volume.turn.to_usual(in_file), volume.hu[4])


def test_a_flipped_patient_is_no_equal_one(chest):
    """The phantom that proves the flips is like none of its own mirror images."""
    for axis in range(3):
        assert (np.flip(chest.volume.hu, axis) != chest.volume.hu).mean() > 0.2


def test_the_heart_lies_on_the_patients_left(chest):
    def at(x, y, z):
        """Median of the 5×5 pixels around a place, for the noise."""
        index, row, column = (round(value) for value in chest.volume.voxel((x, y, z)))
        return np.median(chest.volume.hu[index, row - 2 : row + 3, column - 2 : column + 3])

    assert chest.volume.point_mm(*chest.volume.voxel((55.0, -30.0, -30.0))) == pytest.approx((55, -30, -30))
    assert at(55, -30, -30) > -150 and at(-60, -30, -30) < -600


def test_order_goes_by_position_alone(changed, chest):
    folder = changed(lambda dataset, index: setattr(dataset, "InstanceNumber", 1000 - 7 * index % 5))
    np.testing.assert_array_equal(read_volume(folder).hu, chest.volume.hu)


def test_missing_slices_are_filled_and_told(changed, chest):
    volume = read_volume(changed(lambda dataset, index: index not in (5, 6, 11)))
    assert volume.shape == chest.volume.shape and says("3 slices are missing in 2 places", volume.warnings)
    assert [index for index, source in enumerate(volume.sources) if source is None] == [5, 6, 11]
    np.testing.assert_allclose(volume.hu[11], (chest.volume.hu[10].astype(float) + chest.volume.hu[12]) / 2, atol=0.51)
    np.testing.assert_array_equal(volume.hu[12], chest.volume.hu[12])


def test_a_large_gap_is_refused(changed):
    with pytest.raises(ImageError, match="gap of 96 mm"):
        read_volume(changed(lambda dataset, index: not 6 <= index <= 12))


def test_odd_spacing_is_resampled_and_told(changed):
    def move(dataset, index):
        dataset.ImagePositionPatient[2] = -132 + 12 * index + (5 * (index % 3) if index < 18 else 0)

    volume = read_volume(changed(move))
    assert volume.is_resampled and says("resampled", volume.warnings)
    assert np.allclose(np.diff([volume.position_mm(index) for index in range(len(volume.hu))]), volume.spacing[0])


def test_rounded_positions_are_no_odd_spacing(changed, chest):
    volume = read_volume(changed(lambda dataset, index: dataset.ImagePositionPatient.__setitem__(2, -132 + 12 * index + 0.6 * (index % 2))))
    assert volume.shape == chest.volume.shape and not volume.warnings and says("varies", volume.notes)


def test_copies_of_a_slice_are_dropped(changed, chest):
    folder = changed(lambda dataset, index: None)
    first = sorted(folder.iterdir())[3]
    shutil.copy(first, folder / "again.dcm")
    volume = read_volume(folder)
    assert volume.shape == chest.volume.shape and says("1 slice is a copy", volume.notes)


def test_two_acquisitions_in_one_series_are_listed_apart(changed, chest):
    folder = changed(lambda dataset, index: None)

    def second(dataset, index):
        dataset.AcquisitionNumber, dataset.SOPInstanceUID = 2, generate_uid()
        dataset.PixelData = (dataset.pixel_array + 1).astype("<u2").tobytes()

    for path in changed(second, name="second").iterdir():
        shutil.copy(path, folder / f"second-{path.name}")
    with opened(folder) as study:
        assert [series.shape[0] for series in study.series] == [len(chest.volume.hu)] * 2
        assert says("2 acquisitions", study.series[0].remarks)
        first, other = (load(study, series).hu.astype(int) for series in study.series)
        assert abs(int((other - first).mean())) == 1
        with pytest.raises(ImageError, match="2 series; choose one"):
            study.choose()


def test_different_slices_at_one_place_are_refused(changed):
    folder = changed(lambda dataset, index: None)
    other = pydicom.dcmread(sorted(folder.iterdir())[3])
    other.PixelData = (other.pixel_array + 5).astype("<u2").tobytes()
    other.save_as(folder / "other.dcm")
    with pytest.raises(ImageError, match="Two different slices lie at one place"):
        read_volume(folder)


def test_series_of_two_sizes_under_one_uid_are_listed_apart(changed):
    def smaller(dataset, index):
        if index >= 16:
            dataset.Rows = 24
            dataset.PixelData = (
                dataset.pixel_array[:24].tobytes() if dataset.pixel_array.shape[0] == 24 else dataset.PixelData[: 24 * 48 * 2]
            )

    with opened(changed(smaller)) as study:
        assert [series.shape[1] for series in study.series] == [48, 24]
        assert says("one series UID", study.series[0].remarks)


def test_localizers_and_other_modalities_are_named_and_left_aside(changed):
    def mix(dataset, index):
        if index == 0:
            dataset.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
        if index in (1, 2):
            dataset.Modality = "MR"

    with opened(changed(mix)) as study:
        assert len(study.series) == 1 and study.series[0].shape[0] == 20
        assert study.left_aside == {"a localizer (scout view)": 1, "of another modality (MR)": 2}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda dataset: delattr(dataset, "ImagePositionPatient"), "without a usable position"),
        (lambda dataset: setattr(dataset, "ImagePositionPatient", [0, 0, "nan"]), "without a usable position"),
        (lambda dataset: delattr(dataset, "ImageOrientationPatient"), "without a usable orientation"),
        (lambda dataset: setattr(dataset, "ImageOrientationPatient", [1, 0, 0, 1, 0, 0]), "without a usable orientation"),
        (lambda dataset: setattr(dataset, "PixelSpacing", [0, 0]), "without a usable pixel spacing"),
        (lambda dataset: setattr(dataset, "Modality", "PT"), "another modality (PT)"),
    ],
)
def test_what_makes_every_slice_unfit_is_named(changed, change, reason):
    with pytest.raises(ImageError) as caught:
        read_volume(changed(lambda dataset, index: change(dataset)))
    assert reason in str(caught.value) and "23" in str(caught.value)


def test_all_slices_at_one_place(changed):
    with pytest.raises(ImageError, match=r"one place"):
        read_volume(changed(lambda dataset, index: dataset.ImagePositionPatient.__setitem__(2, 0)))


def test_a_slice_that_lies_about_its_size_ends_the_series_with_a_sentence(changed):
    with pytest.raises(ImageError, match=r"File \d+ of 23 in this series: The DICOM file has fewer pixels"):
        read_volume(changed(lambda dataset, index: setattr(dataset, "PixelData", dataset.PixelData[:-400]) if index == 4 else None))


def test_a_captured_screen_is_no_volume(changed):
    def capture(dataset, index):
        dataset.RescaleIntercept = 0
        dataset.PixelData = (dataset.pixel_array // 17).astype("<u2").tobytes()

    with pytest.raises(ImageError, match="no CT volume"):
        read_volume(changed(capture))


def test_a_tilted_gantry_keeps_its_geometry(changed, chest):
    """15 degrees: each slice's corner moves with the table, not along the slice's normal."""
    angle = np.radians(15)

    def tilt(dataset, index):
        dataset.ImageOrientationPatient = [1, 0, 0, 0, float(np.cos(angle)), float(-np.sin(angle))]

    volume = read_volume(changed(tilt))
    assert says("tilted by 15.0°", volume.notes) and not volume.is_resampled
    np.testing.assert_array_equal(volume.hu, chest.volume.hu)
    assert volume.spacing[0] == pytest.approx(12 * np.cos(angle))
    rows_off, columns_off = volume.shear
    assert rows_off * volume.spacing[1] == pytest.approx(-12 * np.sin(angle)) and columns_off == pytest.approx(0)
    assert volume.point_mm(7, 0, 0)[2] == pytest.approx(-132 + 7 * 12)


def test_a_coronal_series_is_cut_axially_and_told(changed, chest):
    """The same block of voxels, stored as coronal slices: a slice a row."""
    hu, affine = chest.volume.hu, chest.volume.affine

    def coronal(dataset, index):
        plane = hu[::-1, 2 * index]  # from the head down
        dataset.Rows, dataset.Columns = plane.shape
        dataset.PixelData = (plane.astype(int) + 1024).clip(0, 4095).astype("<u2").tobytes()
        dataset.ImageOrientationPatient, dataset.PixelSpacing = [1, 0, 0, 0, 0, -1], [12, float(affine[0, 2])]
        dataset.ImagePositionPatient = list(chest.volume.point_mm(len(hu) - 1, 2 * index, 0))

    volume = read_volume(changed(coronal))
    np.testing.assert_array_equal(volume.hu, hu[:, 0:46:2])
    assert says("acquired in coronal", volume.warnings) and set(volume.sources) == {None}


def enhanced(volume, path):
    """One Enhanced CT object (PS3.3 A.38) whose frames lie in no order."""
    dataset = pydicom.dcmread(path)
    order = np.random.default_rng(0).permutation(len(volume.hu))
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = pydicom.uid.EnhancedCTImageStorage
    dataset.NumberOfFrames = len(order)
    dataset.PixelData = (volume.hu[order].astype(int) + 1024).clip(0, 4095).astype("<u2").tobytes()
    shared, item = pydicom.Dataset(), pydicom.Dataset()
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [item], [pydicom.Dataset()]
    item.PixelSpacing = dataset.PixelSpacing
    shared.PlaneOrientationSequence[0].ImageOrientationPatient = dataset.ImageOrientationPatient
    shared.PixelValueTransformationSequence = [pydicom.Dataset()]
    shared.PixelValueTransformationSequence[0].update({"RescaleSlope": 1, "RescaleIntercept": -1024, "RescaleType": "HU"})
    dataset.SharedFunctionalGroupsSequence, frames = [shared], []
    for index in order:
        frame, place = pydicom.Dataset(), pydicom.Dataset()
        place.ImagePositionPatient = list(volume.point_mm(int(index), 0, 0))
        frame.PlanePositionSequence = [place]
        frames.append(frame)
    dataset.PerFrameFunctionalGroupsSequence = frames
    for name in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RescaleSlope", "RescaleIntercept", "RescaleType"):
        delattr(dataset, name)
    return dataset, order


def test_enhanced_multi_frame(series_folder, chest, tmp_path):
    dataset, order = enhanced(chest.volume, next(series_folder.iterdir()))
    dataset.save_as(tmp_path / "enhanced.dcm")
    volume = read_volume(tmp_path)
    np.testing.assert_array_equal(volume.hu, np.maximum(chest.volume.hu, -1024))
    np.testing.assert_allclose(volume.affine, chest.volume.affine, atol=1e-4)
    assert [source.frame for source in volume.sources] == np.argsort(order).tolist()


def test_frames_without_a_position_of_their_own_are_left_aside(series_folder, chest, tmp_path):
    dataset, _ = enhanced(chest.volume, next(series_folder.iterdir()))
    del dataset.PerFrameFunctionalGroupsSequence
    dataset.save_as(tmp_path / "enhanced.dcm")
    with pytest.raises(ImageError, match="1 left aside: without a usable position"):
        read_volume(tmp_path)


def test_too_many_voxels_are_refused_before_memory_is_taken(changed, monkeypatch):
    monkeypatch.setattr("lungcad.imaging.volume.dicom_series.MAX_VOXELS", 10_000)
    with pytest.raises(ImageError, match=r"23 × 48 × 48 voxels"):
        read_volume(changed(lambda dataset, index: None))


def test_progress_counts_and_an_exception_in_it_stops(series_folder):
    seen = []

    class Stop(Exception):
        pass

    def on_progress(done, total):
        seen.append((done, total))
        if done == 3:
            raise Stop

    with opened(series_folder) as study, pytest.raises(Stop):
        load(study, study.choose(), on_progress)
    assert seen == [(1, 23), (2, 23), (3, 23)]


def test_a_slice_is_what_the_networks_read(chest):
    image = chest.volume.image(9)
    assert image.spacing_mm == pytest.approx(chest.volume.spacing[1:]) and image.provenance.synthetic
    np.testing.assert_array_equal(image.pixels, chest.volume.hu[9])
    assert image.key != chest.volume.image(10).key


def test_lidc_whole_series(shared_data):
    folder = shared_data / "lidc-idri" / "dicom" / "LIDC-IDRI-0132"
    with (folder / "slices.csv").open() as file:
        rows = sorted(csv.DictReader(file), key=lambda row: float(row["z_mm"]))
    volume = read_volume(folder)
    assert volume.shape == (116, 512, 512) and volume.spacing == pytest.approx((3, 0.546875, 0.546875))
    with opened(folder) as study:
        names = [study.files[source.file].name for source in volume.sources]
    assert names == [row["file"] for row in rows]
    assert [volume.position_mm(index) for index in range(116)] == pytest.approx([float(row["z_mm"]) for row in rows])
    middle = pydicom.dcmread(folder / names[60])
    np.testing.assert_array_equal(volume.hu[60], middle.pixel_array * middle.RescaleSlope + middle.RescaleIntercept)
