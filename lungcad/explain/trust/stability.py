"""Is the map stable? The same slice with a little noise, a shift, another window."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from lungcad.explain.attribution import Attribution, Options, PreparedInput, explain
from lungcad.explain.trust.check import Check, TrustCheck, Verdict
from lungcad.explain.trust.similarity import rank_correlation, shrink_with_mask
from lungcad.imaging import CTImage, Unit
from lungcad.models import TrainedModel
from lungcad.models.predict import calibrated
from lungcad.progress import Progress

if TYPE_CHECKING:
    from lungcad.explain.trust.subject import Subject

NAME = "stability"
STABLE, UNSTABLE = 0.8, 0.5


@dataclass(frozen=True)
class Perturbation:
    """A small change of an image.

    name: what is done. apply: the changed image. undo: brings a map of the changed image back onto the original's grid.
    """

    name: str
    apply: Callable[[CTImage], CTImage]
    undo: Callable[[np.ndarray], np.ndarray]


def make_perturbations(image: CTImage, *, samples: int = 5, seed: int = 0) -> list[Perturbation]:
    """``samples`` small changes in turn: noise (2 % of the grey range, or 15 HU), a shift (1 % of the side), a window a tenth narrower
    or wider.
    """
    rng = np.random.default_rng(seed)
    amplitude = 15.0 if image.unit is Unit.HU else 5.0
    step = max(round(0.01 * max(image.shape)), 1)
    sequence = [_noise(amplitude, seed), _shift(step, step), _window(1.1, image.unit), _noise(amplitude, seed + 1), _shift(-step, step)]
    while len(sequence) < samples:
        sequence += [
            _shift(*(int(n) for n in rng.integers(-step, step + 1, 2))),
            _window(float(rng.uniform(0.9, 1.1)), image.unit),
            _noise(amplitude, seed + len(sequence)),
        ]
    return sequence[:samples]


def _on_pixels(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[CTImage], CTImage]:
    """The same change on grey (or HU) and colour."""

    def apply(image: CTImage) -> CTImage:
        pixels = change(image.pixels)
        if image.unit is not Unit.HU:
            pixels = np.clip(pixels, 0, 255)
        colour = image.colour
        if colour is not None:
            channels = [np.clip(change(np.asarray(channel, np.float32)), 0, 255) for channel in np.moveaxis(colour, 2, 0)]
            colour = np.stack(channels, axis=2).astype(np.uint8)
        return replace(image, pixels=pixels, colour=colour)

    return apply


def _noise(amplitude: float, seed: int) -> Perturbation:
    return Perturbation(
        "noise",
        _on_pixels(lambda x: x + np.random.default_rng(seed).normal(0, amplitude, x.shape).astype(np.float32)),
        lambda values: values,
    )


def shifted(array: np.ndarray, down: int, right: int, mode: Literal["edge", "reflect", "constant"] = "edge") -> np.ndarray:
    """The array shifted by so many pixels; what comes in at the other side is padded by numpy's ``mode``."""
    padded = np.pad(array, ((abs(down),) * 2, (abs(right),) * 2), mode=mode)
    top, left = abs(down) - down, abs(right) - right
    shifted: np.ndarray = padded[top : top + array.shape[0], left : left + array.shape[1]]
    return shifted


def _shift(down: int, right: int) -> Perturbation:
    return Perturbation("shift", _on_pixels(lambda x: shifted(x, down, right)), lambda values: shifted(values, -down, -right))


def _window(width: float, unit: Unit) -> Perturbation:
    """Another window width is another contrast around the middle: 127.5 in 8 bits, -600 HU (the lung window's level)."""
    middle = np.float32(-600 if unit is Unit.HU else 127.5)
    return Perturbation("window", _on_pixels(lambda x: (x - middle) * np.float32(width) + middle), lambda values: values)


@dataclass(frozen=True, eq=False)
class Stability:
    """perturbations: their names. correlations: Spearman's of every pair of maps (the original's among them). by_change: mean with the
    original's.

    same_class: share of the changed images whose predicted class is the original's. probability_range: of the explained class.
    """

    perturbations: tuple[str, ...]
    correlations: np.ndarray
    by_change: dict[str, float]
    same_class: float
    probability_range: float

    def check(self) -> Check:
        """The mean rank correlation, against the limits of stable and unstable."""
        mean = float(self.correlations.mean())
        verdict = Verdict.SUPPORTS if mean >= STABLE else Verdict.CONTRADICTS if mean < UNSTABLE else Verdict.UNCLEAR
        sentence = (
            f"Over {len(self.perturbations)} small changes of the image; the predicted class stayed in {self.same_class:.0%} of them."
        )
        if self.same_class < 1 and verdict is Verdict.SUPPORTS:
            verdict, sentence = Verdict.UNCLEAR, sentence + " The map is stable, the answer is not."
        numbers = {
            "same_class": self.same_class,
            "probability_range": self.probability_range,
            **{f"under {k}": v for k, v in self.by_change.items()},
        }
        return Check(NAME, "mean rank correlation of the maps", mean, 0.0, verdict, sentence, numbers)


@dataclass(frozen=True, eq=False)
class PerturbedInputs:
    """An image and its changed copies as the network sees them, shared by all methods that are checked on one image.

    prepared: the image first, then its copies. probabilities: (copies + 1, K), calibrated.
    """

    perturbations: Sequence[Perturbation]
    prepared: Sequence[PreparedInput]
    probabilities: np.ndarray

    @classmethod
    def of(cls, model: TrainedModel, image: CTImage, *, samples: int = 5, seed: int = 0) -> "PerturbedInputs":
        """One forward pass over the image and its changed copies."""
        perturbations = make_perturbations(image, samples=samples, seed=seed)
        prepared = PreparedInput.several(model, [image, *(change.apply(image) for change in perturbations)])
        with torch.no_grad():
            answers = [calibrated(model, model.network.classify(prepared.features)[0])[0].cpu().numpy() for prepared in prepared]
        return cls(perturbations, prepared, np.stack(answers))


def stability(
    model: TrainedModel,
    perturbed: PerturbedInputs,
    method: str,
    target: int,
    options: Options = Options(),
    *,
    on_progress: Progress | None = None,
) -> Stability | None:
    """None where a map is the same everywhere. A method that draws random numbers gets another seed for each change."""
    maps, visible_masks = [], []
    for index, prepared in enumerate(perturbed.prepared):
        attribution = explain(model, prepared, method, target, replace(options, seed=options.seed + index))
        undo = perturbed.perturbations[index - 1].undo if index else lambda values: values
        heat_map, visible = shrink_with_mask(undo(attribution.values), undo(attribution.visible_mask))
        maps.append(heat_map)
        visible_masks.append(visible)
        if on_progress:
            on_progress(index + 1, len(perturbed.prepared))
    visible_in_all = np.logical_and.reduce(visible_masks)
    if any(not visible_in_all.any() or np.ptp(heat_map[visible_in_all]) == 0 for heat_map in maps):
        return None
    pairs = {pair: rank_correlation(maps[pair[0]], maps[pair[1]], visible_in_all) for pair in combinations(range(len(maps)), 2)}
    names_of_changes = tuple(change.name for change in perturbed.perturbations)
    by_change = {
        name: float(np.mean([pairs[0, i + 1] for i, change in enumerate(names_of_changes) if change == name]))
        for name in dict.fromkeys(names_of_changes)
    }
    predicted = perturbed.probabilities.argmax(1)
    return Stability(
        names_of_changes,
        np.array(list(pairs.values())),
        by_change,
        float((predicted[1:] == predicted[0]).mean()),
        float(np.ptp(perturbed.probabilities[:, target])),
    )


def check_stability(
    model: TrainedModel, perturbed: PerturbedInputs, method: str, target: int, options: Options = Options(), **kwargs: Any
) -> Check:
    """:func:`stability` as a check; it does not apply where a map is the same everywhere."""
    result = stability(model, perturbed, method, target, options, **kwargs)
    if result is None:
        return Check.inapplicable(NAME, "A map is the same everywhere, so there is nothing to compare.")
    return result.check()


def _ask(subject: "Subject", attribution: Attribution, on_progress: Progress | None) -> Check:
    return check_stability(subject.model, subject.perturbed, subject.method, subject.target, subject.options, on_progress=on_progress)


def _measure(subject: "Subject", attribution: Attribution) -> dict[str, float]:
    if not subject.is_fast:
        return {}
    result = stability(subject.model, subject.perturbed, subject.method, subject.target, subject.options)
    return {"stability": float(result.correlations.mean())} if result else {}


STABILITY = TrustCheck(
    NAME,
    "Is the map stable under small changes of the slice?",
    _ask,
    asked_at_once=lambda subject: subject.is_fast,
    asked_on_request=lambda subject: not subject.is_fast,
    measures={"stability": "stability"},
    measure=_measure,
)
