"""A run in one row: what it is and its headline numbers."""

from typing import Any

from lungcad.estimate import Estimate
from lungcad.evaluate.metric import Level
from lungcad.evaluate.metric_table import metrics_of
from lungcad.evaluate.scoring import report
from lungcad.evaluate.stores.runs import Run
from lungcad.names import printable

FACTS = ("dataset", "task", "protocol", "network", "backbone", "attention", "seed", "folds", "date")


def headlines() -> list[str]:
    """Names of the metrics over all classes that lists of runs show."""
    return [metric.name for metric in metrics_of(Level.SUMMARY) if metric.classes is None]


def headline_values(run: Run) -> dict[str, Estimate]:
    """Their values on the run's test part."""
    values = report(run)
    return {name: values[name] for name in headlines()}


def run_summary(run: Run, values: dict[str, Estimate]) -> dict[str, Any]:
    """Plain data for JSON. values: of :func:`headline_values`."""
    facts = {key: run.facts.get(key) for key in FACTS}
    return {"run": printable(run.name), **facts, "n": len(run.test), **{name: value.model_dump() for name, value in values.items()}}
