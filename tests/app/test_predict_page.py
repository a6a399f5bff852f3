"""The logic of the Predict page and the front door."""

import gc
import hashlib
import shutil
from collections import Counter

import pytest
import streamlit
from streamlit.testing.v1 import AppTest

from lungcad.analysis import Analysis
from lungcad.app import results, session
from lungcad.app.results import MAX_RESULTS
from lungcad.explain import Attribution
from lungcad.imaging import CTImage
from lungcad.imaging.phantom import make_phantom
from lungcad.models import list_cards
from tests.app.pages import mounted, predict_page, result, upload
from tests.bad_files import bad_files

BAD = bad_files()
NAMES = [card.name for card in list_cards()]
GATE = "chest-efficientnet-lite0-gate"
DICOM = next(name for name in session.example_names() if name.endswith(".dcm"))


@pytest.fixture
def page(without_trust_checks) -> AppTest:
    """The tests of the checks open the page themselves."""
    return predict_page()


@pytest.mark.parametrize("kind", ["png", "dicom"])
def test_upload(page, kind):
    page.run()
    upload(page, "slice", getattr(make_phantom(21, size=128), kind)())
    assert not page.exception and not page.error
    assert page.session_state["source"].caption == "Uploaded image" and page.selectbox(key="example").value is None
    windows = [each["name"] for each in mounted(page)[0][0]["windows"]]
    if kind == "dicom":
        assert windows[0] == "lung" and {"from file", "as the network saw it"} <= set(windows)
    else:
        assert windows == []


def test_several_files_are_stepped_through(page):
    page.run()
    files = [make_phantom(seed, size=128).png() for seed in (21, 22)]
    page.file_uploader[0].set_value([(f"{i}.png", data, "image/png") for i, data in enumerate([files[0], b"words", files[1]])]).run()
    first = result(page)["image_sha256"]
    assert first == hashlib.sha256(files[0]).hexdigest() and page.session_state["source"].caption == "Uploaded image 1 of 3"
    page.button(key="next_file").click().run()
    assert "not an image" in page.error[0].value and page.session_state["source"].caption == "Uploaded image 1 of 3"
    page.button(key="next_file").click().run()
    assert not page.error and page.session_state["source"].image.provenance.sha256 == hashlib.sha256(files[1]).hexdigest()
    assert page.button(key="next_file").disabled


def test_a_file_that_is_dropped_later_is_shown(page):
    page.run()
    first, second = (("mine.png", make_phantom(seed, size=128).png(), "image/png") for seed in (21, 22))
    page.file_uploader[0].set_value([first]).run()
    page.file_uploader[0].set_value([first, second]).run()
    assert page.session_state["source"].caption == "Uploaded image 2 of 2"
    assert page.session_state["source"].image.provenance.sha256 == hashlib.sha256(second[1]).hexdigest()
    page.file_uploader[0].set_value([first]).run()
    assert page.session_state["source"].image.provenance.sha256 == hashlib.sha256(first[1]).hexdigest()


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_one_sentence_and_the_previous_result_stays(page, name):
    page.run()
    upload(page, "good.png", make_phantom(21, size=128).png())
    before = result(page)["image_sha256"]
    upload(page, name, BAD[name][0])
    assert not page.exception
    assert BAD[name][1] in page.error[0].value and "previous image" in page.error[0].value
    assert result(page)["image_sha256"] == before and page.header[0].value


def test_target_class_and_network_change_the_explanation(page):
    page.run()
    page.selectbox(key="target").select("squamous.cell.carcinoma").run()
    assert result(page)["explained_class"] == "squamous.cell.carcinoma"
    page.selectbox(key="model").select(GATE).run()
    assert result(page)["model"] == GATE
    page.selectbox(key="method").select("attention").run()
    assert not page.exception and "attention" in result(page)["attributions"]


def test_what_a_map_says_of_itself_is_shown(page):
    """The shipped gate's mask is flat on a phantom, and the page says so beside it."""
    page.query_params["model"], page.query_params["method"] = GATE, "attention"
    page.run()
    assert any("selects hardly anything" in warning.value for warning in page.warning)


def test_attention_is_offered_only_where_there_is_one(page):
    page.run()
    for card in {card.attention: card for card in list_cards()}.values():
        page.selectbox(key="model").select(card.name).run()
        assert ("Attention map" in page.selectbox(key="method").options) == (card.attention != "none")


def test_lime_runs_and_shows_its_result(page):
    page.run()
    page.selectbox(key="method").select("lime").run()
    page.select_slider(key="lime_samples").set_value(250).run()
    assert "lime" not in result(page)["attributions"]
    page.button(key="slow_map_start").click().run()
    facts = result(page)["attributions"]["lime"]["facts"]
    assert not page.exception and facts["samples"] == 250


def test_lime_can_be_stopped(page, monkeypatch):
    """A run that is under way ends at its next progress report when Stop reruns the script; nothing half-done is kept."""
    page.run()
    page.selectbox(key="method").select("lime").run()

    def interrupted(*args, on_progress, **kwargs):
        on_progress(50, 1000)
        streamlit.session_state.update(slow_map_running=None, slow_map_stopped=streamlit.session_state["slow_map_running"])
        streamlit.rerun()  # raises in the running script what a click raises

    monkeypatch.setattr(session, "analyse", interrupted)
    page.button(key="slow_map_start").click().run()
    assert not page.exception and any("stopped" in info.value for info in page.info)
    assert "lime" not in result(page)["attributions"] and page.button(key="slow_map_start").label == "Run LIME"


def test_settings_belong_to_the_method(page):
    page.run()
    page.selectbox(key="layer").select("before").run()
    assert any("Computed on 14×14 cells" in caption.value for caption in page.caption)
    assert mounted(page, "lungcad.viewer_values")[1][0]["sides"] == ["for", "against"]
    page.selectbox(key="method").select("occlusion").run()
    assert not page.exception and "layer" not in [box.key for box in page.selectbox]
    assert mounted(page, "lungcad.viewer_values")[1][0]["sides"] == ["both", "for", "against"]
    assert result(page)["attributions"]["occlusion"]["facts"]["window"] == 32


def test_two_sessions_never_see_each_others_images():
    one, two = (predict_page().run() for _ in range(2))
    upload(one, "mine.png", make_phantom(31, size=128).png())
    upload(two, "yours.png", make_phantom(32, size=128).png())
    assert one.session_state["source"].image is not two.session_state["source"].image
    assert result(one)["image_sha256"] not in {key[1] for key in (*two.session_state["results"], *session._OF_EXAMPLES)}


def test_an_example_is_computed_for_all_sessions_once(monkeypatch):
    first = predict_page("trust").run()

    def again(*_, **__):
        raise AssertionError("computed twice")

    monkeypatch.setattr(session, "analyse", again)
    monkeypatch.setattr("lungcad.app.predict.trust.trust_checks", again)
    second = predict_page("trust").run()
    assert not second.exception and "results" not in second.session_state
    assert [text.value for text in second.markdown] == [text.value for text in first.markdown]
    assert [row.label for row in second.expander] == [row.label for row in first.expander]


def test_results_in_a_session_are_bounded(page):
    page.run()
    upload(page, "slice.png", make_phantom(22, size=128).png())
    for _ in range(2):
        for target in ("normal", "adenocarcinoma"):
            page.selectbox(key="target").select(target).run()
    kept = page.session_state["results"].values()
    assert sum(isinstance(each, Analysis) for each in kept) == 4 and len(kept) <= MAX_RESULTS  # the prediction and three explained classes
    for number in range(2 * MAX_RESULTS):
        kept = page.session_state["results"]
        kept[(number,)] = None
    page.selectbox(key="target").select("squamous.cell.carcinoma").run()
    assert len(page.session_state["results"]) <= MAX_RESULTS


def test_the_link_carries_network_and_method(page):
    page.query_params["model"], page.query_params["method"] = GATE, "attention"
    page.run()
    assert page.selectbox(key="model").value == GATE and page.selectbox(key="method").value == "attention"


@pytest.mark.parametrize(
    ("query", "kind", "key", "value"),
    [
        ({"layer": "before"}, "selectbox", "layer", "before"),
        ({"method": "lime", "lime_samples": "250"}, "select_slider", "lime_samples", 250),
        ({"method": "lime", "lime_segments": "grid"}, "selectbox", "lime_segments", "grid"),
        ({"method": "lime", "lime_fill": "blur"}, "selectbox", "lime_fill", "blur"),
    ],
)
def test_the_link_carries_every_setting(page, query, kind, key, value):
    """Set by hand it comes into the link; the link sets it."""
    again = predict_page()
    for name, text in query.items():
        page.query_params[name] = again.query_params[name] = text
    del page.query_params[key]
    page.run()
    widget = getattr(page, kind)(key=key)
    assert widget.value != value
    widget.set_value(value).run()
    assert not page.exception and page.query_params[key] == query[key]
    again.run()
    assert not any("unknown" in info.value for info in again.info)
    assert not again.exception and getattr(again, kind)(key=key).value == value


def test_a_link_with_unknown_values_still_works(page):
    page.query_params["model"], page.query_params["example"] = "nope", "../../etc/passwd"
    page.run()
    assert not page.exception and page.selectbox(key="model").value in NAMES
    assert sum("unknown" in info.value for info in page.info) == 2


def test_without_networks_the_page_says_what_to_do(page, monkeypatch):
    monkeypatch.setattr("lungcad.app.store.cards", dict)
    page.run()
    assert not page.exception and "No network is installed" in page.info[0].value


def test_weights_that_fail_their_hash_are_one_sentence(page, monkeypatch, tmp_path):
    from lungcad.app import store
    from lungcad.models.weights import WEIGHTS, load_model

    shutil.copytree(WEIGHTS, tmp_path / "weights")
    for path in (tmp_path / "weights").glob("*.safetensors"):
        path.write_bytes(b"damaged")
    store._model.clear()
    monkeypatch.setattr(store, "load_model", lambda name: load_model(name, folder=tmp_path / "weights"))
    page.run()
    assert not page.exception and "does not match the sha256" in page.error[0].value


def test_a_visitor_who_goes_on_and_on_leaves_no_more_behind_than_the_last_two_images(page, monkeypatch):
    monkeypatch.setattr(results, "MAX_IMAGES", 1)
    page.run()
    counts = []
    for seed in range(30, 36):
        upload(page, "slice", make_phantom(seed, size=128).png())
        gc.collect()
        counts.append(Counter(type(thing).__name__ for thing in gc.get_objects() if isinstance(thing, CTImage | Analysis | Attribution)))
    assert counts[-1]["CTImage"] and counts[2:] == [counts[2]] * 4
