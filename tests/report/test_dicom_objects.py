"""DICOM objects of an explained slice: read back, laid onto the source again, and put to the standard's validators where they are installed."""

import io
import re
import shutil
import subprocess
from dataclasses import replace

import highdicom as hd
import numpy as np
import pydicom
import pytest
from pydicom.sr.codedict import codes

from lungcad.analysis import analyse
from lungcad.errors import ImageError, LungcadError, UnknownNameError
from lungcad.gate import Decision, Outcome
from lungcad.imaging.phantom import make_phantom
from lungcad.report.case import SHOWN_ANYWAY, Case
from lungcad.report.dicom.explained import HIGHLIGHT, ExplainedSlice
from lungcad.report.dicom.header import source_header
from lungcad.report.dicom.identity import PURPOSE
from lungcad.report.dicom.table import dicom_objects
from lungcad.report.formats import DICOM_OBJECTS
from tests.report.conftest import PRIVATE

KINDS = tuple(DICOM_OBJECTS)


@pytest.fixture(scope="session")
def source(dicom_bytes) -> pydicom.Dataset:
    return pydicom.dcmread(io.BytesIO(dicom_bytes))


@pytest.fixture(scope="session")
def objects(dicom_bytes, case) -> dict[str, pydicom.Dataset]:
    made = dicom_objects(KINDS, [ExplainedSlice.of(dicom_bytes, case)])
    assert not made.notes
    return {name.rsplit("-", 1)[1][:-4]: pydicom.dcmread(io.BytesIO(data)) for name, data in made.files("x").items()}


@pytest.mark.parametrize("kind", KINDS)
def test_it_belongs_to_the_patient_and_the_study_with_new_uids(kind, objects, source):
    made = objects[kind]
    for name in ("PatientName", "PatientID", "PatientBirthDate", "StudyInstanceUID", "StudyDate"):
        assert made[name].value == source[name].value
    assert made.SeriesInstanceUID.startswith("2.25.") and made.SOPInstanceUID.startswith("2.25.")
    assert (
        len({each.SOPInstanceUID for each in objects.values()}) == len({each.SeriesInstanceUID for each in objects.values()}) == len(KINDS)
    )
    assert made.SeriesDescription.startswith(PURPOSE) and source.SOPInstanceUID in str(made)
    if kind in ("pm", "seg"):
        assert made.FrameOfReferenceUID == source.FrameOfReferenceUID


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_else_of_the_source_is_copied(kind, objects):
    made = objects[kind]
    assert not [element for element in made.iterall() if element.tag.is_private]
    assert PRIVATE not in str(made) and "Nautilus" not in str(made) and "Chest of Nemo" not in str(made)


def test_the_parametric_map_holds_the_raw_values_where_they_lie(objects, case, source):
    made, values = objects["pm"], case.result.values_in_file("gradcam")
    np.testing.assert_array_equal(made.pixel_array, values)
    mapping = made.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence[0]
    assert (mapping.RealWorldValueSlope, mapping.RealWorldValueIntercept) == (1, 0)
    assert (
        mapping.DoubleFloatRealWorldValueFirstValueMapped == values.min()
        and mapping.DoubleFloatRealWorldValueLastValueMapped == values.max()
    )
    place = hd.imread(io.BytesIO(_bytes(made))).get_volume_geometry()
    np.testing.assert_allclose(place.position, source.ImagePositionPatient)
    np.testing.assert_allclose(place.pixel_spacing, source.PixelSpacing)


def test_the_segments_are_the_highlight_and_the_lungs(objects, case, source):
    seg = hd.seg.segread(io.BytesIO(_bytes(objects["seg"])))
    masks = seg.get_pixels_by_source_instance([source.SOPInstanceUID])[0]
    values = case.result.values_in_file("gradcam")
    np.testing.assert_array_equal(masks[..., 0] > 0, values >= HIGHLIGHT * values.max())
    assert [seg.get_segment_description(number).segmented_property_type.meaning for number in (1, 2)][1] == "Lung"
    phantom_lungs = make_phantom(5, size=128).lungs
    assert (phantom_lungs & (masks[..., 1] > 0)).sum() / (phantom_lungs | (masks[..., 1] > 0)).sum() > 0.7


def test_a_turned_slice_has_its_map_on_the_files_own_grid(dicom_bytes, toy):
    upside_down = pydicom.dcmread(io.BytesIO(dicom_bytes))
    turned = np.ascontiguousarray(upside_down.pixel_array[::-1, ::-1])
    upside_down.PixelData, upside_down.ImageOrientationPatient = turned.tobytes(), [-1, 0, 0, 0, -1, 0]
    data = _bytes(upside_down)
    result = analyse(data, toy, methods=["gradcam"], show_anyway=True)
    explained = ExplainedSlice.of(data, Case(result, toy.card, "gradcam"))
    np.testing.assert_array_equal(explained.values[::-1, ::-1], result.attributions["gradcam"].values)
    usual = ExplainedSlice.of(dicom_bytes, Case(analyse(dicom_bytes, toy, methods=["gradcam"], show_anyway=True), toy.card, "gradcam"))
    np.testing.assert_array_equal(explained.picture, usual.picture)  # as shown: in the usual view
    np.testing.assert_array_equal(explained.lungs[::-1, ::-1], usual.lungs)


def test_the_secondary_capture_is_the_overlay_with_a_legend_below(objects, case, dicom_bytes):
    pixels, shown = objects["sc"].pixel_array, ExplainedSlice.of(dicom_bytes, case).picture
    rows, columns = shown.shape[:2]
    np.testing.assert_array_equal(pixels[:rows, :columns], shown)
    assert pixels.shape[0] > rows + 20 and pixels[rows:].max() == 255
    assert list(objects["sc"].PatientOrientation) == ["L", "P"] and objects["sc"].BurnedInAnnotation == "NO"


def test_the_report_says_what_the_result_says(objects, case):
    report = hd.sr.srread(io.BytesIO(_bytes(objects["sr"])))
    group = report.content.get_image_measurement_groups()[0]
    values = {each.name.meaning: each.value for each in group.get_measurements()}
    for name, share in case.result.prediction.probabilities.items():
        assert values[f"Calibrated probability of {name.replace('.', ' ')}"] == pytest.approx(share, abs=1e-9)
    said = {each.name.meaning: each.value.meaning for each in group.get_qualitative_evaluations()}
    assert said["Intended use"] == PURPOSE and said["Most probable class"] == case.result.prediction.label.replace(".", " ")
    assert [said[check.question] for check in case.checks] == [str(check.verdict) for check in case.checks]
    numbers = [check for check in case.checks if check.value is not None]
    assert numbers and all(any(value == pytest.approx(check.value, abs=1e-6) for value in values.values()) for check in numbers)
    texts = [element.value for element in objects["sr"].iterall() if element.keyword == "TextValue"]
    assert case.card.name in texts and f"weights SHA-256 {case.card.sha256}" in texts


def test_no_name_is_logged_or_warned_of(dicom_bytes, case, caplog, recwarn):
    odd = pydicom.dcmread(io.BytesIO(dicom_bytes))
    odd.PatientName, odd.PatientSex = "Nemo", "X"  # a name without caret makes highdicom speak
    with caplog.at_level(0):
        made = dicom_objects(KINDS, [ExplainedSlice.of(_bytes(odd), case)])
    assert made.objects["sr"].PatientName == "Nemo" and made.objects["sr"].PatientSex == ""
    assert "Nemo" not in caplog.text
    assert not [each for each in recwarn if "Nemo" in str(each.message)]


def test_a_name_keeps_its_letters(dicom_bytes, case):
    foreign = pydicom.dcmread(io.BytesIO(dicom_bytes))
    foreign.SpecificCharacterSet, foreign.PatientName = ["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎"
    for data in dicom_objects(KINDS, [ExplainedSlice.of(_bytes(foreign), case)]).files("x").values():
        assert pydicom.dcmread(io.BytesIO(data)).PatientName.ideographic == "山田^太郎"


def test_what_is_empty_is_left_out_with_a_sentence(dicom_bytes, case):
    explained = ExplainedSlice.of(dicom_bytes, case)
    made = dicom_objects(["seg"], [replace(explained, values=-np.abs(explained.values))])
    assert len(made.objects["seg"].SegmentSequence) == 1 and "no positive evidence" in made.notes[0]
    nothing = replace(explained, values=np.zeros_like(explained.values), lungs=np.zeros_like(explained.lungs))
    made = dicom_objects(["seg", "sr"], [nothing])
    assert set(made.objects) == {"sr"} and len(made.notes) == 2


def test_a_declined_answer_is_not_written_unless_it_is_shown(dicom_bytes, case):
    declined = replace(case.result, gate=Decision(Outcome.DECLINE, ("A photograph.",)), show_anyway=False)
    with pytest.raises(LungcadError, match="declined"):
        ExplainedSlice.of(dicom_bytes, replace(case, result=declined))
    shown = replace(case, result=replace(declined, show_anyway=True))
    made = dicom_objects(KINDS, [ExplainedSlice.of(dicom_bytes, shown)]).objects
    assert SHOWN_ANYWAY in made["sc"].ImageComments and "Declined: do not believe this answer" in str(made["sr"])


def test_several_slices_in_one_map_and_one_segmentation(dicom_bytes, case):
    slices = []
    for number in range(3):
        header = source_header(dicom_bytes)
        header.SOPInstanceUID, header.ImagePositionPatient = f"{header.SOPInstanceUID}.{number}", [-200, -200, 5 * number]
        slices.append(replace(ExplainedSlice.of(dicom_bytes, case), header=header))
    slices[1] = replace(slices[1], values=np.zeros_like(slices[1].values))  # an empty frame is kept: other readers would shift the rest
    made = dicom_objects(KINDS, slices).objects
    assert {"sc-1", "sc-2", "sc-3", "pm", "seg", "sr"} == set(made)
    assert made["pm"].NumberOfFrames == 3 and made["seg"].NumberOfFrames == 6
    assert len({made[f"sc-{number}"].SeriesInstanceUID for number in (1, 2, 3)}) == 1
    report = hd.sr.srread(io.BytesIO(_bytes(made["sr"])))
    assert len(report.content.get_image_measurement_groups()) == 3


@pytest.mark.parametrize(
    ("element", "kinds"),
    [("StudyInstanceUID", "sc"), ("SOPInstanceUID", "sr"), ("ImagePositionPatient", "pm"), ("FrameOfReferenceUID", "seg")],
)
def test_a_header_that_lacks_something_is_one_sentence(dicom_bytes, case, element, kinds):
    lacking = pydicom.dcmread(io.BytesIO(dicom_bytes))
    del lacking[element]
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, lacking, enforce_file_format=False)
    with pytest.raises(ImageError, match=element):
        dicom_objects([kinds], [ExplainedSlice.of(buffer.getvalue(), case)])


def test_a_picture_is_refused(case):
    with pytest.raises(ImageError, match="made from a DICOM slice"):
        ExplainedSlice.of(make_phantom(1, size=96).png(), case)
    with pytest.raises(UnknownNameError, match="sc, pm, seg, sr"):
        dicom_objects(["rt"], [])


@pytest.mark.parametrize("kind", KINDS)
def test_dciodvfy_finds_no_error(kind, objects, tmp_path):
    said = validated("dciodvfy", "-new", written(tmp_path, kind, objects[kind]))
    print(said)
    assert not re.search(r"^Error", said, re.MULTILINE)
    assert not [line for line in said.splitlines() if line.startswith("Warning") and not re.search("99LUNGCAD|QUANTITY", line)]


def test_dcentvfy_finds_one_patient_and_one_study(objects, dicom_bytes, tmp_path):
    (tmp_path / "source.dcm").write_bytes(dicom_bytes)
    said = validated("dcentvfy", tmp_path / "source.dcm", *(written(tmp_path, kind, made) for kind, made in objects.items()))
    print(said)
    assert not re.search(r"^Error", said, re.MULTILINE) and "PatientID" not in said and "StudyInstanceUID" not in said


@pytest.mark.parametrize("kind", KINDS)
def test_a_second_reader_reads_it(kind, objects, tmp_path):
    path = written(tmp_path, kind, objects[kind])
    assert "lungcad" in validated("dcmdump", path)
    if kind == "sr":
        assert "Calibrated probability of normal" in validated("dsrdump", path)


def test_the_probability_is_one_without_unit(objects):
    group = hd.sr.srread(io.BytesIO(_bytes(objects["sr"]))).content.get_image_measurement_groups()[0]
    assert {each.unit for each in group.get_measurements()} == {codes.UCUM.NoUnits}


def validated(program: str, *words: object) -> str:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed (Debian: dicom3tools, dcmtk)")
    return "".join(
        subprocess.run([program, *map(str, words)], capture_output=True, text=True, timeout=60).__dict__[part]
        for part in ("stdout", "stderr")
    )


def written(folder, kind, dataset):
    path = folder / f"{kind}.dcm"
    path.write_bytes(_bytes(dataset))
    return path


def _bytes(dataset: pydicom.Dataset) -> bytes:
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()
