"""The training cases that a network finds most like an image, by its own embedding; shipped as vectors and ids, without images."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from lungcad.errors import ModelError
from lungcad.models import TrainedModel

INDEX = Path(__file__).resolve().parents[2] / "data" / "index"
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
        return self.neighbours[0].distance > self.far


@dataclass(frozen=True, eq=False)
class Index:
    """weights_sha256: of the network that embeds. mean (C,), components (64, C): the projection. vectors (n, 64): of the training cases."""

    weights_sha256: str
    mean: np.ndarray
    components: np.ndarray
    vectors: np.ndarray
    cases: np.ndarray
    labels: np.ndarray
    far: float

    @classmethod
    def build(
        cls, model: TrainedModel, training: np.ndarray, validation: np.ndarray, cases: Sequence[str], labels: Sequence[str]
    ) -> "Index":
        """From embeddings (n, C) of the training and validation cases (:func:`embed`)."""
        pca = PCA(min(DIMENSIONS, *training.shape), random_state=0).fit(training)
        half = [array.astype(np.float16) for array in (pca.components_, pca.transform(training))]
        made = cls(model.card.sha256, pca.mean_.astype(np.float32), *half, np.array(cases), np.array(labels), 2.0)
        nearest = [made.nearest(each, 1).neighbours[0].distance for each in validation]
        return cls(**{**made.__dict__, "far": float(np.quantile(nearest, FAR))})

    def nearest(self, embedding: np.ndarray, n: int = 6) -> Nearest:
        """The ``n`` training cases at the smallest cosine distance from an embedding (C,)."""
        query = (embedding - self.mean) @ self.components.astype(np.float32).T
        search = NearestNeighbors(n_neighbors=min(n, len(self.cases)), metric="cosine").fit(self.vectors.astype(np.float32))
        distances, rows = search.kneighbors(query[None])
        found = [
            Neighbour(str(self.cases[row]), str(self.labels[row]), float(distance))
            for distance, row in zip(distances[0], rows[0], strict=True)
        ]
        return Nearest(tuple(found), self.far)

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(path, **self.__dict__)

    @classmethod
    def read(cls, model: TrainedModel, root: Path = INDEX) -> "Index":
        """The network's index. Raises :class:`ModelError` where there is none, or where it was made with other weights."""
        path = root / f"{model.card.name}.npz"
        command = f"make it with 'python -m lungcad index --model {model.card.name}'"
        if not path.is_file():
            raise ModelError(f"There is no index of the training cases of {model.card.name}; {command}.")
        try:
            with np.load(path, allow_pickle=False) as stored:
                found = {key: stored[key] for key in ("weights_sha256", "mean", "components", "vectors", "cases", "labels", "far")}
        except (OSError, ValueError, KeyError):
            raise ModelError(f"The index {path.name} is damaged; {command}.") from None
        found |= {"weights_sha256": str(found["weights_sha256"]), "far": float(found["far"])}
        if found["weights_sha256"] != model.card.sha256:
            raise ModelError(f"The index {path.name} was made with other weights; {command}.")
        return cls(**found)


def embed(model: TrainedModel, features: Tensor) -> np.ndarray:
    """What the head sees of feature maps (N, C, h, w): attended and averaged over positions, float32 (N, C)."""
    with torch.no_grad():
        return model.network.attention(features)[0].mean((2, 3)).cpu().numpy()
