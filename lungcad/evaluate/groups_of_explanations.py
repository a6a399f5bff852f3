"""Groups of cases that a network explains alike, found without knowing what to look for: a shortcut shows as a group of its own.

Spectral clustering of small heat maps, as in SpRAy (Lapuschkin et al., "Unmasking Clever Hans predictors and assessing what machines really learn", Nature
Communications 10, 2019), with the network's embeddings beside the maps, so that a cue without a place, or whose place changes, can show too. A channel of the
embedding counts as much as the last layer makes of it: most of an embedding's variance is anatomy that the answer does not use, and drowns what it does.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lungcad.errors import DatasetError
from lungcad.estimate import Estimate
from lungcad.evaluate.bootstrap import Resamples, ratio
from lungcad.evaluate.metrics import estimate
from lungcad.explain.neighbours import Index

MOST_GROUPS = 8
NEIGHBOURS = 0.07
"""Of each case in the graph that is cut into groups, as a share of all cases; chosen with :data:`WEIGHT_OF_MAPS` on validation phantoms of five cheaters, in
trials; ``lungcad runs groups --compare`` sets settings side by side.
"""
WEIGHT_OF_MAPS = 0.35
"""Of a distance between maps, where one between embeddings weighs 1."""
FEWEST_CASES = 60
NEAR_ZERO = 0.01
"""Of an eigenvalue of the graph."""


@dataclass(frozen=True, eq=False)
class Group:
    """number: 0 is the largest. cases: ids. mean_map (h, w): in the network's input frame, mean share of each case's peak.

    classes, answers: share of each true class and each answer. accuracy: of its cases. difference: accuracy in the group less that of all other cases.
    outside_lungs: mean share of the evidence there, with n_measured the cases that a trust run measured.
    """

    number: int
    cases: tuple[str, ...]
    mean_map: np.ndarray
    classes: dict[str, float]
    answers: dict[str, float]
    accuracy: Estimate
    difference: Estimate
    outside_lungs: float | None = None
    n_measured: int = 0


def groups(index: Index, table: pd.DataFrame, last_layer: np.ndarray, trust: pd.DataFrame | None = None) -> list[Group]:
    """The groups among the test cases of a run that the network's index knows, the largest first; intervals over patients.

    table: a row a case (case, group, label, answer), as :class:`~lungcad.evaluate.scoring.ScoredCases` has it. last_layer (K, C): weights of the head
    (:func:`~lungcad.models.weights.last_layer`). trust: the rows of a trust run of the same network and data, if there is one. Raises
    :class:`DatasetError` for too few cases.
    """
    rows = index.rows(table.case.tolist())
    table, rows = table[rows >= 0], rows[rows >= 0]
    maps = index.test_maps[rows].astype(np.float64)
    numbers = group_numbers(maps, index.test_embeddings(rows), last_layer)
    right = (table.label == table.answer).to_numpy(np.float64)
    resamples = Resamples.of(table.group.to_numpy())
    all_groups = []
    for number in range(int(numbers.max()) + 1):
        inside = numbers == number
        accuracy, others = (_mean(resamples, right, among) for among in (inside, ~inside))
        outside, n_measured = _outside_lungs(trust, set(table.case[inside]))
        all_groups.append(
            Group(
                number, tuple(table.case[inside]), maps[inside].mean(0), _shares(table.label[inside]), _shares(table.answer[inside]),
                estimate(accuracy), estimate(accuracy - others), outside, n_measured,
            )
        )  # fmt: skip
    return all_groups


def group_numbers(
    maps: np.ndarray,
    embeddings: np.ndarray,
    last_layer: np.ndarray,
    *,
    weight_of_maps: float = WEIGHT_OF_MAPS,
    neighbours: float = NEIGHBOURS,
) -> np.ndarray:
    """(n,) the group of each case, 0 the largest. maps (n, h, w), embeddings (n, c), last_layer (K, c): weights of the head.

    Ng, Jordan & Weiss, "On spectral clustering", NIPS 2001. Raises :class:`DatasetError` for fewer cases than a graph of neighbours needs.
    """
    from sklearn.cluster import KMeans
    from sklearn.neighbors import kneighbors_graph

    if len(maps) < FEWEST_CASES:
        raise DatasetError(f"{len(maps)} cases are too few to be grouped by how they are explained; at least {FEWEST_CASES} are needed.")
    places = coordinates(maps, embeddings, last_layer, weight_of_maps)
    graph = kneighbors_graph(places, round(neighbours * len(places)), include_self=True).toarray()
    eigenvalues, eigenvectors = smallest_eigenvectors((graph + graph.T) / 2)
    k = number_of_groups(eigenvalues)
    rows = eigenvectors[:, :k] / np.linalg.norm(eigenvectors[:, :k], axis=1, keepdims=True)
    labels = KMeans(k, n_init=10, random_state=0).fit_predict(rows)
    largest_first = np.argsort(-np.bincount(labels, minlength=k), kind="stable")
    return np.asarray(np.argsort(largest_first)[labels])


def coordinates(maps: np.ndarray, embeddings: np.ndarray, last_layer: np.ndarray, weight_of_maps: float = WEIGHT_OF_MAPS) -> np.ndarray:
    """(n, d) in which distance says how differently two cases are explained.

    A map counts as a distribution of its evidence over positions (distance between square roots: Hellinger's), a channel of an embedding by how far the
    head's outputs differ in what they make of it.
    """
    evidence = np.maximum(maps.reshape(len(maps), -1).astype(np.float64), 0)
    places = np.sqrt(evidence / np.maximum(evidence.sum(1, keepdims=True), 1e-12))
    used = np.linalg.norm(last_layer - last_layer.mean(0), axis=0)
    return np.hstack([weight_of_maps * _of_unit_variance(places), _of_unit_variance(embeddings * used)])


def smallest_eigenvectors(affinity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues (m,) and eigenvectors (n, m) of the normalised Laplacian of a graph (n, n), as many as tell :data:`MOST_GROUPS` groups from more."""
    from scipy.linalg import eigh

    scale = 1 / np.sqrt(affinity.sum(1))
    laplacian = np.eye(len(affinity)) - scale[:, None] * affinity * scale
    eigenvalues, eigenvectors = eigh(laplacian, subset_by_index=[0, MOST_GROUPS])
    return eigenvalues, eigenvectors


def number_of_groups(eigenvalues: np.ndarray) -> int:
    """At least two: before the eigenvalue that is largest as a multiple of the one below it, after the second.

    The eigengap (von Luxburg, "A tutorial on spectral clustering", Statistics and Computing 17, 2007) as a ratio: a gap above eigenvalues near 0 parts groups
    that hardly touch, and one as wide among large eigenvalues says little. Eigenvalues far below :data:`NEAR_ZERO` count alike.
    """
    above_zero = np.maximum(eigenvalues, 0) + NEAR_ZERO
    return int(np.argmax(above_zero[2:] / above_zero[1:-1])) + 2


def adjusted_rand(of_cases: list[Group], truth: dict[str, bool]) -> float:
    """Agreement of the groups with a known division of the cases, beyond chance (Hubert & Arabie, "Comparing partitions", 1985): 1 the same, 0 by chance."""
    from sklearn.metrics import adjusted_rand_score

    pairs = [(group.number, truth[case]) for group in of_cases for case in group.cases]
    return float(adjusted_rand_score([known for _, known in pairs], [number for number, _ in pairs]))


def _outside_lungs(trust: pd.DataFrame | None, cases: set[str]) -> tuple[float | None, int]:
    """Mean over the cases whose Grad-CAM a trust run measured, and how many these are."""
    if trust is None:
        return None, 0
    measured = 1 - trust[(trust.method == "gradcam") & trust.case.isin(cases)].in_lung.dropna().astype(float)
    return (float(measured.mean()), len(measured)) if len(measured) else (None, 0)


def _shares(values: pd.Series) -> dict[str, float]:
    return {str(name): float(share) for name, share in values.value_counts(normalize=True).items()}


def _mean(resamples: Resamples, values: np.ndarray, among: np.ndarray) -> np.ndarray:
    """(B,): the mean of the values of some cases, in each resample of all."""
    cell = np.zeros(len(values), np.int64)
    sums, counts = (resamples.counts(cell, 1, values=each.astype(np.float64))[:, 0] for each in (values * among, among))
    return ratio(sums, counts)


def _of_unit_variance(values: np.ndarray) -> np.ndarray:
    centred = values - values.mean(0)
    return np.asarray(centred / max(float(np.sqrt((centred**2).sum(1).mean())), 1e-12))
