"""A network's embeddings: the training cases nearest to an image, all cases on UMAP's map, and a small heat map of each test case.

Shipped as numbers and ids, without images, so that pages need neither the data nor the network.
"""

import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lungcad.errors import ModelError
from lungcad.explain.trust.similarity import rank_correlation, shrink
from lungcad.files import whole_file
from lungcad.models import ModelCard, TrainedModel
from lungcad.paths import INDEX
from lungcad.stored_arrays import DAMAGED_ARRAYS, are_numbers, are_texts, read_arrays

DIMENSIONS = 64
"""Principal components kept of the embedding, so that an index is small enough to ship."""
FURTHEST = 2.0
"""Largest cosine distance there is."""
FAR = 0.95
"""Quantile, over the validation cases, of the distance to the nearest training case; an image further away is unlike the training data."""


@dataclass(frozen=True)
class Neighbour:
    """A training case: its id and class, and its cosine distance (0 the same direction, 1 unrelated, 2 opposite)."""

    case: str
    label: str
    distance: float


@dataclass(frozen=True)
class Nearest:
    """neighbours: nearest first. far: distance to the nearest one above which an image is unlike the training data."""

    neighbours: tuple[Neighbour, ...]
    far: float

    @property
    def is_unlike_training(self) -> bool:
        """Whether even the nearest case is further than nearly all test cases are."""
        return self.neighbours[0].distance > self.far


@dataclass(frozen=True, eq=False)
class Index:
    """weights_sha256: of the network that embeds. mean (C,), components (64, C): the projection on principal components.

    vectors (n, 64), cases, labels (n,): of the training cases. test_vectors (m, 64), test_cases (m,): of the test cases. umap (n + m, 2):
    all of them on UMAP's map (McInnes et al., 2018), training first. test_maps (m, h, w): Grad-CAM of the predicted class in the network's
    input frame, each divided by its peak.
    """

    weights_sha256: str
    mean: np.ndarray
    components: np.ndarray
    vectors: np.ndarray
    cases: np.ndarray
    labels: np.ndarray
    test_vectors: np.ndarray
    test_cases: np.ndarray
    test_maps: np.ndarray
    umap: np.ndarray
    far: float

    @classmethod
    def build(
        cls,
        model: TrainedModel,
        training: np.ndarray,
        validation: np.ndarray,
        test: np.ndarray,
        cases: Sequence[str],
        labels: Sequence[str],
        test_cases: Sequence[str],
        test_maps: np.ndarray,
    ) -> "Index":
        """From embeddings (n, C) of the training, validation and test cases (:func:`embed`)."""
        from sklearn.decomposition import PCA

        pca = PCA(min(DIMENSIONS, *training.shape), random_state=0).fit(training)
        vectors, test_vectors = pca.transform(training), pca.transform(test)
        index = cls(
            weights_sha256=model.card.sha256,
            mean=pca.mean_.astype(np.float32),
            components=pca.components_.astype(np.float16),
            vectors=vectors.astype(np.float16),
            cases=np.array(cases),
            labels=np.array(labels),
            test_vectors=test_vectors.astype(np.float16),
            test_cases=np.array(test_cases),
            test_maps=test_maps.astype(np.float16),
            umap=_umap(np.concatenate([vectors, test_vectors])).astype(np.float16),
            far=FURTHEST,
        )
        nearest_distances = [index.nearest(embedding, 1).neighbours[0].distance for embedding in validation]
        return replace(index, far=float(np.quantile(nearest_distances, FAR)))

    def nearest(self, embedding: np.ndarray, n: int = 6) -> Nearest:
        """The ``n`` training cases at the smallest cosine distance from an embedding (C,)."""
        from sklearn.neighbors import NearestNeighbors  # seconds to import

        if embedding.shape != self.mean.shape:
            raise ModelError("The index of the training cases was made with another network; make it again with 'python -m lungcad index'.")
        query = (embedding - self.mean) @ self.components.astype(np.float32).T
        search = NearestNeighbors(n_neighbors=min(n, len(self.cases)), metric="cosine").fit(self.vectors.astype(np.float32))
        distances, rows = search.kneighbors(query[None])
        neighbours = [
            Neighbour(str(self.cases[row]), str(self.labels[row]), float(distance))
            for distance, row in zip(distances[0], rows[0], strict=True)
        ]
        return Nearest(tuple(neighbours), self.far)

    def rows(self, cases: Sequence[str]) -> np.ndarray:
        """Row of each case among the test cases (n,), -1 for one that is not among them."""
        import pandas as pd

        return np.asarray(pd.Index(self.test_cases).get_indexer(cases))

    def test_embeddings(self, rows: np.ndarray) -> np.ndarray:
        """(n, C), float64: what the head sees of test cases, as far as the kept components tell."""
        return np.asarray(self.mean + self.test_vectors[rows].astype(np.float64) @ self.components.astype(np.float64))

    def map_differences(self, other: "Index", cases: Sequence[str]) -> np.ndarray:
        """(n,): 1 less the rank correlation of the two networks' small maps (0 the same, 2 opposite); NaN where one is missing or the
        same everywhere.
        """
        differences = np.full(len(cases), np.nan)
        for position, (a, b) in enumerate(zip(self.rows(cases), other.rows(cases), strict=True)):
            if a >= 0 and b >= 0:
                correlation = rank_correlation(shrink(self.test_maps[a]), shrink(other.test_maps[b]))
                differences[position] = np.nan if correlation is None else 1 - correlation
        return differences

    def _fits_together(self) -> bool:
        """Whether the arrays have the shapes that belong together, and hold numbers, or names of which none stands there twice."""
        n, m = len(self.cases), len(self.test_cases)
        shapes = {
            "mean": (self.components.shape[1],),
            "vectors": (n, self.components.shape[0]),
            "labels": (n,),
            "test_vectors": (m, self.components.shape[0]),
            "umap": (n + m, 2),
            "test_maps": (m, *self.test_maps.shape[1:3]),
            "test_cases": (m,),
        }
        numbers = (self.mean, self.components, self.vectors, self.test_vectors, self.test_maps, self.umap)
        return (
            n > 0
            and are_numbers(*numbers)
            and are_texts(self.cases, self.labels, self.test_cases)
            and all(len(np.unique(names)) == len(names) for names in (self.cases, self.test_cases))
            and 0 <= self.far <= FURTHEST
            and self.test_maps.size >= m
            and all(getattr(self, name).shape == shape for name, shape in shapes.items())
        )

    def write(self, path: Path) -> None:
        """As one compressed npz."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as file:
            np.savez_compressed(file, **self.__dict__)

    @classmethod
    def read(cls, card: ModelCard, root: Path = INDEX) -> "Index":
        """The network's index. Raises :class:`ModelError` where there is none, or where it was made with other weights."""
        path = root / f"{card.name}.npz"
        command = f"make it with 'python -m lungcad index --model {card.name}'"
        if not os.path.isfile(path):  # Path.is_file raises where its folder may not be entered
            raise ModelError(f"There is no index of the training cases of {card.name}; {command}.")
        try:
            stored = read_arrays(path)
            values: dict[str, Any] = {field.name: stored[field.name] for field in fields(cls)}
            values |= {"weights_sha256": str(values["weights_sha256"]), "far": float(values["far"])}
            index = cls(**values)
            intact = index._fits_together() and set(index.labels.tolist()) <= set(card.classes)
        except DAMAGED_ARRAYS:
            intact = False
        if not intact:
            raise ModelError(f"The index {path.name} is damaged; {command}.")
        if values["weights_sha256"] != card.sha256:
            raise ModelError(f"The index {path.name} was made with other weights; {command}.")
        return index


def embed(model: TrainedModel, features: Tensor) -> np.ndarray:
    """What the head sees of feature maps (N, C, h, w): attended and averaged over positions, float32 (N, C)."""
    with torch.no_grad():
        attended: Tensor = model.network.attention(features)[0]
        return attended.mean((2, 3)).cpu().numpy()


def _umap(vectors: np.ndarray) -> np.ndarray:
    """(n, 2), the same on every call."""
    from umap import UMAP  # seconds to import, and only an index that is built needs it

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "n_jobs value")
        return np.asarray(UMAP(metric="cosine", random_state=0, init="pca").fit_transform(vectors))
