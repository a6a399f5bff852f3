"""What the plots of evaluation runs draw, and what their CSV files hold."""

import copy
import json

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from lungcad.app.components.chart import chart_points
from lungcad.app.components.text import class_label
from lungcad.app.figures.curves import decision_figure, precision_recall_figure, reliability_figure, roc_figure
from lungcad.app.figures.runs import distributions, embedding, forest, score_histogram
from lungcad.estimate import Estimate
from lungcad.evaluate.curves import MOST_POINTS, roc
from lungcad.evaluate.scoring import ScoredCases
from lungcad.evaluate.stores.runs import read_run

RUN = "lidc-efficientnet-lite0"


@pytest.fixture(scope="module")
def scored():
    return ScoredCases(read_run(RUN))


def test_the_points_of_a_curve_are_its_csv(scored):
    run = read_run(RUN)
    figure = roc_figure([(run, scored.table)], "malignant", {})
    table = chart_points(figure)
    drawn = table[table.series == RUN]
    curve = roc(scored.labels == 1, scored.probabilities[:, 1])
    np.testing.assert_allclose(drawn.x, curve.x)
    np.testing.assert_allclose(drawn.y, curve.y)
    assert set(table.series) == {RUN, "chance"}


def test_a_heat_map_has_a_row_a_cell():
    table = chart_points(go.Figure(go.Heatmap(z=[[1.0, 2.0], [3.0, 4.0]], name="map")))
    assert table.to_dict("list") == {"series": ["map"] * 4, "x": [0, 1, 0, 1], "y": [0, 0, 1, 1], "value": [1.0, 2.0, 3.0, 4.0]}
    assert chart_points(go.Figure()).empty and list(chart_points(go.Figure(go.Box(y=[1, 2], name="b"))).y) == [1, 2]


def test_the_score_histogram_counts_every_case_once(scored):
    positive, scores = scored.labels == 1, scored.probabilities[:, 1]
    figure = score_histogram(positive, scores, "malignant", 0.5)
    assert [sum(trace.y) for trace in figure.data] == [positive.sum(), (~positive).sum()]


def test_wrong_answers_are_crosses_on_the_map(scored):
    places = np.random.default_rng(0).normal(size=(len(scored.table), 2))
    figure = embedding(("benign", "malignant"), places[:5], scored.table.label.to_numpy()[:5], places, scored.table)
    crosses = sum((np.array(trace.marker.symbol) == "x").sum() for trace in figure.data if trace.name.endswith(", test"))
    assert crosses == (scored.labels != scored.answers).sum()


def test_a_thinned_curve_keeps_its_area():
    rng = np.random.default_rng(0)
    positive = rng.random(200_000) < 0.3
    scores = rng.normal(positive, 1.0)
    curve = roc(positive, scores)
    assert len(curve.x) <= MOST_POINTS
    assert np.trapezoid(curve.y, curve.x) == pytest.approx(roc_auc_score(positive, scores), abs=1e-4)


def test_each_method_of_a_trust_run_has_its_box():
    cases = pd.DataFrame({"case": ["a", "b", "a"], "method": ["gradcam", "gradcam", "random"], "faithfulness": [0.1, 0.3, np.nan]})
    figure = distributions(cases, "faithfulness", "faithfulness", {"gradcam": "Grad-CAM"})
    assert [trace.name for trace in figure.data] == ["Grad-CAM"] and list(figure.data[0].y) == [0.1, 0.3]


def test_the_steps_of_a_precision_recall_curve_have_the_average_precision_as_area(scored):
    figure = precision_recall_figure([(read_run(RUN), scored.table)], "malignant", {})
    (trace,) = figure.data
    assert trace.line.shape == "vh"  # at each recall the precision of the step that ends there
    area = (np.diff(trace.x) * np.array(trace.y)[1:]).sum()
    assert area == pytest.approx(average_precision_score(scored.labels == 1, scored.probabilities[:, 1]), abs=1e-3)


def test_trivial_baselines_are_in_every_curve(scored):
    run = read_run(RUN)
    baseline = {"always so": scored.table.assign(**{"p:benign": 0.6, "p:malignant": 0.4})}
    tables = [(run, scored.table)]
    for figure in (
        roc_figure(tables, "malignant", baseline),
        precision_recall_figure(tables, "malignant", baseline),
        reliability_figure(tables, baseline),
        decision_figure(tables, "malignant", baseline),
    ):
        lines = {trace.name: trace.line for trace in figure.data}
        assert lines["trivial: always so"].dash and lines[RUN].dash is None
    treated = dict(zip(figure.data[-1].x, figure.data[-1].y, strict=True))  # called malignant by all thresholds up to 0.4, by none above
    prevalence = (scored.labels == 1).mean()
    assert treated[0.2] == pytest.approx(prevalence - (1 - prevalence) * 0.25) and treated[0.5] == 0


def test_a_forest_has_every_part_and_is_hollow_where_few():
    rows = [("size", "small", Estimate(value=0.8, low=0.7, high=0.95), False), ("size", "big", Estimate(value=0.5, low=0.1, high=0.9), True),
            ("format", "png", Estimate(value=None, low=None, high=None), False)]  # fmt: skip
    figure = forest(rows, "accuracy", Estimate(value=0.7, low=0.6, high=0.8))
    (trace,) = figure.data
    assert list(trace.y) == ["size: small", "size: big"] and list(trace.marker.symbol) == ["circle", "circle-open"]
    np.testing.assert_allclose(np.array(trace.x) - trace.error_x.arrayminus, [0.7, 0.1])
    np.testing.assert_allclose(np.array(trace.x) + trace.error_x.array, [0.95, 0.9])
    assert chart_points(figure).x.tolist() == [0.8, 0.5] and figure.layout.shapes[0].x0 == 0.7


def test_a_plot_that_went_through_a_cache_still_has_numbers():
    x, z = np.linspace(0, 1, 7), np.arange(6.0).reshape(2, 3)
    figure = go.Figure([go.Scatter(x=x, y=x**2, name="curve"), go.Heatmap(z=z, name="map")])
    cached = go.Figure(json.loads(figure.to_json()))  # Plotly's own form, with base64 for arrays, as Streamlit's cache keeps it
    assert isinstance(cached.data[0].y, dict) or "bdata" in figure.to_json()
    for drawn in (figure, cached, copy.deepcopy(figure)):
        points = chart_points(drawn)
        np.testing.assert_allclose(points.y[points.series == "curve"].astype(float), x**2)
        np.testing.assert_allclose(points.value[points.series == "map"].astype(float), z.ravel())


def test_a_class_called_by_a_number_keeps_its_name():
    assert class_label("1.0") == "1.0" and class_label("large.cell.carcinoma") == "large cell carcinoma"
