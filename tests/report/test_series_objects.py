"""DICOM objects and reports over a whole series: read back, laid onto the source, put to the validators, and asked for on the command line."""

import json
import re

import highdicom as hd
import numpy as np
import pydicom
import pytest

from lungcad.errors import ImageError, LungcadError
from lungcad.imaging.phantom_volume import EXAMPLE_BALLS, make_phantom_volume, write_series
from lungcad.imaging.volume import load, opened
from lungcad.models import load_model
from lungcad.report.dicom.series import ExplainedSeries, check_source, series_headers
from lungcad.report.dicom.table import series_objects
from lungcad.report.formats import DICOM_OBJECTS
from lungcad.report.html import to_html
from lungcad.report.series import SeriesCase, series_document
from lungcad.series.answer import analyse_volume, pooled
from tests.calls import caller
from tests.report.conftest import ID, NAME
from tests.report.test_dicom_objects import validated, written

KINDS = tuple(DICOM_OBJECTS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A series stored upside down and from head to feet, whose files name a patient."""
    folder = tmp_path_factory.mktemp("series")
    write_series(make_phantom_volume(7, size=96, spacing_mm=12, balls=EXAMPLE_BALLS).volume, folder, reverse=(True, True, False))
    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = NAME, ID, "19500102"
        dataset.save_as(path)
    return folder


@pytest.fixture(scope="module")
def series(folder):
    """(volume, answer, headers)."""
    with opened(folder) as study:
        volume = load(study, study.choose())
        headers = series_headers(study, volume)
    return volume, analyse_volume(volume, load_model("phantom-honest-taught")), headers


@pytest.fixture(scope="module")
def objects(series):
    made = series_objects(KINDS, ExplainedSeries.of(*series))
    assert not made.notes
    return made.objects


def test_every_object_refers_to_the_slices_that_were_read(objects, series, folder):
    _, answer, _ = series
    source = pydicom.dcmread(next(folder.iterdir()))
    read = {each.source.sop_instance_uid for each in answer.slices}
    for name, made in objects.items():
        assert made.PatientName == NAME and made.StudyInstanceUID == source.StudyInstanceUID
        named = {element.value for element in made.iterall() if element.keyword == "ReferencedSOPInstanceUID"}
        assert named & read and (name.startswith("sc") or read <= named)
    assert len([name for name in objects if name.startswith("sc")]) == len(answer.positions)
    assert objects["pm"].FrameOfReferenceUID == objects["seg"].FrameOfReferenceUID == source.FrameOfReferenceUID


def test_each_frame_of_the_map_lies_on_its_slice(objects, series, folder, tmp_path):
    volume, answer, _ = series
    values = objects["pm"].pixel_array
    assert len(values) == len(answer.slices)
    by_uid = {each.source.sop_instance_uid: each for each in answer.slices}
    for frame, groups in zip(values, objects["pm"].PerFrameFunctionalGroupsSequence, strict=True):
        uid = groups.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
        each = by_uid[uid]
        np.testing.assert_array_equal(frame[::-1], each.geometry.to_original(answer.grid(each)))  # the files are upside down
        x, y, z = volume.point_mm(each.index, volume.shape[1] - 1, 0)
        assert groups.PlanePositionSequence[0].ImagePositionPatient == pytest.approx([x, y, z], abs=1e-3)


def test_the_report_holds_the_series_answer_and_a_point_a_position(objects, series):
    _, answer, headers = series
    report = hd.sr.srread(_saved(objects["sr"]))
    (group,) = report.content.get_image_measurement_groups()
    values = {each.name.meaning: each.value for each in group.get_measurements()}
    assert values["Calibrated probability of lesion"] == pytest.approx(answer.prediction.probabilities["lesion"])
    assert values["Slices read"] == len(answer.slices)
    said = {each.name.meaning: each.value.meaning for each in group.get_qualitative_evaluations()}
    assert said["Most probable class"] == answer.prediction.label and "slices" in said["How slices are pooled"]
    regions = report.content.get_planar_roi_measurement_groups()
    assert len(regions) == len(answer.positions)
    for region, position in zip(regions, answer.positions, strict=True):
        header = headers[position.slice_index]
        column, row = region.roi.value[0]
        corner, (down, across) = np.array(header.ImagePositionPatient, float), map(float, header.PixelSpacing)
        along_row, along_column = np.reshape(np.array(header.ImageOrientationPatient, float), (2, 3))
        place = corner + along_row * across * (column - 0.5) + along_column * down * (row - 0.5)
        assert place == pytest.approx(position.point_mm, abs=1e-2)


@pytest.mark.parametrize("kind", ["sc-1", "pm", "seg", "sr"])
def test_validators_and_a_second_reader(kind, objects, tmp_path):
    path = written(tmp_path, kind, objects[kind])
    said = validated("dciodvfy", "-new", path)
    print(said)
    assert not re.search(r"^Error", said, re.MULTILINE)
    assert "lungcad" in validated("dcmdump", path)
    if kind == "sr":
        assert "Slices read" in validated("dsrdump", path)


def test_all_objects_and_the_series_are_of_one_patient_and_study(objects, folder, tmp_path):
    said = validated("dcentvfy", *folder.iterdir(), *(written(tmp_path, kind, made) for kind, made in objects.items()))
    print(said)
    assert not re.search(r"^Error", said, re.MULTILINE) and "PatientID" not in said and "StudyInstanceUID" not in said


def test_what_was_declined_is_in_no_object(series):
    from dataclasses import replace

    from lungcad.gate import Decision, Outcome

    volume, answer, headers = series
    no = Decision(Outcome.DECLINE, ("A reason.",))
    few = [replace(each, gate=no) if number < 3 else each for number, each in enumerate(answer.slices)]
    explained = ExplainedSeries.of(volume, pooled(volume, answer.card, few, answer.lungs), headers)
    assert len(explained.slices) == len(answer.slices) - 3
    most = [replace(each, gate=no) for each in answer.slices]
    with pytest.raises(LungcadError, match="declined most slices"):
        ExplainedSeries.of(volume, pooled(volume, answer.card, most, answer.lungs), headers)
    page = to_html(series_document(SeriesCase(volume, pooled(volume, answer.card, most, answer.lungs))))
    assert "No answer" in page and "Where it is most suspicious" not in page


def test_what_cannot_be_referred_to_is_one_sentence(series, folder):
    with pytest.raises(ImageError, match="is made up"):
        check_source(make_phantom_volume(7, size=96, spacing_mm=24).volume)
    with opened(folder) as study:
        other = load(study, study.choose())
        turned = tuple(reversed(other.sources))
        object.__setattr__(other, "sources", (*turned[1:], turned[0]))
        study.files[0].stat()
        object.__setattr__(study, "files", tuple(reversed(study.files)))
        with pytest.raises(ImageError, match="have changed"):
            series_headers(study, other)


def test_the_report_says_what_the_answer_says(series):
    volume, answer, _ = series
    lesions = [("lesion 1", EXAMPLE_BALLS[0].centre_mm, 26.0), ("lesion 2", (0.0, 0.0, 0.0), 1.0)]
    page = to_html(series_document(SeriesCase(volume, answer, lesions, "drawn lesions")))
    assert f"{answer.prediction.confidence:.1%}" in page and "missed" in page and volume.sha256 in page
    assert page.count("<img") >= 1 + min(len(answer.positions), 6)
    assert NAME not in page and ID not in page and "PHANTOM" not in page


def test_command_line(folder, tmp_path, monkeypatch, capsys):
    run = caller(monkeypatch, capsys)
    out = tmp_path / "out"
    words = ("volume", folder, "--model", "phantom-honest-taught", "--out", out, "--json")
    status, text, _ = run(*words, "--dicom", "sc,pm,seg,sr", "--report", "pdf,html")
    names = sorted(path.name for path in out.iterdir())
    assert status == 0 and json.loads(text)["answer"]["class"] and "answer.json" in names
    assert {name.rsplit("-", 1)[1] for name in names if name.endswith(".dcm")} >= {"pm.dcm", "seg.dcm", "sr.dcm", "1.dcm"}
    assert [name for name in names if name.endswith((".pdf", ".html"))] and not any("Nemo" in name for name in names)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--dicom", "sr"), "--out"),
        (("--report", "docx", "--out", "x"), "pdf, html"),
        (("--with", "phantom-honest", "--out", "x"), "--point"),
        (("--report", "pdf", "--out", "x", "--point", "0,0,0"), "whole series"),
    ],
)
def test_what_cannot_be_written_is_one_sentence(words, expected, monkeypatch, capsys):
    status, text, err = caller(monkeypatch, capsys)("volume", "example", "--model", "phantom-honest", *words)
    assert status == 2 and not text and expected in err and err.count("lungcad: ") == 1


def _saved(dataset):
    import io

    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
    buffer.seek(0)
    return buffer
