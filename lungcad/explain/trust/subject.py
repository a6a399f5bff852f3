"""What the trust checks are asked about: a network, an image, a method and a class, with what several checks share computed once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from lungcad.explain.attribution import METHODS, Attribution, Cost, Options, PreparedInput, explain
from lungcad.explain.trust.sanity import Sanity, sanity
from lungcad.explain.trust.stability import PerturbedInputs
from lungcad.imaging import CTImage
from lungcad.imaging.lungs import LungField, lung_field
from lungcad.models import TrainedModel


@dataclass(frozen=True, eq=False)
class LocalisationCase:
    """Where evidence should lie: an input, the class that is explained on it, and the contour (bool, on the image's grid)."""

    prepared: PreparedInput
    target: int
    contour: np.ndarray


@dataclass(frozen=True, eq=False)
class Subject:
    """image under ``model``, explained for class index ``target``. has_lungs: False for microscope tiles and for crops of a nodule.

    partner: the same network with, or without, attention. localisation_case: where the contour is known. methods: those measured together,
    which share what is computed. precomputed_perturbed: the image under small changes, where that is already computed. with_sanity: whether
    to compute the dozens of maps on random weights.
    """

    model: TrainedModel
    image: CTImage
    method: str
    target: int
    options: Options = Options()  # noqa: RUF009  frozen
    has_lungs: bool = True
    partner: TrainedModel | None = None
    localisation_case: LocalisationCase | None = None
    methods: Sequence[str] = ()
    precomputed_perturbed: PerturbedInputs | None = None
    with_sanity: bool = True

    @property
    def is_fast(self) -> bool:
        """Whether a map of the method costs about one forward pass."""
        return METHODS[self.method].cost is Cost.FAST

    @cached_property
    def prepared(self) -> PreparedInput:
        """The image as the network sees it."""
        return PreparedInput.of(self.model, self.image) if self.precomputed_perturbed is None else self.precomputed_perturbed.prepared[0]

    @cached_property
    def perturbed(self) -> PerturbedInputs:
        """The image under small changes."""
        return PerturbedInputs.of(self.model, self.image) if self.precomputed_perturbed is None else self.precomputed_perturbed

    @cached_property
    def field(self) -> LungField | None:
        """Its lung field; None where there are no lungs to find."""
        return lung_field(self.image) if self.has_lungs else None

    @cached_property
    def sanity_by_method(self) -> Mapping[str, Sanity]:
        """Of the fast ones among ``methods``, on the same random weights."""
        fast = [name for name in self.methods if METHODS[name].cost is Cost.FAST]
        return sanity(self.model, self.prepared, fast, self.target, self.options, seed=self.options.seed) if self.with_sanity else {}

    @cached_property
    def answers_to_changes(self) -> dict[str, float]:
        """Name of a changed image -> probability of the explained class, of those that were asked about; no method plays a part in it."""
        return {}

    def explain(self, method: str) -> Attribution:
        """Another method's map of the same class."""
        return explain(self.model, self.prepared, method, self.target, self.options)

    def under(self, method: str) -> "Subject":
        """The same for another method; what the methods share is not computed again."""
        subject = replace(self, method=method)
        shared: dict[str, object] = {
            name: self.__dict__[name]
            for name in ("prepared", "perturbed", "field", "sanity_by_method", "answers_to_changes")
            if name in self.__dict__
        }
        subject.__dict__.update(shared)
        return subject
