"""Every bad file is refused in one sentence, with bounded memory, and says nothing about the patient."""

import logging
import subprocess
import sys
import tracemalloc
import warnings

import pytest

from lungcad.errors import ImageError, LungcadError
from lungcad.imaging import read_image
from tests.bad_files import bad_files, deflated_bomb, dicom_with

FILES = bad_files()


@pytest.mark.parametrize("name", FILES)
def test_refused_in_one_sentence(name):
    data, word = FILES[name]
    with pytest.raises(ImageError) as caught:
        read_image(data)
    sentence = str(caught.value)
    assert word in sentence and sentence.endswith((".", ")", ").")) and "\n" not in sentence and "Traceback" not in sentence
    assert isinstance(caught.value, (LungcadError, ValueError))


def test_a_huge_header_is_refused_before_decoding():
    tracemalloc.start()
    with pytest.raises(ImageError):
        read_image(FILES["huge.png"][0])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


def test_a_deflated_bomb_stays_small(tmp_path):
    bomb = deflated_bomb(2048)
    assert len(bomb) < 3_000_000
    (tmp_path / "bomb.dcm").write_bytes(bomb)
    code = (
        "import resource, sys\nfrom lungcad.imaging import read_image\nfrom lungcad.errors import ImageError\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n    read_image(sys.argv[1])\nexcept ImageError as error:\n    print('refused')\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "bomb.dcm")], capture_output=True, text=True, check=True)
    refused, grown = done.stdout.split()
    assert refused == "refused" and int(grown) * 1024 < 60_000_000


def test_no_patient_name_in_messages_warnings_or_logs(caplog):
    name = "Geheim^Patientin"
    broken = [
        dicom_with(PatientName=name, PatientID=name, Rows=80),
        dicom_with(PatientName=name, StudyDate="not a date", Modality="MR"),
        dicom_with(PatientName=name, WindowWidth=0, PatientBirthDate="17.03.1960"),
    ]
    with caplog.at_level(logging.DEBUG), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for data in broken:
            try:
                image = read_image(data)
                assert "Geheim" not in repr(image.provenance)
            except ImageError as error:
                assert "Geheim" not in str(error)
    assert "Geheim" not in caplog.text and not any("Geheim" in str(each.message) for each in caught)
