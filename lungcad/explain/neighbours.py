"""How a network sees its cases: embeddings, the training cases nearest to an image, a map of them all, and a small heat map of each test case.

Shipped as numbers and ids, without images, so that pages need neither the data nor the network.
"""

import warnings
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lungcad.errors import ModelError
from lungcad.explain.trust.similarity import rank_correlation, small
from lungcad.files import whole_file
from lungcad.models import ModelCard, TrainedModel
from lungcad.paths import INDEX

DIMENSIONS = 64
"""Principal components kept of the embedding, so that an index is small enough to ship."""
FAR = 0.95
"""Share of the validation cases that lie nearer to their nearest training case than the distance called unlike anything seen in training."""


@dataclass(frozen=True)
class Neighbour:
    """A training case: its id and class, and its cosine distance (0 the same direction, 1 unrelated, 2 opposite)."""

    case: str
    label: str
    distance: float


@dataclass(frozen=True)
class Nearest:
    """neighbours: nearest first. far: distance of the nearest one from which an image is unlike anything seen in training."""

    neighbours: tuple[Neighbour, ...]
    far: float

    @property
    def is_unlike_training(self) -> bool:
        """Whether even the nearest case is further than nearly all test cases are."""
        return self.neighbours[0].distance > self.far


@dataclass(frozen=True, eq=False)
class Index:
    """weights_sha256: of the network that embeds. mean (C,), components (64, C): the projection on principal components.

    vectors (n, 64), cases, labels (n,): of the training cases. test_vectors (m, 64), test_cases (m,): of the test cases. umap (n + m, 2): all of them
    on UMAP's map (McInnes et al., 2018), training first. test_maps (m, h, w): Grad-CAM of the predicted class in the network's input frame, each divided
    by its peak.
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
        cls, model: TrainedModel, training: np.ndarray, validation: np.ndarray, test: np.ndarray, cases: Sequence[str], labels: Sequence[str],
        test_cases: Sequence[str], test_maps: np.ndarray,
    ) -> "Index":  # fmt: skip
        """From embeddings (n, C) of the training, validation and test cases (:func:`embed`)."""
        from sklearn.decomposition import PCA

        pca = PCA(min(DIMENSIONS, *training.shape), random_state=0).fit(training)
        vectors, test_vectors = pca.transform(training), pca.transform(test)
        made = cls(
            model.card.sha256, pca.mean_.astype(np.float32), pca.components_.astype(np.float16), vectors.astype(np.float16), np.array(cases),
            np.array(labels), test_vectors.astype(np.float16), np.array(test_cases), test_maps.astype(np.float16),
            _umap(np.concatenate([vectors, test_vectors])).astype(np.float16), 2.0,
        )  # fmt: skip
        nearest = [made.nearest(each, 1).neighbours[0].distance for each in validation]
        return cls(**{**made.__dict__, "far": float(np.quantile(nearest, FAR))})

    def nearest(self, embedding: np.ndarray, n: int = 6) -> Nearest:
        """The ``n`` training cases at the smallest cosine distance from an embedding (C,)."""
        from sklearn.neighbors import NearestNeighbors  # seconds to import

        query = (embedding - self.mean) @ self.components.astype(np.float32).T
        search = NearestNeighbors(n_neighbors=min(n, len(self.cases)), metric="cosine").fit(self.vectors.astype(np.float32))
        distances, rows = search.kneighbors(query[None])
        found = [
            Neighbour(str(self.cases[row]), str(self.labels[row]), float(distance))
            for distance, row in zip(distances[0], rows[0], strict=True)
        ]
        return Nearest(tuple(found), self.far)

    def rows(self, cases: Sequence[str]) -> np.ndarray:
        """Where each case stands among the test cases (n,), -1 for one that does not."""
        import pandas as pd

        return np.asarray(pd.Index(self.test_cases).get_indexer(cases))

    def map_differences(self, other: "Index", cases: Sequence[str]) -> np.ndarray:
        """(n,): 1 less the rank correlation of the two networks' small maps (0 the same, 2 opposite); NaN where one is missing or the same everywhere."""
        found = np.full(len(cases), np.nan)
        for place, (a, b) in enumerate(zip(self.rows(cases), other.rows(cases), strict=True)):
            if a >= 0 and b >= 0:
                correlation = rank_correlation(small(self.test_maps[a]), small(other.test_maps[b]))
                found[place] = np.nan if correlation is None else 1 - correlation
        return found

    def _fits_together(self) -> bool:
        """Whether the arrays have the shapes that belong together, and hold numbers only."""
        n, m = len(self.cases), len(self.test_cases)
        shapes = {
            "mean": (self.components.shape[1],), "vectors": (n, self.components.shape[0]), "labels": (n,), "test_vectors": (m, self.components.shape[0]),
            "umap": (n + m, 2), "test_maps": (m, *self.test_maps.shape[1:3]),
        }  # fmt: skip
        numbers = (self.mean, self.components, self.vectors, self.test_vectors, self.test_maps, self.umap)
        return (
            n > 0
            and all(getattr(self, name).shape == shape for name, shape in shapes.items())
            and all(np.isfinite(each).all() for each in numbers)
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
        if not path.is_file():
            raise ModelError(f"There is no index of the training cases of {card.name}; {command}.")
        try:
            with np.load(path, allow_pickle=False) as stored:
                found = {field.name: stored[field.name] for field in fields(cls)}
            found |= {"weights_sha256": str(found["weights_sha256"]), "far": float(found["far"])}
            index = cls(**found)
            whole = index._fits_together()
        except (
            OSError,
            ValueError,
            KeyError,
            TypeError,
            IndexError,
            AttributeError,
            EOFError,
            NotImplementedError,
            zipfile.BadZipFile,
            zlib.error,
        ):
            whole = False
        if not whole:
            raise ModelError(f"The index {path.name} is damaged; {command}.")
        if found["weights_sha256"] != card.sha256:
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
