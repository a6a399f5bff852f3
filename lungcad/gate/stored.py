"""What is fitted for one network, on disk: ``data/gate/NAME.npz``, bound to the weights."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path

import numpy as np

from lungcad.errors import ModelError
from lungcad.files import whole_file
from lungcad.gate.decision import Finding, Outcome
from lungcad.gate.distance import DISTANCES, Embedded
from lungcad.gate.kind import KindClassifier
from lungcad.gate.statistics import statistics
from lungcad.imaging import CTImage
from lungcad.models import ModelCard
from lungcad.paths import GATE
from lungcad.preprocess import PreprocessConfig, to_grey
from lungcad.stored_arrays import DAMAGED_ARRAYS, are_numbers, read_arrays

_PREFIX = "distance:"


@dataclass(frozen=True, eq=False)
class FittedGate:
    """weights_sha256: of the network. own_phrase: what its images are. view: how the classifier of
    kinds looks at an image. kind, kind_limit: below it an image is declined.

    mean (C,), components (64, C): the projection of embeddings. distance: name in :data:`~lungcad.gate.distance.DISTANCES`, distance_arrays: what it
    stores; beyond distance_warn there is a warning, beyond distance_limit the image is declined. All limits are set on validation images.
    """

    weights_sha256: str
    own_phrase: str
    view: PreprocessConfig
    kind: KindClassifier
    kind_limit: float
    mean: np.ndarray
    components: np.ndarray
    distance: str
    distance_arrays: Mapping[str, np.ndarray]
    distance_warn: float
    distance_limit: float

    def compare(self, image: CTImage, embedding: np.ndarray, logits: np.ndarray) -> tuple[list[Finding], dict[str, float]]:
        """What speaks against the image, and what was measured. embedding (C,), logits (K,) of the head, uncalibrated."""
        numbers = statistics(to_grey(image, self.view)[0])[None]
        own = float(self.kind.own_score(numbers)[0])
        distance = float(self.distances(embedding[None], logits[None])[0])
        measured = {
            "own_kind": round(own, 4), "own_kind_at_least": round(self.kind_limit, 4), "distance": round(distance, 4),
            "distance_warns_from": round(self.distance_warn, 4), "distance_at_most": round(self.distance_limit, 4),
        }  # fmt: skip
        return [*self._of_kind(own, self.kind.logits(numbers)[0]), *self._of_distance(distance)], measured

    def distances(self, embeddings: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """(n,) of embeddings (n, C) and logits (n, K). Raises :class:`ModelError` where they are another network's."""
        if embeddings.shape[1:] != self.mean.shape:
            raise ModelError("The gate was fitted for another network; make it again with 'python -m lungcad gate fit'.")
        return DISTANCES[self.distance].score(self.distance_arrays, Embedded.of(embeddings, self.mean, self.components, logits))

    def _fits_together(self) -> bool:
        """Whether the other arrays belong together: what the distance stores is tried on an embedding of nothing."""
        texts = all(isinstance(text, str) and text for text in (self.own_phrase, *self.kind.phrases.tolist()))
        arrays = (self.mean, self.components, *self.distance_arrays.values())
        if (
            not texts
            or not are_numbers(*arrays)
            or self.components.shape[1:] != self.mean.shape
            or self.distance_warn > self.distance_limit
        ):
            return False
        tried = self.distances(np.zeros((1, len(self.mean)), np.float32), np.zeros((1, 2), np.float32))
        return tried.shape == (1,) and bool(np.isfinite(tried).all())

    def _of_kind(self, own: float, logits: np.ndarray) -> list[Finding]:
        if own >= self.kind_limit:
            return []
        like = self.kind.phrases[1 + int(logits[1:].argmax())]
        return [
            Finding(
                Outcome.DECLINE,
                f"This does not look like {self.own_phrase}; of the pictures it was compared with, it is most like {like}.",
            )
        ]

    def _of_distance(self, distance: float) -> list[Finding]:
        if distance > self.distance_limit:
            return [
                Finding(Outcome.DECLINE, "To the network this image is unlike every image it was trained on, so its answer means nothing.")
            ]
        if distance > self.distance_warn:
            return [Finding(Outcome.WARN, "To the network this image is further from its training images than 95 % of such images are.")]
        return []

    def write(self, path: Path) -> None:
        """As one compressed npz."""
        path.parent.mkdir(parents=True, exist_ok=True)
        values: dict[str, np.ndarray] = {f"kind:{field.name}": getattr(self.kind, field.name) for field in fields(KindClassifier)}
        values |= {_PREFIX + name: array for name, array in self.distance_arrays.items()}
        values |= {name: np.asarray(getattr(self, name)) for name in _PLAIN} | {"view": np.asarray(self.view.model_dump_json())}
        halves = {
            name: array.astype(np.float16) for name, array in values.items() if name in ("components", _PREFIX + "training", "kind:vectors")
        }
        small = {name: array.astype(np.float32) if array.dtype.kind == "f" else array for name, array in values.items()}
        with whole_file(path) as file:
            np.savez_compressed(file, allow_pickle=False, **{**small, **halves})

    @classmethod
    def read(cls, card: ModelCard, root: Path | None = None) -> "FittedGate":
        """The network's gate. Raises :class:`ModelError` where there is none, where it is damaged, or where it was made with other weights."""
        path = (root or GATE) / f"{card.name}.npz"
        command = f"make it with 'python -m lungcad gate fit --model {card.name}'"
        try:
            state = path.stat()
        except OSError:
            raise ModelError(f"There is no gate of {card.name}; {command}.") from None
        gate = _read(path, state.st_mtime_ns, state.st_size)
        if gate is None:
            raise ModelError(f"The gate {path.name} is damaged; {command}.")
        if gate.weights_sha256 != card.sha256:
            raise ModelError(f"The gate {path.name} was made with other weights; {command}.")
        return gate


_PLAIN = ("weights_sha256", "own_phrase", "kind_limit", "mean", "components", "distance", "distance_warn", "distance_limit")


@lru_cache(maxsize=32)
def _read(path: Path, _changed: int, _size: int) -> FittedGate | None:
    """None where the file is damaged; read again only when it has changed."""
    try:
        values = read_arrays(path)
        widened = {name: array.astype(np.float32) if array.dtype == np.float16 else array for name, array in values.items()}
        kind = KindClassifier(**{each.name: widened[key] for each in fields(KindClassifier) if (key := f"kind:{each.name}") in widened})
        arrays = {name.removeprefix(_PREFIX): array for name, array in widened.items() if name.startswith(_PREFIX)}
        gate = FittedGate(
            str(values["weights_sha256"]), values["own_phrase"].item(), PreprocessConfig.model_validate_json(str(values["view"])), kind,
            float(values["kind_limit"]), widened["mean"], widened["components"], str(values["distance"]), arrays, float(values["distance_warn"]),
            float(values["distance_limit"]),
        )  # fmt: skip
        whole = gate.distance in DISTANCES and kind.is_whole() and gate._fits_together()
    except DAMAGED_ARRAYS:
        return None
    return gate if whole else None
