"""De-identified files: nothing of the patient in any byte, everything that belongs together still together, pixels untouched."""

import io
import json
from datetime import date

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from lungcad.errors import LungcadError
from lungcad.imaging import read_image
from lungcad.imaging.phantom import make_phantom
from lungcad.report.deidentify import deidentify
from lungcad.report.deidentify.profile import METHODS, without_identity
from lungcad.report.deidentify.pseudonyms import Pseudonyms
from tests.calls import caller

SECRETS = ("Nemo", "Captain", "SECRET", "-4711", "Nautilus", "19500102", "20260203", "Verne", "phone", "private word", "Conseil")
"""None so short that the digits of a new UID hold it by chance."""


def named_slice(number: int = 0, *, patient: str = "SECRET-4711") -> Dataset:
    """A slice with an identifier in every kind of place."""
    dataset = pydicom.dcmread(io.BytesIO(make_phantom(number, size=64).dicom()))
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[patient, str(number)])
    dataset.SeriesInstanceUID, dataset.StudyInstanceUID = (generate_uid(entropy_srcs=[patient, what]) for what in ("series", "study"))
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = "Nemo^Captain", patient, "19500102"
    dataset.StudyDate, dataset.ContentDate, dataset.AcquisitionDateTime = "20260203", "20260204", "20260203101112.5+0100"
    dataset.StudyTime, dataset.InstitutionName, dataset.ReferringPhysicianName = "101112", "Nautilus Hospital", "Verne^Jules"
    dataset.StudyDescription, dataset.ImageComments, dataset.PatientComments = "Chest of Nemo", "Captain Nemo", "phone 4711"
    dataset.OperatorsName, dataset.DeviceSerialNumber, dataset.StationName = "Conseil", "SECRET-1", "Nautilus"
    dataset.Manufacturer, dataset.SoftwareVersions, dataset.ConvolutionKernel = (
        "Works of Nemo",
        ["1.0", "for Captain"],
        "B30f",
    )  # the table keeps these
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = dataset.SOPClassUID, dataset.SOPInstanceUID
    dataset.ReferencedImageSequence = [reference]
    hidden = Dataset()
    hidden.ContributionDateTime, hidden.Manufacturer, hidden.OperatorsName = "20260203", "maker", "Conseil"  # inside what the table keeps
    hidden.private_block(0x0009, "NESTED", create=True).add_new(0x01, "LO", "private word")
    dataset.ContributingEquipmentSequence = [hidden]
    dataset.private_block(0x0009, "LUNGCAD TEST", create=True).add_new(0x01, "LO", "private word")
    dataset.add_new(0x60003000, "OW", b"\1\0")
    dataset.add_new(0x60004000, "LT", "Nemo in an overlay")
    dataset.add_new(0x00080117, "UN", b"Nemo ")
    dataset.file_meta.SourceApplicationEntityTitle, dataset.preamble = "NAUTILUS Nemo", b"Nemo".ljust(128, b"\0")
    return dataset


def file_of(dataset: Dataset) -> bytes:
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    """(input folder, output folder, what was found)."""
    folder = tmp_path_factory.mktemp("deidentify")
    source, out = folder / "Nemo Captain", folder / "out"
    (source / "deeper").mkdir(parents=True)
    for number in range(3):
        (source / f"Nemo{number}.dcm").write_bytes(file_of(named_slice(number)))
    (source / "deeper" / "other.dcm").write_bytes(file_of(named_slice(3, patient="SECRET-2")))
    (source / "notes.txt").write_text("Nemo")
    report = named_slice(4)
    del report.PixelData
    (source / "report.dcm").write_bytes(file_of(report))
    return source, out, deidentify(source, out)


@pytest.fixture(scope="module")
def cleaned(series):
    return [pydicom.dcmread(series[1] / name) for name in series[2].files]


def test_no_identifier_is_left_in_any_byte(series):
    _, out, found = series
    for path in out.rglob("*"):
        assert "Nemo" not in str(path.relative_to(out))
        if path.is_file():
            data = path.read_bytes()
            assert not [word for word in SECRETS if word.encode() in data]
    assert not [word for word in SECRETS if word in json.dumps(found.to_dict())]


def test_text_that_the_table_keeps_goes_only_where_it_names_the_patient(cleaned, series):
    for dataset in cleaned:
        assert "Manufacturer" not in dataset and "SoftwareVersions" not in dataset
        assert dataset.ConvolutionKernel == "B30f" and dataset.Modality == "CT" and dataset.ImageType
    assert series[2].to_dict()["changes"]["removed"]["SoftwareVersions"] == len(cleaned)


def test_a_short_or_common_name_takes_nothing_that_the_picture_needs():
    dataset = named_slice()
    dataset.PatientName, dataset.PatientID = "CT^Monochrome2", "A1"
    without_identity(dataset, Pseudonyms(b"key"))
    assert dataset.Modality == "CT" and dataset.PhotometricInterpretation == "MONOCHROME2"


def test_it_says_what_it_is(cleaned):
    for dataset in cleaned:
        assert dataset.PatientIdentityRemoved == "YES" and dataset.LongitudinalTemporalInformationModified == "MODIFIED"
        assert [item.CodeValue for item in dataset.DeidentificationMethodCodeSequence] == [code.value for code in METHODS]
        assert not [element for element in dataset.iterall() if element.tag.is_private] and 0x60003000 not in dataset
        assert (
            dataset.file_meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID
            and "SourceApplicationEntityTitle" not in dataset.file_meta
        )


def test_pixels_and_places_are_untouched(series, cleaned):
    for name, dataset in zip(
        ("Nemo0.dcm", "Nemo1.dcm", "Nemo2.dcm", "deeper/other.dcm"), cleaned, strict=True
    ):  # in the order of their paths
        original = pydicom.dcmread(series[0] / name)
        assert np.array_equal(original.pixel_array, dataset.pixel_array)
        for keyword in ("ImagePositionPatient", "PixelSpacing", "RescaleIntercept", "SOPClassUID", "Modality"):
            assert original[keyword].value == dataset[keyword].value


def test_what_belongs_together_still_does(cleaned):
    patients = {dataset.PatientID: [each for each in cleaned if each.PatientID == dataset.PatientID] for dataset in cleaned}
    assert sorted(map(len, patients.values())) == [1, 3]
    for files in patients.values():
        assert len({each.SeriesInstanceUID for each in files}) == len({each.StudyInstanceUID for each in files}) == 1
        assert len({each.StudyDate for each in files}) == 1
        for each in files:
            assert each.ReferencedImageSequence[0].ReferencedSOPInstanceUID == each.SOPInstanceUID  # mapped inside sequences too
            assert each.ReferencedImageSequence[0].ReferencedSOPClassUID == each.SOPClassUID
    assert len({each.SOPInstanceUID for each in cleaned}) == 4 and all(each.SOPInstanceUID.startswith("2.25.") for each in cleaned)


def test_dates_are_moved_alike_and_times_stay(cleaned):
    for dataset in cleaned:
        study, content = (date.fromisoformat(value) for value in (dataset.StudyDate, dataset.ContentDate))
        assert (content - study).days == 1 and study < date(2025, 2, 4) and dataset.StudyTime == "101112"
        assert dataset.AcquisitionDateTime == dataset.StudyDate + "101112.5+0100"
        assert dataset.ContributingEquipmentSequence[0].ContributionDateTime == dataset.StudyDate
        assert dataset.PatientBirthDate == ""


def test_the_report_counts_and_warns(series):
    found = series[2].to_dict()
    assert found["changes"]["removed"]["private elements"] >= 8 and found["changes"]["UID mapped"]["SOPInstanceUID"] == 4
    assert found["changes"]["date moved"]["StudyDate"] == 4 and sum(found["left_aside"].values()) == 2
    assert "Letters over the body" in found["warnings"][-1] and not found["burnt_in_text"]


def test_the_key_repeats_and_nothing_else_does():
    def uids(secret: bytes) -> list[str]:
        dataset = named_slice()
        without_identity(dataset, Pseudonyms(secret))
        return [dataset.SOPInstanceUID, dataset.PatientID, dataset.StudyDate]

    assert uids(b"one") == uids(b"one") and not set(uids(b"one")) & set(uids(b"two"))


def test_text_beside_the_body_is_warned_of(tmp_path, phantom):
    import cv2

    letters = np.zeros(phantom.hu.shape, np.uint8)
    cv2.putText(letters, "DOE JOHN", (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.4, 255, 1)
    dataset = pydicom.dcmread(io.BytesIO(phantom.dicom()))
    dataset.PixelData = np.where(letters > 0, 4000, dataset.pixel_array).astype("<u2").tobytes()
    (tmp_path / "in.dcm").write_bytes(file_of(dataset))
    found = deidentify(tmp_path / "in.dcm", tmp_path / "out.dcm")
    assert found.burnt_in == ["out.dcm"] and "Burnt-in text" in found.warnings[0]
    assert read_image(tmp_path / "out.dcm").shape == phantom.hu.shape


def test_nothing_is_overwritten(tmp_path):
    path, folder = tmp_path / "in" / "slice.dcm", tmp_path / "in"
    folder.mkdir()
    path.write_bytes(data := file_of(named_slice()))
    for source, out in ((path, path), (folder, folder), (folder, folder / "inside"), (folder, tmp_path)):
        with pytest.raises(LungcadError):
            deidentify(source, out)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("x")
    with pytest.raises(LungcadError, match="not empty"):
        deidentify(folder, tmp_path / "full")
    assert path.read_bytes() == data and list(folder.iterdir()) == [path]


def test_the_command(tmp_path, monkeypatch, capsys):
    run = caller(monkeypatch, capsys)
    (tmp_path / "in.dcm").write_bytes(file_of(named_slice()))
    status, out, err = run("deidentify", tmp_path / "in.dcm", tmp_path / "out.dcm", "--key", "word", "--json")
    assert status == 0 and json.loads(out)["files"] == ["out.dcm"] and "Letters over the body" in err
    status, out, err = run("deidentify", tmp_path / "in.dcm", tmp_path / "out.dcm")
    assert status == 2 and not out and len(err.strip().splitlines()) == 1
    status, out, err = run("deidentify", tmp_path / "nothing.dcm", tmp_path / "new.dcm")
    assert status == 2 and "no such file" in err
