import dataclasses
import io
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import psutil
import pydicom
import pytest
import torch
from PIL import Image

from lungcad.analysis import analyse, contour_check, predict_without, slow_trust_checks, trust_checks
from lungcad.datasets import CHEST_CT_SCAN
from lungcad.errors import ImageError, LungcadError
from lungcad.explain import Options
from lungcad.explain.trust import CHECKS, Check, Verdict
from lungcad.explain.trust.panel import without_support
from lungcad.gate import COLOURED
from lungcad.imaging import read_image
from lungcad.imaging.phantom import Lesion, make_phantom
from lungcad.models import features, list_cards, load_model
from lungcad.models.partner import partner_of
from lungcad.preprocess import preprocess
from tests.bad_files import bad_files, dicom_with

BAD = bad_files()


def test_bytes_path_and_image_give_the_same_result(toy, phantom, tmp_path):
    (tmp_path / "slice.png").write_bytes(phantom.png())
    one, two = analyse(phantom.png(), toy), analyse(str(tmp_path / "slice.png"), toy)
    assert one.prediction == two.prediction
    np.testing.assert_array_equal(one.attributions["gradcam"].values, two.attributions["gradcam"].values)


def test_probabilities_are_calibrated(toy, phantom):
    """By hand: features, head, softmax at the card's temperature."""
    inputs, _ = preprocess(phantom.image(), toy.card.preprocess)
    with torch.no_grad():
        logits = toy.network.classify(features(toy, inputs))[0][0]
    expected = torch.softmax(logits / 1.5, 0)
    got = analyse(phantom.image(), toy, methods=()).prediction
    assert list(got.probabilities.values()) == pytest.approx(expected.tolist(), abs=1e-6)
    assert got.label == toy.card.classes[int(expected.argmax())] and got.confidence == pytest.approx(float(expected.max()))


def test_bit_for_bit_again(toy_gate, phantom):
    def once():
        return analyse(phantom.dicom(), toy_gate, methods=["gradcam", "lime", "attention"], options=Options(seed=2, samples=100))

    one, two = once(), once()
    assert one.prediction == two.prediction
    for method in one.attributions:
        np.testing.assert_array_equal(one.attributions[method].values, two.attributions[method].values)


def test_target_class(toy, phantom):
    result = analyse(phantom.png(), toy, target="normal")
    assert result.target == "normal" and result.attributions["gradcam"].target == "normal"
    assert analyse(phantom.png(), toy).target == result.prediction.label


def test_json_holds_no_patient_and_no_path(toy):
    data = dicom_with(PatientName="Geheim^Patientin", PatientID="4711-Geheim", StudyDescription="Geheim")
    text = json.dumps(analyse(data, toy).to_dict(), allow_nan=False)
    assert "Geheim" not in text and "4711" not in text and "image_sha256" in text


def test_a_colour_photograph_is_predicted_with_a_warning(toy):
    rgb = np.random.default_rng(0).integers(0, 255, (200, 300, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "PNG")
    warnings = analyse(buffer.getvalue(), toy).warnings
    assert any("coloured" in warning and "do not trust" in warning for warning in warnings)


def test_phantoms_and_hounsfield_units_are_mentioned(toy, phantom):
    assert any("synthetic" in warning for warning in analyse(phantom.png(), toy).warnings)
    assert any("8-bit" in note for note in analyse(phantom.dicom(), toy).notes)


@pytest.mark.parametrize("name", BAD)
def test_bad_files_raise_our_error(name, toy):
    with pytest.raises(LungcadError):
        analyse(BAD[name][0], toy)


@pytest.mark.parametrize("arguments", [{"model": "nope"}, {"target": "nope"}, {"methods": ["nope"]}])
def test_unknown_names(arguments, toy, phantom):
    with pytest.raises(LungcadError, match="nope"):
        analyse(phantom.png(), **{"model": toy, **arguments})


def test_sixteen_threads_get_what_one_thread_gets(toy_gate):
    """Predicting and explaining different images and classes at once on one shared network."""
    images = [make_phantom(seed, size=96).png() for seed in range(8)]
    jobs = [(image, target) for image in images for target in toy_gate.card.classes]
    barrier = threading.Barrier(16)

    def work(job):
        image, target = job
        result = analyse(image, toy_gate, methods=["gradcam", "attention"], target=target)
        return result.prediction.probabilities, result.attributions["gradcam"].values, result.attributions["attention"].values

    expected = [work(job) for job in jobs]
    with ThreadPoolExecutor(16, initializer=barrier.wait) as pool:
        results = list(pool.map(work, jobs))
    for (probabilities, cam, mask), (expected_probabilities, expected_cam, expected_mask) in zip(results, expected, strict=True):
        assert probabilities == expected_probabilities
        np.testing.assert_array_equal(cam, expected_cam)
        np.testing.assert_array_equal(mask, expected_mask)


def test_two_hundred_explanations_leave_no_hook_and_little_memory(toy, phantom):
    image, process = phantom.image(), psutil.Process()
    for _ in range(20):
        analyse(image, toy)
    before = process.memory_info().rss
    for _ in range(200):
        analyse(image, toy)
    assert process.memory_info().rss - before < 50_000_000
    assert not any(module._forward_hooks or module._backward_hooks for module in toy.network.modules())


def test_progress_reaches_the_caller(toy, phantom):
    progress = []
    analyse(phantom.png(), toy, methods=["lime"], options=Options(samples=100), on_progress=lambda done, total: progress.append(done))
    assert progress == [50, 100]


def test_a_network_says_when_it_was_trained_on_other_pictures(toy, phantom):
    """A whole slice for a network of nodule crops, a grey one for a network of stained tiles."""
    for dataset, word in (("lidc-nodules", "crop it around the nodule"), ("lc25000", "coloured microscope tiles")):
        other = dataclasses.replace(toy, card=toy.card.model_copy(update={"dataset": dataset}))
        assert any(word in warning for warning in analyse(phantom.png(), other, methods=()).warnings)
        assert not any(word in warning for warning in analyse(phantom.png(), toy, methods=()).warnings)


def test_a_colour_network_is_explained_in_colour(weights_folder, phantom):
    model = load_model("toy-resnet18-soft", folder=weights_folder)
    preprocess = model.card.preprocess.model_copy(update={"colour": True})
    colour = dataclasses.replace(model, card=model.card.model_copy(update={"preprocess": preprocess}))
    result = analyse(phantom.png(), colour, methods=("gradcam", "lime", "attention"), options=Options(samples=60))
    grey_result = analyse(phantom.png(), model, methods=())
    assert result.prediction.probabilities == pytest.approx(
        grey_result.prediction.probabilities, abs=1e-3
    )  # a grey picture has three equal channels
    assert all(attribution.values.shape == (256, 256) for attribution in result.attributions.values())


def test_no_published_slice_counts_as_a_photograph(chest_ct):
    assert all(read_image(case.path).provenance.colour_fraction <= COLOURED for case in CHEST_CT_SCAN.read(chest_ct))


def test_partners_differ_in_attention_only():
    cards = list_cards()
    alone = {"table", "dot", "border", "texture"}  # cheaters without a twin that has attention
    for card in cards:
        partner = partner_of(card, cards)
        if card.shortcut in alone or card.concepts or card.swapped_surroundings:  # nor has the concept network one, nor the mended one
            assert partner is None
            continue
        assert (
            partner is not None
            and partner.shortcut == card.shortcut
            and partner.backbone == card.backbone
            and (partner.attention == "none") != (card.attention == "none")
        )
    assert partner_of(cards[0], [cards[0]]) is None


def test_a_hidden_region_changes_the_answer_and_an_empty_one_is_refused(toy):
    image = make_phantom(3, size=128).image()
    region = np.zeros(image.shape, bool)
    region[40:90, 30:60] = True
    whole = analyse(image, toy, methods=()).prediction
    assert predict_without(image, toy, region).probabilities != whole.probabilities
    for nowhere in (np.zeros_like(region), np.pad(np.ones((1, 1), bool), ((0, 127), (0, 127)))):
        with pytest.raises(ImageError, match="outside"):
            predict_without(image, toy, nowhere)


def test_slow_checks_include_stability_where_the_map_is_slow(toy):
    image = make_phantom(3, size=96).image()
    progress_is_sound = []
    for method, names in (("gradcam", ["sanity"]), ("lime", ["stability", "sanity"])):
        options = Options(samples=60)
        result = analyse(image, toy, methods=[method], options=options)
        checks = slow_trust_checks(
            image, toy, result, method, options, on_progress=lambda done, total: progress_is_sound.append(done <= total)
        )
        assert [check.name for check in checks] == names and all(progress_is_sound)


def test_a_contour_is_held_against_the_controls(toy):
    phantom = make_phantom(5, size=128, lesion=Lesion((-10.0, -78.0), 30.0))
    result = analyse(phantom.image(), toy)
    check = contour_check(phantom.image(), toy, result, "gradcam", phantom.lesion)
    assert check.name == "localisation" and {"energy_inside_random", "energy_inside_centre"} <= set(check.numbers)


def test_a_map_that_selects_nothing_gets_no_support(toy_gate, phantom):
    """A flat mask would be stable, and as much in the lung as any; that is no reason to believe it."""
    result = analyse(phantom.image(), toy_gate, methods=["attention"])
    flat = result.attributions["attention"]
    flat.facts["flat_share"] = 1.0
    checks = list(trust_checks(phantom.image(), toy_gate, result, "attention"))
    of_map = [check for check in checks if CHECKS[check.name].of_map]
    assert len(of_map) == 4 and len(checks) == 7 and all(check.verdict is not Verdict.SUPPORTS for check in of_map)
    supported = Check("stability", "correlation", 1.0, 0.0, Verdict.SUPPORTS, "It is stable.")
    assert without_support(supported, flat).verdict is Verdict.UNCLEAR and "100%" in without_support(supported, flat).sentence
    flat.facts["flat_share"] = 0.1
    assert without_support(supported, flat) is supported


def test_doubts_about_the_image_are_warnings_and_harmless_facts_are_notes(toy, phantom):
    black = io.BytesIO()
    Image.new("L", (256, 256), 0).save(black, "PNG")
    empty = analyse(black.getvalue(), toy, methods=())
    assert any("no contrast" in warning for warning in empty.warnings)
    sagittal = analyse(dicom_with(ImageOrientationPatient=[0, 1, 0, 0, 0, -1]), toy, methods=()).to_dict()
    assert any("sagittal" in warning for warning in sagittal["warnings"]) and sagittal["image"]["orientation"] == "sagittal"
    body = np.full((256, 256), 40, np.float32)
    body[:40] = -1000
    no_lungs = analyse(dataclasses.replace(phantom.image(), pixels=body), toy, methods=())
    assert any("No lungs" in warning for warning in no_lungs.warnings)
    good = analyse(phantom.png(), toy, methods=())
    assert not any("lungs" in warning or "contrast" in warning for warning in good.warnings)


def test_a_prone_slice_gets_the_answer_of_the_usual_view_and_its_map_the_files_grid(toy, phantom):
    data = phantom.dicom()
    dataset = pydicom.dcmread(io.BytesIO(data))
    dataset.PatientPosition, dataset.ImageOrientationPatient = "HFP", [-1, 0, 0, 0, -1, 0]
    dataset.PixelData = np.ascontiguousarray(dataset.pixel_array[::-1, ::-1]).tobytes()
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    usual, prone = analyse(data, toy), analyse(buffer.getvalue(), toy)
    assert usual.prediction == prone.prediction and any("usual view" in note for note in prone.notes)
    assert not set(prone.warnings) - set(usual.warnings)
    np.testing.assert_array_equal(prone.values_in_file("gradcam"), usual.values_in_file("gradcam")[::-1, ::-1])


def test_frame_and_scale_reach_the_reader(toy):
    data = dicom_with(NumberOfFrames=4, Rows=16)
    assert any("frame 3" in warning for warning in analyse(data, toy, methods=()).warnings)
    assert any("Frame 2" in note for note in analyse(data, toy, methods=(), frame=2).notes)
    assert analyse(dicom_with(), toy, methods=(), scale="grey").image.unit == "grey"
    with pytest.raises(LungcadError, match="no frame 9"):
        analyse(data, toy, frame=9)
