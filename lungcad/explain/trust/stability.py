"""Is the map stable? The same slice with a little noise, a shift, another window."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from lungcad.explain.attribution import Attribution, Options, PreparedInput, explain
from lungcad.explain.trust.check import Check, TrustCheck, Verdict
from lungcad.explain.trust.similarity import on_image, rank_correlation
from lungcad.imaging import CTImage, Unit
from lungcad.models import TrainedModel
from lungcad.models.predict import calibrated
from lungcad.progress import Progress

if TYPE_CHECKING:
    from lungcad.explain.trust.subject import Subject

NAME = "stability"
STABLE, UNSTABLE = 0.8, 0.5


@dataclass(frozen=True)
class Change:
    """name: what is done. apply: the changed image. undo: brings a map of the changed image back onto the original's grid."""

    name: str
    apply: Callable[[CTImage], CTImage]
    undo: Callable[[np.ndarray], np.ndarray]


def changes(image: CTImage, *, samples: int = 5, seed: int = 0) -> list[Change]:
    """``samples`` small changes in turn: noise (2 % of the grey range, or 15 HU), a shift (1 % of the side), a window a tenth narrower or wider."""
    rng = np.random.default_rng(seed)
    amplitude = 15.0 if image.unit is Unit.HU else 5.0
    step = max(round(0.01 * max(image.shape)), 1)
    made = [_noise(amplitude, seed), _shift(step, step), _window(1.1, image.unit), _noise(amplitude, seed + 1), _shift(-step, step)]
    while len(made) < samples:
        made += [
            _shift(*(int(n) for n in rng.integers(-step, step + 1, 2))),
            _window(float(rng.uniform(0.9, 1.1)), image.unit),
            _noise(amplitude, seed + len(made)),
        ]
    return made[:samples]


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


def _noise(amplitude: float, seed: int) -> Change:
    return Change(
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


def _shift(down: int, right: int) -> Change:
    return Change("shift", _on_pixels(lambda x: shifted(x, down, right)), lambda values: shifted(values, -down, -right))


def _window(width: float, unit: Unit) -> Change:
    """Another window width is another contrast around the middle: 127.5 in 8 bits, -600 HU (the lung window's level)."""
    middle = np.float32(-600 if unit is Unit.HU else 127.5)
    return Change("window", _on_pixels(lambda x: (x - middle) * np.float32(width) + middle), lambda values: values)


@dataclass(frozen=True, eq=False)
class Stability:
    """changes: their names. correlations: Spearman's of every pair of maps (the original's among them). by_change: mean with the original's.

    same_class: share of the changed images whose predicted class is the original's. probability_range: of the explained class.
    """

    changes: tuple[str, ...]
    correlations: np.ndarray
    by_change: dict[str, float]
    same_class: float
    probability_range: float

    def check(self) -> Check:
        """The mean rank correlation, against the limits of stable and unstable."""
        mean = float(self.correlations.mean())
        verdict = Verdict.SUPPORTS if mean >= STABLE else Verdict.CONTRADICTS if mean < UNSTABLE else Verdict.UNCLEAR
        says = f"Over {len(self.changes)} small changes of the image; the predicted class stayed in {self.same_class:.0%} of them."
        if self.same_class < 1 and verdict is Verdict.SUPPORTS:
            verdict, says = Verdict.UNCLEAR, says + " The map is stable, the answer is not."
        numbers = {
            "same_class": self.same_class,
            "probability_range": self.probability_range,
            **{f"under {k}": v for k, v in self.by_change.items()},
        }
        return Check(NAME, "mean rank correlation of the maps", mean, 0.0, verdict, says, numbers)


@dataclass(frozen=True, eq=False)
class ChangedScenes:
    """The scenes of the changed images, shared by all methods that are checked on one image."""

    made: Sequence[Change]
    scenes: Sequence[PreparedInput]
    probabilities: np.ndarray

    @classmethod
    def of(cls, model: TrainedModel, image: CTImage, *, samples: int = 5, seed: int = 0) -> "ChangedScenes":
        """One forward pass over the image and its changed copies."""
        made = changes(image, samples=samples, seed=seed)
        scenes = PreparedInput.several(model, [image, *(change.apply(image) for change in made)])
        with torch.no_grad():
            answers = [calibrated(model, model.network.classify(scene.features)[0])[0].cpu().numpy() for scene in scenes]
        return cls(made, scenes, np.stack(answers))


def stability(
    model: TrainedModel,
    changed: ChangedScenes,
    method: str,
    target: int,
    options: Options = Options(),
    *,
    on_progress: Progress | None = None,
) -> Stability | None:
    """None where a map is the same everywhere. A method that draws random numbers gets another seed for each change."""
    maps, seen = [], []
    for index, scene in enumerate(changed.scenes):
        found = explain(model, scene, method, target, replace(options, seed=options.seed + index))
        undo = changed.made[index - 1].undo if index else lambda values: values
        shrunk, looked = on_image(undo(found.values), undo(found.seen))
        maps.append(shrunk)
        seen.append(looked)
        if on_progress:
            on_progress(index + 1, len(changed.scenes))
    everywhere = np.logical_and.reduce(seen)
    if any(not everywhere.any() or np.ptp(each[everywhere]) == 0 for each in maps):
        return None
    pairs = {pair: rank_correlation(maps[pair[0]], maps[pair[1]], everywhere) for pair in combinations(range(len(maps)), 2)}
    names = tuple(change.name for change in changed.made)
    by_change = {name: float(np.mean([pairs[0, i + 1] for i, each in enumerate(names) if each == name])) for name in dict.fromkeys(names)}
    predicted = changed.probabilities.argmax(1)
    return Stability(
        names,
        np.array(list(pairs.values())),
        by_change,
        float((predicted[1:] == predicted[0]).mean()),
        float(np.ptp(changed.probabilities[:, target])),
    )


def check_stability(
    model: TrainedModel, changed: ChangedScenes, method: str, target: int, options: Options = Options(), **how: Any
) -> Check:
    """:func:`stability` as a check; it does not apply where a map is the same everywhere."""
    measured = stability(model, changed, method, target, options, **how)
    if measured is None:
        return Check.inapplicable(NAME, "A map is the same everywhere, so there is nothing to compare.")
    return measured.check()


def _ask(subject: "Subject", attribution: Attribution, on_progress: Progress | None) -> Check:
    return check_stability(subject.model, subject.changed, subject.method, subject.target, subject.options, on_progress=on_progress)


def _measure(subject: "Subject", attribution: Attribution) -> dict[str, float]:
    if not subject.is_fast:
        return {}
    found = stability(subject.model, subject.changed, subject.method, subject.target, subject.options)
    return {"stability": float(found.correlations.mean())} if found else {}


STABILITY = TrustCheck(
    NAME,
    "Is the map stable under small changes of the slice?",
    _ask,
    asked_at_once=lambda subject: subject.is_fast,
    asked_on_request=lambda subject: not subject.is_fast,
    measures={"stability": "stability"},
    measure=_measure,
)
