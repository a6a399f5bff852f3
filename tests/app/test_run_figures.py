"""What the plots of evaluation runs draw, and what their CSV files hold."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from sklearn.metrics import roc_auc_score

from lungcad.app import run_figures
from lungcad.app.figures import points
from lungcad.evaluate.curves import MOST_POINTS, roc
from lungcad.evaluate.report import ScoredCases
from lungcad.evaluate.runs import read_run

RUN = "lidc-efficientnet-lite0"


@pytest.fixture(scope="module")
def scored():
    return ScoredCases(read_run(RUN))


def test_the_points_of_a_curve_are_its_csv(scored):
    run = read_run(RUN)
    figure = run_figures.roc_figure([(run, scored.table)], "malignant", {})
    table = points(figure)
    drawn = table[table.series == RUN]
    curve = roc(scored.labels == 1, scored.probabilities[:, 1])
    np.testing.assert_allclose(drawn.x, curve.x)
    np.testing.assert_allclose(drawn.y, curve.y)
    assert set(table.series) == {RUN, "chance"}


def test_a_heat_map_has_a_row_a_cell():
    table = points(go.Figure(go.Heatmap(z=[[1.0, 2.0], [3.0, 4.0]], name="map")))
    assert table.to_dict("list") == {"series": ["map"] * 4, "x": [0, 1, 0, 1], "y": [0, 0, 1, 1], "value": [1.0, 2.0, 3.0, 4.0]}
    assert points(go.Figure()).empty and list(points(go.Figure(go.Box(y=[1, 2], name="b"))).y) == [1, 2]


def test_the_score_histogram_counts_every_case_once(scored):
    positive, scores = scored.labels == 1, scored.probabilities[:, 1]
    figure = run_figures.score_histogram(positive, scores, "malignant", 0.5)
    assert [sum(trace.y) for trace in figure.data] == [positive.sum(), (~positive).sum()]


def test_wrong_answers_are_crosses_on_the_map(scored):
    places = np.random.default_rng(0).normal(size=(len(scored.table), 2))
    figure = run_figures.embedding(("benign", "malignant"), places[:5], scored.table.label.to_numpy()[:5], places, scored.table)
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
    figure = run_figures.distributions(cases, "faithfulness", "faithfulness", {"gradcam": "Grad-CAM"})
    assert [trace.name for trace in figure.data] == ["Grad-CAM"] and list(figure.data[0].y) == [0.1, 0.3]
