"""The metrics, an entry each, in the order of reports; reports, cards, slices, comparisons, pages and READMEs read the table.

A metric of its own file is imported here.
"""

import numpy as np
import pandas as pd

from lungcad.evaluate import metrics
from lungcad.evaluate.bootstrap import Resamples
from lungcad.evaluate.metric import METRICS, Answers, Level, Metric, Needs, PairedTest, register
from lungcad.models.card import TestResult

register(
    Metric(
        "accuracy", "Share of the cases whose most probable class is the true one.", lambda of: metrics.accuracy(of.confusion),
        level=Level.SUMMARY, paired_test=PairedTest.MCNEMAR,
    )
)  # fmt: skip
register(
    Metric(
        "balanced accuracy", "Mean over the classes of their sensitivity: chance is one over the number of classes.",
        lambda of: metrics.mean(metrics.recall(of.confusion)), level=Level.HEADLINE,
    )
)  # fmt: skip
register(
    Metric(
        "macro F1", "Mean over the classes of F1, the harmonic mean of sensitivity and PPV.", lambda of: metrics.macro_f1(of.confusion),
        level=Level.SUMMARY,
    )
)  # fmt: skip
register(
    Metric(
        "ROC-AUC", "Area under the ROC curve, mean over the classes against the rest: 0.5 is chance.", lambda of: metrics.mean(of.areas[0]),
        Needs.PROBABILITIES, Level.SUMMARY,
    )
)  # fmt: skip
register(
    Metric(
        "PR-AUC", "Average precision, mean over the classes against the rest: chance is a class's share of the cases.",
        lambda of: metrics.mean(of.areas[1]), Needs.PROBABILITIES, Level.HEADLINE,
    )
)  # fmt: skip
register(
    Metric(
        "kappa", "Agreement with the truth beyond chance (Cohen 1960), with quadratic weights for grades (Cohen 1968): 0 is chance.",
        lambda of: metrics.cohen_kappa(of.confusion, quadratic=of.ordinal), level=Level.HEADLINE, axis=(-1.0, 1.0),
    )
)  # fmt: skip
register(
    Metric(
        "Brier score", "Mean squared distance of the probabilities to the truth (Brier 1950).",
        lambda of: metrics.brier_score(of.labels, of.probabilities, of.resamples), Needs.PROBABILITIES, Level.HEADLINE, axis=(0.0, 2.0),
        higher_is_better=False,
    )
)  # fmt: skip
register(
    Metric(
        "ECE", "Expected calibration error, the gap between confidence and accuracy in 15 bins of the confidence (Guo et al., 2017).",
        lambda of: metrics.expected_calibration_error(of.most_probable[0] == of.labels, of.most_probable[1], of.resamples),
        Needs.PROBABILITIES, Level.HEADLINE, higher_is_better=False,
    )
)  # fmt: skip
register(
    Metric("F1", "Harmonic mean of the class's sensitivity and PPV.", lambda of: metrics.f1_by_class(of.confusion), per_class=True),
)
register(
    Metric(
        "ROC-AUC", "Area under the ROC curve of the class against the rest.", lambda of: of.areas[0], Needs.PROBABILITIES,
        per_class=True, paired_test=PairedTest.DELONG,
    )
)  # fmt: skip


def _binary_rate(name: str, what: str, axis: tuple[float | None, float | None] = (0.0, 1.0)) -> Metric:
    """One of :func:`~lungcad.evaluate.metrics.binary_rates`, of each class against the rest."""

    def compute(of: Answers) -> np.ndarray:
        tables = (metrics.one_against_rest(of.confusion, c) for c in range(len(of.classes)))
        return np.stack([metrics.binary_rates(table)[name] for table in tables], axis=1)

    return register(Metric(name, what, compute, per_class=True, axis=axis))


SENSITIVITY = _binary_rate("sensitivity", "Share of the class's cases that are called so (recall).")
_binary_rate("specificity", "Share of the other cases that are not called so.")
_binary_rate("PPV", "Positive predictive value, the share of those called so that are (precision).")
_binary_rate("NPV", "Negative predictive value, the share of those not called so that are not.")
_binary_rate(
    "diagnostic odds ratio", "Odds of being called so among the class's cases over those among the others (Glas et al., 2003).", (0.0, None)
)


def metrics_of(level: Level) -> list[Metric]:
    """The metrics over all classes that are shown at that level: headlines, or what cards, slices and lists of runs show."""
    return [metric for metric in METRICS.values() if not metric.per_class and metric.level >= level]


def metrics_by_class() -> list[Metric]:
    """The metrics of each class against the rest."""
    return [metric for metric in METRICS.values() if metric.per_class]


def all_metrics(
    labels: np.ndarray, probabilities: np.ndarray, classes: tuple[str, ...], resamples: Resamples, *, ordinal: bool = False
) -> dict[str, np.ndarray]:
    """Name -> (B,) values of every metric of :data:`METRICS`, the sample's and its resamples'; NaN where a metric is not defined.

    A metric by class stands under its name and the class's: "sensitivity malignant". ordinal: the classes are grades.
    """
    answers = Answers(labels, probabilities, classes, resamples, ordinal=ordinal)
    values = computed(answers, metrics_of(Level.REPORT))
    by_class = {metric.name: metric.compute(answers) for metric in metrics_by_class() if metric.suits(len(classes))}
    for c, label in enumerate(classes):
        values |= {f"{name} {label}": each[:, c] for name, each in by_class.items()}
    return values


def computed(answers: Answers, chosen: list[Metric]) -> dict[str, np.ndarray]:
    """Name -> (B,) values of those of the metrics that suit the number of classes."""
    return {metric.name: metric.compute(answers) for metric in chosen if metric.suits(len(answers.classes))}


def summarise(
    labels: np.ndarray, probabilities: np.ndarray, classes: tuple[str, ...], *, groups: np.ndarray | pd.Series | None = None, seed: int = 0
) -> TestResult:
    """The metrics of a model card.

    labels: (n,) class indices. probabilities: (n, K). groups: (n,) names; cases of one group are drawn together. Intervals: percentile
    bootstrap (:class:`~lungcad.evaluate.bootstrap.Resamples`). Classes without a case count in no average; a metric that is not defined is None.
    """
    n = len(labels)
    resamples = Resamples.of(np.arange(n) if groups is None else groups, seed=seed)
    answers = Answers(labels, probabilities, classes, resamples)
    values = {name: metrics.estimate(each) for name, each in computed(answers, metrics_of(Level.SUMMARY)).items()}
    recall = SENSITIVITY.compute(answers)
    return TestResult.of(n, values, {name: metrics.estimate(recall[:, c]) for c, name in enumerate(classes)})
