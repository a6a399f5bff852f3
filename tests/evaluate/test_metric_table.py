"""A metric is one table entry: a new one is seen wherever metrics are."""

import json

import numpy as np
import pytest

from lungcad.bench.runs import synthetic_run
from lungcad.evaluate.metric import METRICS, Level, Metric, Needs, register
from lungcad.evaluate.metric_table import metrics_by_class, metrics_of, summarise
from lungcad.evaluate.paired_tests import compare_runs
from lungcad.evaluate.scoring import ScoredCases, baselines, report
from lungcad.evaluate.slices import slices
from lungcad.evaluate.stores.runs import read_run
from lungcad.models.card import TestResult
from lungcad.publish.cards_readme import results_table
from tests.conftest import make_card

NAME = "error rate"


@pytest.fixture
def error_rate():
    """One minus accuracy, as a metric of its own."""
    metric = register(
        Metric(
            NAME, "Share of the cases that are answered wrongly.", lambda of: of.resamples.mean((of.most_probable[0] != of.labels).astype(float)),
            level=Level.SUMMARY, higher_is_better=False,
        )
    )  # fmt: skip
    yield metric
    del METRICS[metric.key]


@pytest.fixture
def runs(tmp_path):
    for seed, name in enumerate(("one", "other")):
        synthetic_run(tmp_path, name, 120, seed)
    return read_run("one", tmp_path), read_run("other", tmp_path)


def test_a_new_metric_is_in_report_headlines_slices_and_comparison(error_rate, runs):
    one, other = runs
    wrong = (one.labels(one.test) != one.probabilities(one.test).argmax(1)).mean()
    found = report(one)[NAME]
    assert found.value == pytest.approx(wrong, abs=1e-4) and found.low < wrong < found.high
    assert ScoredCases(one).headlines()[NAME] == found
    parts = slices(one, one.test.assign(case=[f"{case}{'.png' if i % 2 else '.dcm'}" for i, case in enumerate(one.test.case)]))
    assert all(each.metrics[NAME].value == pytest.approx(1 - each.metrics["accuracy"].value, abs=1e-4) for each in parts) and parts
    assert NAME in {row.metric for row in compare_runs(one, other)}
    assert all(NAME in values for values in baselines(one).values())


def test_a_new_metric_is_in_cards_and_their_table(error_rate, runs):
    one = runs[0]
    tested = summarise(one.labels(one.test), one.probabilities(one.test), one.classes)
    card = make_card("toy", "resnet18", "none", "0" * 64).model_copy(update={"test": tested})
    again = TestResult.model_validate(json.loads(card.model_dump_json())["test"])
    assert again == tested and again.metrics[NAME].value == pytest.approx(1 - again.accuracy.value, abs=1e-4)
    head, _, row = results_table([card]).splitlines()
    assert f" {NAME} |" in head and str(tested.metrics[NAME]) in row and head.count("|") == row.count("|")


def test_without_it_cards_are_as_they_were(runs):
    one = runs[0]
    tested = summarise(one.labels(one.test), one.probabilities(one.test), one.classes)
    assert set(tested.model_dump()) == {"n", "accuracy", "macro_f1", "auc", "recall"}
    assert list(tested.metrics) == [metric.name for metric in metrics_of(Level.SUMMARY)]


def test_every_entry_says_what_it_is_and_keeps_to_its_axis(runs):
    one = runs[0]
    found = report(one)
    names = {metric.name: metric for metric in metrics_of(Level.REPORT)}
    names |= {f"{metric.name} {label}": metric for metric in metrics_by_class() for label in one.classes}
    assert list(found) == list(names)[: len(metrics_of(Level.REPORT))] + [
        f"{metric.name} {label}" for label in one.classes for metric in metrics_by_class()
    ]
    for name, metric in names.items():
        low, high = metric.axis
        assert metric.what.endswith(".") and metric.needs in Needs
        assert (low is None or found[name].low >= low) and (high is None or found[name].high <= high), name


def test_a_metric_for_two_classes_is_left_out_of_three(runs):
    metric = register(Metric("two only", "Nothing.", lambda of: np.ones(len(of.resamples)), level=Level.HEADLINE, classes=2))
    try:
        assert "two only" not in report(runs[0])
        assert "two only" not in {row.metric for row in compare_runs(*runs)}
    finally:
        del METRICS[metric.key]


def test_two_metrics_of_one_name_are_refused(error_rate):
    with pytest.raises(ValueError, match="two metrics of the name"):
        register(error_rate)
