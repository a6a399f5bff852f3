"""What the tests of reports share: one explained phantom with a patient's name in its file, and the networks of random weights."""

import io

import pydicom
import pytest

from lungcad.analysis import analyse
from lungcad.imaging.phantom import Edge, Lesion, make_phantom
from lungcad.report.case import Case
from lungcad.report.gather import gathered

NAME, ID, PRIVATE = "Nemo^Captain", "SECRET-4711", "private word"


@pytest.fixture(scope="session")
def dicom_bytes() -> bytes:
    """A slice whose file names a patient, in standard and in private elements."""
    dataset = pydicom.dcmread(io.BytesIO(make_phantom(5, size=128, lesion=Lesion((-10.0, -78.0), 30.0, Edge.SPICULATED)).dicom()))
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = NAME, ID, "19500102"
    dataset.InstitutionName, dataset.StudyDescription = "Nautilus Hospital", "Chest of Nemo"
    dataset.private_block(0x0009, "LUNGCAD TEST", create=True).add_new(0x01, "LO", PRIVATE)
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def case(dicom_bytes, toy) -> Case:
    result = analyse(dicom_bytes, toy, methods=["gradcam"], show_anyway=True)
    return gathered(result, toy, "gradcam")


@pytest.fixture(scope="session")
def declined(dicom_bytes, toy) -> Case:
    result = analyse(dicom_bytes, toy, methods=["gradcam"])
    return gathered(result, toy, "gradcam")
