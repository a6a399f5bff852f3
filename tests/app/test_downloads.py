"""Every file that a page offers is opened and compared with what the page shows.

``STATES`` lists where each is offered; a download, or a plot with its CSV, that stands in the source and in no state fails
``test_every_download_is_in_the_list``; one that a state offers without saying so fails that state. Streamlit's own CSV of a table and the
viewer's PNG need a browser: ``tests/e2e/test_downloads.py``.
"""

import ast
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from streamlit.elements.widgets import button
from streamlit.testing.v1 import AppTest

from lungcad.app.lab import trainings
from lungcad.app.volume.source import Opened
from lungcad.errors import DatasetError
from lungcad.evaluate.reader_study import AFTER, BEFORE
from lungcad.imaging.phantom_volume import EXAMPLE_BALLS, make_phantom_volume
from lungcad.lab.settings import LabSettings
from tests.app.download_comparisons import COMPARED, REPORT, table_of
from tests.app.drawn import charts_of, same_as_drawn
from tests.app.lab_training import a_training
from tests.app.own_folder import finished
from tests.app.pages import ROOT, open_page
from tests.conftest import CLASSES, write_phantoms

APP = ROOT / "lungcad" / "app"
RUN, OTHER = "chest-resnet18", "chest-resnet18-cbam"
LIDC = "lidc-efficientnet-lite0,lidc-efficientnet-lite0-soft"


@dataclass(frozen=True)
class State:
    """A page in a state, and the places in the source, ``file function``, whose downloads it offers. act: what a reader does there first."""

    name: str
    page: str
    query: dict[str, str]
    offers: frozenset[str]
    act: Callable[[AppTest, Path], AppTest] = field(default=lambda page, _: page)


def of_own_folder(page: AppTest, folder: Path) -> AppTest:
    """A folder with a copy in both parts, audited, and a network evaluated on it."""
    write_phantoms(folder, 3)
    (folder / "test" / CLASSES[0] / "copy.png").write_bytes((folder / "train" / CLASSES[0] / "0.png").read_bytes())
    (folder / "test" / CLASSES[1] / "damaged.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing")
    page.text_input(key="own_folder").set_value(str(folder)).run()
    return finished(finished(page, "audit"), "evaluation")


def trained_in_the_lab(page: AppTest, _: Path) -> AppTest:
    """As if the training with seed 99 had ended."""
    trained = a_training(LabSettings(seed=99))
    trainings._TRAININGS[trained.settings.key] = trained
    return page


def series_read(page: AppTest, _: Path) -> AppTest:
    """As if a small made-up chest had been opened and its network started."""
    phantom = make_phantom_volume(7, size=64, spacing_mm=12, balls=EXAMPLE_BALLS)
    page.session_state["volume_shown"], page.session_state["volume_start"] = Opened(phantom.volume, "A chest", phantom=phantom), True
    return page.run()


AUDIT = {REPORT, "datasets/audit.py show_audit", "datasets/file_figures.py show_files", "datasets/file_figures.py show_shares"}
BY_RUN = frozenset(
    {"compare/runs.py _show_curves", "compare/runs.py _show_cases", "compare/cost.py _cost_and_gain", "compare/regions.py show_regions",
     "components/mended.py show_mended"}
)  # fmt: skip
CURVES = {"metrics/curves.py show_curves", REPORT}


def metrics(section: str, *offers: str, runs: str = RUN, **query: str) -> State:
    return State(
        " ".join((section, *query.values())),
        "3_Metrics.py",
        {"runs": runs, "section": section, **query},
        frozenset(CURVES | {each if "/" in each else f"metrics/{each}" for each in offers}),
    )


STATES = (
    State("Predict", "1_Predict.py", {"panel": "erase", "model": "chest-efficientnet-lite0", "example": "spiculated-lesion.dcm"},
          frozenset({"predict/heatmap.py show_facts", "predict/heatmap.py offer_json", "predict/trust.py show_check", REPORT,
                     "predict/report.py _offer_objects"})),
    *(
        State(f"two runs {curve}", "2_Compare.py", {"view": "runs", "first": RUN, "second": OTHER, "curve": curve, "cost": cost},
              BY_RUN)
        for curve, cost in (("ROC", "GFLOPs"), ("Reliability", "parameters"))
    ),
    metrics("Cases", "cases.py show_grid", "case_charts.py show_mean_maps", mean_maps="True"),
    metrics("Cases", "cases.py show_grid", "case_charts.py show_scores", by="Scores", curve="Precision-recall", sort="confidence"),
    metrics("Cases", "cases.py show_grid", "case_charts.py show_embedding", by="Map of the cases", sort="faithfulness"),
    metrics("Cases", "cases.py show_grid", "case_charts.py show_embedding", by="Map of the cases", map="PCA", without_copies="True"),
    metrics("Operating point", "operating_point.py show_operating_point", curve="Reliability", runs=LIDC),
    metrics("Classes", curve="Decision curve"),
    metrics("Sets of classes", "sets.py show_sets"),
    metrics("Slices", "slices.py _show_parts"),
    metrics("Folds", "slices.py _show_parts", runs="iq-efficientnet-lite0-folds"),
    metrics("Heat maps", "heatmaps.py show_trust", runs="chest-efficientnet-lite0"),
    metrics("Groups of explanations", "cases.py show_grid", "groups.py show_groups"),
    metrics("Concepts", "concepts.py show_concepts", runs="lidc-efficientnet-lite0-concepts"),
    metrics("Concepts", "concepts.py _show_tcav", runs="lidc-efficientnet-lite0"),
    metrics("Learning curves", "curves.py show_learning"),
    metrics("Regions", "regions.py show_regions", "components/mended.py show_mended", runs="iq-efficientnet-lite0-soft"),
    State("a published data set", "4_Datasets.py", {"dataset": "chest-ct-scan"},
          frozenset(AUDIT | {"datasets/about.py _draw_counts", "datasets/without_lungs.py _show", "components/mended.py show_mended"})),
    State("two networks by region", "2_Compare.py", {"view": "runs", "first": "iq-efficientnet-lite0", "second": "iq-efficientnet-lite0-soft"},
          BY_RUN),
    State("a folder of one's own", "4_Datasets.py", {"dataset": "own"},
          frozenset(AUDIT | {"datasets/evaluate.py _show_curves", "datasets/evaluate.py _show_answers"}), of_own_folder),
    State("a series", "5_Volume.py", {}, frozenset({"volume/network.py show_answer", REPORT}), series_read),
    State("the lab", "6_Lab.py", {"seed": "99"}, frozenset({"lab/live.py _draw", "lab/result.py _show_one"}), trained_in_the_lab),
)  # fmt: skip
ELSEWHERE = {"compare/reader_study.py _results", "volume/report.py _offer_objects"}
"""Needs the published images: a test of its own below. Needs a series of DICOM files: ``test_volume_page.py`` and ``report/test_series_objects.py``."""


@pytest.fixture
def offered(monkeypatch):
    """File name -> (place in the source, what it holds or the function that makes it), of the page that ran last."""
    found: dict[str, tuple[str, object]] = {}
    original = button.marshall_file

    def recording(coordinates, data, proto, mimetype, file_name=None, **how):
        found[file_name] = (place_of(sys._getframe()), data)
        original(coordinates, data, proto, mimetype, file_name, **how)

    monkeypatch.setattr(button, "marshall_file", recording)
    return found


def place_of(frame) -> str:
    """The first function of a page on the way out."""
    while not (is_page_part(Path(frame.f_code.co_filename))):
        frame = frame.f_back
    return f"{Path(frame.f_code.co_filename).relative_to(APP).as_posix()} {frame.f_code.co_name}"


def is_page_part(file: Path) -> bool:
    return file.is_relative_to(APP) and file != APP / "components" / "chart.py"


def test_every_download_is_in_the_list():
    """And no plot stands on a page without its numbers."""
    listed = frozenset.union(*(state.offers for state in STATES)) | ELSEWHERE
    found, bare = set(), set()
    for path in [*APP.rglob("*.py"), *(ROOT / "pages").glob("*.py"), ROOT / "streamlit_app.py"]:
        for function in ast.walk(ast.parse(path.read_text())):
            if not isinstance(function, ast.FunctionDef):
                continue
            for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
                name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
                place = f"{path.relative_to(APP).as_posix() if path.is_relative_to(APP) else path.name} {function.name}"
                if name in ("download_button", "chart_with_csv") and is_page_part(path):
                    found.add(place)
                if name in (
                    "plotly_chart",
                    "altair_chart",
                    "line_chart",
                    "bar_chart",
                    "scatter_chart",
                    "pyplot",
                    "vega_lite_chart",
                ) and is_page_part(path):
                    bare.add(place)
    assert found == listed, "each download needs a state above that opens it, and a comparison below"
    assert not bare, "draw it with chart_with_csv"


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
def test_every_file_holds_what_the_page_shows(state, offered, monkeypatch, tmp_path):
    if state.query.get("dataset") != "own":  # the same with and without the published images

        def nowhere(self):
            raise DatasetError("It is not on this machine.")

        monkeypatch.setattr("lungcad.datasets.dataset.Dataset.locate", nowhere)
    page = open_page(state.page, **state.query).run()
    offered.clear()
    page = state.act(page, tmp_path).run()
    assert not page.exception and not page.error
    assert {place for place, _ in offered.values()} == state.offers
    charts = charts_of(page)
    for name, (place, data) in offered.items():
        key = name.removeprefix("lungcad-").removesuffix(".csv")
        if key in charts:
            same_as_drawn(table_of(data), charts.pop(key))
        else:
            COMPARED[place, Path(name).suffix](page, data)
    assert not charts, f"drawn without a CSV: {set(charts)}"


def test_the_readings_of_a_blind_reading(offered, shared_data):
    page = open_page("2_Compare.py", view="blind", networks="lidc-efficientnet-lite0").run()
    for key in ("answer_1", "answer_2", "answer_2", "answer_2", "answer_1", "answer_1"):
        page.button(key=key).click().run()
    (place, data) = offered["lungcad-readings.csv"]
    table, shown = table_of(data), page.dataframe[0].value.set_index("answers")
    assert place in ELSEWHERE and not page.exception and len(table) == 3
    assert list(table.before) == ["benign", "malignant", "benign"] and list(table.after) == ["malignant", "malignant", "benign"]
    for who, column in ((BEFORE, "before"), (AFTER, "after"), ("lidc-efficientnet-lite0", "lidc-efficientnet-lite0")):
        assert shown.loc[who, "accuracy"] == pytest.approx((table[column] == table.truth).mean(), abs=6e-4)
