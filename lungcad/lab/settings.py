"""What a student chooses before a training in the lab: all that its result depends on."""

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, model_validator

from lungcad.datasets.phantoms import SHORTCUTS
from lungcad.errors import RecipeError, lookup
from lungcad.schema import Schema, yaml_values

NO_SHORTCUT = "none"
SHORTCUT_CHOICES = (NO_SHORTCUT, *SHORTCUTS)
SMALLEST_MM, LARGEST_MM = 6, 40
LEAST_PATIENTS, MOST_PATIENTS = 50, 600


class HeadKind(StrEnum):
    """What is trained on the frozen features."""

    PLAIN = "plain"  # average pooling and one linear layer
    SOFT = "soft attention"
    GATE = "gate"
    TAUGHT = "taught gate"  # the gate's mask is drawn to the lesions' contours

    @property
    def attention(self) -> str:
        """Its block in :data:`lungcad.models.ATTENTION`."""
        return {HeadKind.PLAIN: "none", HeadKind.SOFT: "soft"}.get(self, "gate")

    @property
    def is_taught(self) -> bool:
        """Whether contours take part in its training."""
        return self is HeadKind.TAUGHT


class TrainedPart(StrEnum):
    """How much of the network is trained."""

    HEAD = "the head"
    LAST_STAGE = "the last stage too"

    @property
    def is_more_than_head(self) -> bool:
        """Whether the backbone's last stage is trained as well."""
        return self is TrainedPart.LAST_STAGE


class LabSettings(Schema):
    """All that a training in the lab depends on.

    shortcut: what is planted in the training pictures, "none" or a name of :data:`lungcad.datasets.phantoms.SHORTCUTS`. share: of the patients with a
    lesion that carry it; ``1 - share`` of those without carry it too, so 0.5 tells nothing. patients: to train on, half of them with a lesion.
    smallest_mm, largest_mm: diameters of the lesions. opacity: 1 for solid lesions, less for ground glass, through which the lung shows.
    trained: the head on frozen features, or the backbone's last stage too.
    epochs: passes over the training patients. seed: of the head's first weights, of the order of the patients, and of who carries the shortcut.
    """

    shortcut: str = "marker"
    share: Annotated[float, Field(ge=0.5, le=1)] = 0.95
    patients: Annotated[int, Field(ge=LEAST_PATIENTS, le=MOST_PATIENTS)] = MOST_PATIENTS
    smallest_mm: Annotated[int, Field(ge=SMALLEST_MM, le=LARGEST_MM)] = 10
    largest_mm: Annotated[int, Field(ge=SMALLEST_MM, le=LARGEST_MM)] = 36
    opacity: Annotated[float, Field(ge=0.25, le=1)] = 1.0
    head: HeadKind = HeadKind.PLAIN
    trained: TrainedPart = TrainedPart.HEAD
    epochs: Annotated[int, Field(ge=1, le=100)] = 30
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0

    @model_validator(mode="after")
    def _are_consistent(self) -> "LabSettings":
        lookup(dict.fromkeys(SHORTCUT_CHOICES), self.shortcut, "shortcut")
        if self.smallest_mm > self.largest_mm:
            raise ValueError("the smallest lesion is larger than the largest; move one of the two ends")
        return self

    @classmethod
    def checked(cls, values: Mapping[str, Any]) -> "LabSettings":
        """Raises :class:`RecipeError` in one sentence."""
        return cls.parse(dict(values), "The lab's settings", RecipeError)

    @property
    def is_biased(self) -> bool:
        """Whether a shortcut is planted."""
        return self.shortcut != NO_SHORTCUT

    @property
    def key(self) -> str:
        """Names the content: the same settings, the same training."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]

    def to_yaml(self) -> str:
        """As ``python -m lungcad train FILE`` takes it."""
        head = f"# Repeat with: python -m lungcad train FILE\n# lab {self.key}\n"
        return head + yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False)

    @classmethod
    def read(cls, path: str | Path) -> "LabSettings":
        """Raises :class:`RecipeError` in one sentence."""
        return cls.read_yaml(path, "file of settings", RecipeError)

    @classmethod
    def are_in(cls, path: str | Path) -> bool:
        """Whether the YAML file holds settings of the lab, not a recipe: its keys are theirs. False for one that cannot be read."""
        try:
            values = yaml_values(Path(path), "file of settings", RecipeError)
        except RecipeError:
            return False
        return isinstance(values, dict) and "head" in values and set(values) <= set(cls.model_fields)
