"""The panels below the map: trust, all methods, nearest cases, hide a region, draw first."""

from types import SimpleNamespace

import numpy as np

from lungcad.app import cards, store, viewer
from lungcad.app.predict.methods import MOST_MAPS
from lungcad.errors import ModelError
from lungcad.explain import METHODS
from tests.app.pages import mounted, open_page, panes_of, predict_page, small_table


def test_the_slower_checks_run_on_a_button():
    page = predict_page("trust").run()
    before = len(page.expander)
    page.button(key="slow_checks_start").click().run()
    asked = [row.label for row in page.expander]
    assert not page.exception and len(asked) == before + 1 and "learnt" in asked[-1]


def test_a_slow_method_is_checked_only_after_it_ran():
    page = predict_page("trust").run()
    page.selectbox(key="method").select("lime").run()
    assert not page.exception and not page.expander and any("checked once it is shown" in caption.value for caption in page.caption)


def test_a_networks_partner_is_shipped_and_never_one_of_a_session(monkeypatch):
    cheat = store.cards()["phantom-cheat-dot"]
    own = SimpleNamespace(card=cheat.model_copy(update={"name": "lab-gate", "attention": "gate", "sha256": "0" * 16}))
    monkeypatch.setattr(cards, "own_networks", lambda: {"lab-gate": own})
    assert "lab-gate" in cards.cards() and store.partner("phantom-cheat-dot") is None and store.partner("lab-gate") is None
    assert store.partner("chest-resnet18").card.name == "chest-resnet18-cbam"


def test_methods_by_classes_are_panes_of_one_viewer_at_full_size():
    page = predict_page("methods").run()
    panes = panes_of(page, "methods")
    cheap = [name for name in page.multiselect(key="grid_methods").value if METHODS[name].for_class]
    assert not page.exception and len(panes) == 4 * len(cheap) + (len(page.multiselect(key="grid_methods").value) - len(cheap))
    image = page.session_state["source"].image
    assert {(pane["rows"], pane["columns"]) for pane in panes} == {image.shape} and len({pane["image"] for pane in panes}) == 1
    supplied = {facts["id"]: facts for facts, _ in mounted(page, "lungcad.viewer_values")}
    scales = {pane["title"].split(":")[0]: supplied[pane["map"]]["label"] for pane in panes}
    assert len(set(scales.values())) == len(scales) and all(
        label.startswith(method) for method, label in scales.items()
    )  # one scale a method
    page.multiselect(key="grid_classes").set_value([]).run()
    assert any("at least one method" in info.value for info in page.info)


def test_more_maps_than_a_browser_should_draw_are_left_out_and_said():
    page = predict_page("methods").run()
    page.multiselect(key="grid_methods").set_value(
        [name for name in METHODS if METHODS[name].title in page.multiselect(key="grid_methods").options]
    ).run()
    assert (
        not page.exception
        and len(panes_of(page, "methods")) == MOST_MAPS
        and any("to see the other" in caption.value for caption in page.caption)
    )


def test_nearest_cases_with_and_without_the_data_set(monkeypatch, shared_data):
    page = predict_page("nearest").run()
    panes = panes_of(page, "nearest_viewer")
    assert not page.exception and len(small_table(page, "distance")) == 6
    assert panes[0]["title"] == "this slice" and len(panes) == 7
    assert len(page.get("image")) == 4  # of the check without the lungs
    assert [pane["title"].split("distance ")[1] for pane in panes[1:]] == [row[1] for row in small_table(page, "distance").values()]
    sizes = [values.nbytes for facts, values in mounted(page, "lungcad.viewer_values") if "box" not in facts]
    assert max(min(pane["rows"], pane["columns"]) for pane in panes) > 384 and sum(sizes) < 16 << 20

    def nowhere(self):
        raise ModelError("not here")

    monkeypatch.setattr("lungcad.datasets.dataset.Dataset.locate", nowhere)
    page = predict_page("nearest").run()
    assert not page.exception and any("only ids and classes" in caption.value for caption in page.caption) and len(mounted(page)) == 1
    assert len(small_table(page, "distance")) == 6


def test_without_an_index_the_page_says_how_to_make_one(monkeypatch, tmp_path):
    monkeypatch.setattr(
        "lungcad.explain.neighbours.Index.read", lambda model: (_ for _ in ()).throw(ModelError("There is no index; make it."))
    )
    page = predict_page("nearest").run()
    assert not page.exception and "There is no index" in page.error[0].value and page.header[0].value


def test_a_network_without_index_or_trust_run_offers_no_nearest_cases_and_says_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setattr("lungcad.app.predict.panels.INDEX", tmp_path)
    page = open_page("1_Predict.py", panel="trust", model="phantom-honest-taught").run()
    assert not page.exception and not page.error and "Nearest training cases" not in page.selectbox(key="panel").options
    assert any("The maps of this network were not checked" in each.value for each in page.caption)


def draw(monkeypatch, corners):
    """As if the reader had drawn that polygon."""
    drawn = viewer.ViewerState((np.array(corners, dtype=float),))
    original = viewer.show
    monkeypatch.setattr(viewer, "show", lambda *args, **how: (original(*args, **how), drawn)[1])


SQUARE = [(60, 160), (220, 160), (220, 330), (60, 330)]


def test_erasing_a_region_moves_the_probabilities(monkeypatch):
    draw(monkeypatch, SQUARE)
    page = predict_page("erase").run()
    assert not page.exception and len(page.metric) == 4 and any(metric.delta != "+0.0 points" for metric in page.metric)
    page.selectbox(key="erase_fill").select("zero").run()
    assert not page.exception and len(page.metric) == 4


def test_a_region_outside_the_image_is_one_sentence(monkeypatch):
    draw(monkeypatch, [(-90, -90), (-60, -90), (-60, -60)])
    page = predict_page("erase").run()
    assert not page.exception and "outside" in page.error[0].value


def test_draw_first_hides_answer_and_map_until_they_are_revealed_for_every_image(monkeypatch):
    draw(monkeypatch, SQUARE)
    page = predict_page("draw").run()
    assert not page.exception and any("hidden until" in info.value for info in page.info)
    assert not page.header and not any("calibrated" in text.value for text in (*page.markdown, *page.get("html")))
    assert mounted(page)[0][0]["panes"][0]["map"] is None and len(mounted(page, "lungcad.viewer_values")) == 1 and not page.expander
    next(toggle for toggle in page.toggle if toggle.key.startswith("contour_reveal")).set_value(True).run()
    assert not page.exception and any("contour?" in row.label for row in page.expander)
    assert page.header[0].value and any("calibrated probability" in text.value for text in page.markdown)
    page.run()
    assert mounted(page)[0][0]["panes"][0]["map"] is not None
    page.selectbox(key="example").select_index(1).run()
    assert mounted(page)[0][0]["panes"][0]["map"] is None and not page.header


def test_draw_first_hides_the_true_contour_too(monkeypatch):
    draw(monkeypatch, SQUARE)
    page = open_page("1_Predict.py", panel="erase").run()
    page.toggle(key="true_contour").set_value(True).run()
    assert mounted(page)[0][0]["panes"][0]["contours"]
    page.selectbox(key="panel").select("draw").run()
    assert not page.exception and not mounted(page)[0][0]["panes"][0]["contours"]
    assert "true_contour" not in [toggle.key for toggle in page.toggle]
