"""How far an embedding lies from those of the training images: four published scores, one table. Larger is further.

All work on the principal components that :mod:`lungcad.explain.neighbours` keeps of an embedding. ``tests/gate/test_distance.py`` holds them against
pytorch-ood, whose own detectors would load scikit-learn with every first prediction.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from lungcad.registry import Registry

Arrays = Mapping[str, np.ndarray]
NEAREST = 5
"""Which nearest training vector's distance is the k-NN score."""
RIDGE = 1e-3
"""Share of the mean variance that is added to every direction's, so that the covariance can be inverted."""


@dataclass(frozen=True, eq=False)
class Embedded:
    """vectors: (n, 64) principal components. residual: (n,) length of what lies outside them. logits: (n, K) of the head, uncalibrated."""

    vectors: np.ndarray
    residual: np.ndarray
    logits: np.ndarray

    @classmethod
    def of(cls, embeddings: np.ndarray, mean: np.ndarray, components: np.ndarray, logits: np.ndarray) -> "Embedded":
        """Embeddings (n, C), on the components (64, C) around the mean (C,)."""
        centred = embeddings - mean
        vectors = centred @ components.T
        outside = (centred**2).sum(1) - (vectors**2).sum(1)
        return cls(vectors, np.sqrt(np.maximum(outside, 0)), logits)


@dataclass(frozen=True)
class Distance:
    """fit: from the training vectors (n, 64), their class indices (n,) and the embedded validation images, what must be stored. score: (n,) of such arrays."""

    name: str
    title: str
    paper: str
    fit: Callable[[np.ndarray, np.ndarray, Embedded], Arrays]
    score: Callable[[Arrays, Embedded], np.ndarray]


DISTANCES: Registry[Distance] = Registry("distance")


def _fit_mahalanobis(vectors: np.ndarray, labels: np.ndarray, _: Embedded) -> Arrays:
    means = np.stack([vectors[labels == each].mean(0) for each in np.unique(labels)])
    centred = vectors - means[np.unique(labels, return_inverse=True)[1]]
    covariance = centred.T @ centred / len(vectors)
    covariance += RIDGE * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    return {"means": means, "whitening": np.linalg.cholesky(np.linalg.inv(covariance))}


def _mahalanobis(arrays: Arrays, embedded: Embedded) -> np.ndarray:
    offsets = (embedded.vectors[:, None] - arrays["means"][None]) @ arrays["whitening"]
    return np.asarray((offsets**2).sum(2).min(1))


def _fit_nearest(vectors: np.ndarray, _: np.ndarray, __: Embedded) -> Arrays:
    return {"training": vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)}


def _nearest(arrays: Arrays, embedded: Embedded) -> np.ndarray:
    query = embedded.vectors / np.maximum(np.linalg.norm(embedded.vectors, axis=1, keepdims=True), 1e-9)
    squared = np.maximum(2 - 2 * query @ arrays["training"].T, 0)
    k = min(NEAREST, squared.shape[1])
    return np.asarray(np.sqrt(np.partition(squared, k - 1, axis=1)[:, k - 1]))


def _energy(_: Arrays, embedded: Embedded) -> np.ndarray:
    top = embedded.logits.max(1, keepdims=True)
    return np.asarray(-(top[:, 0] + np.log(np.exp(embedded.logits - top).sum(1))))


def _fit_vim(_: np.ndarray, __: np.ndarray, validation: Embedded) -> Arrays:
    """alpha brings residual and logits to one scale; on validation, as the index holds no residuals of the training images."""
    return {"alpha": np.array(validation.logits.max(1).sum() / max(float(validation.residual.sum()), 1e-9))}


def _vim(arrays: Arrays, embedded: Embedded) -> np.ndarray:
    return np.asarray(arrays["alpha"] * embedded.residual + _energy(arrays, embedded))


for _entry in (
    Distance("mahalanobis", "Mahalanobis", "Lee et al., NeurIPS 2018", _fit_mahalanobis, _mahalanobis),
    Distance("knn", "k nearest neighbours", "Sun et al., ICML 2022", _fit_nearest, _nearest),
    Distance("vim", "ViM", "Wang et al., CVPR 2022", _fit_vim, _vim),
    Distance("energy", "energy", "Liu et al., NeurIPS 2020", lambda *_: {}, _energy),
):
    DISTANCES.add(_entry.name, _entry)
