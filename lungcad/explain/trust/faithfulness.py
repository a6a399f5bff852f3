"""Does the network use what the map highlights? Deletion and insertion (Petsiuk et al., "RISE", BMVC 2018)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch

from lungcad.explain.attribution import Attribution, Fill, PreparedInput
from lungcad.explain.engine import masked_probabilities, replacement_grey
from lungcad.explain.trust.check import Check, TrustCheck, Verdict
from lungcad.models import TrainedModel
from lungcad.progress import Progress

if TYPE_CHECKING:
    from lungcad.explain.trust.subject import Subject

CELLS = 7
"""Cells of one side in which the image is deleted: the feature map's own grid where that is finer (at most 14)."""
STEPS = 8
RUN_STEPS = 5
"""Of the curves of a trust run; a page takes more."""
RANDOM_MAPS = 3
FILLS = (Fill.BLUR, Fill.MEAN)
NAME = "faithfulness"
FLAT = 1e-3
"""Standard deviation of the grey level below which an image counts as constant."""


@dataclass(frozen=True, eq=False)
class Faithfulness:
    """deletion, insertion: (fills, steps + 1) calibrated probability of the class when the strongest cells are hidden, or nothing else is
    shown.

    Areas under the curves over the hidden (shown) share, averaged over the fills, 0 to 1: a faithful map has a low deletion area and a high
    insertion area. The controls, (fills, maps, steps + 1), are the same curves for random orders of the same cells.
    """

    shares: np.ndarray
    deletion: np.ndarray
    insertion: np.ndarray
    random_deletion: np.ndarray
    random_insertion: np.ndarray

    @property
    def random_deletion_areas(self) -> np.ndarray:
        """Of each random map."""
        return np.array([_area(self.random_deletion[:, i]) for i in range(self.random_deletion.shape[1])])

    @property
    def random_insertion_areas(self) -> np.ndarray:
        """Of each random map."""
        return np.array([_area(self.random_insertion[:, i]) for i in range(self.random_insertion.shape[1])])

    @property
    def deletion_auc(self) -> float:
        """Area under the deletion curve, mean over the fills; lower is better."""
        return _area(self.deletion)

    @property
    def insertion_auc(self) -> float:
        """Area under the insertion curve, mean over the fills."""
        return _area(self.insertion)

    def check(self) -> Check:
        """Insertion minus deletion, against the random maps."""
        gain = self.insertion_auc - self.deletion_auc
        controls = self.random_insertion_areas - self.random_deletion_areas
        control = float(controls.mean())
        if gain > controls.max() + 0.02:
            verdict, sentence = Verdict.SUPPORTS, "Hiding what it highlights lowers the probability sooner than hiding random places."
        elif gain < control - 0.02:
            verdict, sentence = Verdict.CONTRADICTS, "Hiding random places lowers the probability sooner than hiding what it highlights."
        else:
            verdict, sentence = Verdict.UNCLEAR, "Hiding what it highlights does hardly more than hiding random places."
        numbers = {
            "deletion_auc": self.deletion_auc,
            "insertion_auc": self.insertion_auc,
            "deletion_auc_random": float(self.random_deletion_areas.mean()),
            "insertion_auc_random": float(self.random_insertion_areas.mean()),
        }
        curves = {
            "share": self.shares,
            "deletion": self.deletion.mean(0),
            "insertion": self.insertion.mean(0),
            "deletion, random": self.random_deletion.mean((0, 1)),
            "insertion, random": self.random_insertion.mean((0, 1)),
        }
        return Check(NAME, "insertion area minus deletion area", gain, control, verdict, sentence, numbers, curves)


def faithfulness(
    model: TrainedModel,
    prepared: PreparedInput,
    attribution: Attribution,
    target: int,
    *,
    steps: int = STEPS,
    random_maps: int = RANDOM_MAPS,
    seed: int = 0,
    on_progress: Progress | None = None,
) -> Faithfulness:
    """Deletion and insertion curves of one map, with those of ``random_maps`` random orders of the same image, both fills, in one pass of
    batches.

    target: class index whose probability is watched.
    """
    cells = cells_of(attribution.grid)
    rng = np.random.default_rng(seed)
    orders = [np.argsort(-cells.ravel(), kind="stable"), *(rng.permutation(cells.size) for _ in range(random_maps))]
    counts = np.round(np.linspace(0, cells.size, steps + 1)).astype(int)
    ranks = np.stack([np.argsort(order) for order in orders]).reshape(len(orders), *cells.shape)
    shape = prepared.grey.shape[-2:]
    ranks = np.stack(
        [cv2.resize(order_ranks.astype(np.float32), shape[::-1], interpolation=cv2.INTER_NEAREST_EXACT) for order_ranks in ranks]
    )
    # all shown and all hidden are the same for every order: the inner steps only, and those two once a fill
    covered = torch.from_numpy(ranks[:, None] < counts[1:-1, None, None])
    masks = torch.cat(
        [~covered.flatten(0, 1), covered.flatten(0, 1), torch.ones(1, *shape, dtype=torch.bool), torch.zeros(1, *shape, dtype=torch.bool)]
    )
    answers_by_fill = []
    for index, fill in enumerate(FILLS):

        def report(done: int, total: int, index: int = index) -> None:
            if on_progress:
                on_progress(index * total + done, len(FILLS) * total)

        answers_by_fill.append(
            masked_probabilities(model, prepared, masks, replacement_grey(prepared.grey, fill), on_progress=report)[:, target]
            .numpy()
            .astype(np.float64)
        )
    probabilities = np.stack(answers_by_fill)
    all_shown, all_hidden = probabilities[:, -2], probabilities[:, -1]
    partly_hidden = probabilities[:, :-2].reshape(len(FILLS), 2, len(orders), steps - 1)
    all_shown_curve, all_hidden_curve = (np.repeat(answer[:, None, None], len(orders), axis=1) for answer in (all_shown, all_hidden))
    deletion = np.concatenate([all_shown_curve, partly_hidden[:, 0], all_hidden_curve], axis=2)
    insertion = np.concatenate([all_hidden_curve, partly_hidden[:, 1], all_shown_curve], axis=2)
    return Faithfulness(counts / cells.size, deletion[:, 0], insertion[:, 0], deletion[:, 1:], insertion[:, 1:])


def check_faithfulness(
    model: TrainedModel, prepared: PreparedInput, attribution: Attribution, target: int, **kwargs: Any
) -> tuple[Check, Faithfulness | None]:
    """The check, or why it does not apply: a constant image has no place that differs from another, a constant map no order."""
    if prepared.grey.std() < FLAT:
        return Check.inapplicable(NAME, "The image is the same grey everywhere, so hiding parts of it changes nothing."), None
    if np.ptp(attribution.grid) == 0:
        return Check.inapplicable(NAME, "The map is the same everywhere, so it ranks no place above another."), None
    result = faithfulness(model, prepared, attribution, target, **kwargs)
    return result.check(), result


def cells_of(grid: np.ndarray) -> np.ndarray:
    """The map at the resolution at which parts are hidden: its own where it has 7 to 14 cells a side, 7 (mean of the pixels) where it is
    finer.
    """
    if max(grid.shape) <= 14:
        return grid
    return cv2.resize(grid, (CELLS, CELLS), interpolation=cv2.INTER_AREA)


def _area(curves: np.ndarray) -> float:
    """Trapezoid over equal steps of 0..1, mean over the fills (rows)."""
    return float(np.trapezoid(curves, dx=1 / (curves.shape[-1] - 1), axis=-1).mean())


def _ask(subject: "Subject", attribution: Attribution, on_progress: Progress | None) -> Check:
    return check_faithfulness(subject.model, subject.prepared, attribution, subject.target, on_progress=on_progress)[0]


def _measure(subject: "Subject", attribution: Attribution) -> dict[str, float]:
    if np.ptp(attribution.grid) == 0:
        return {}
    result = faithfulness(subject.model, subject.prepared, attribution, subject.target, steps=RUN_STEPS, random_maps=0)
    deletion, insertion = result.deletion_auc, result.insertion_auc
    return {"deletion_auc": deletion, "insertion_auc": insertion, "faithfulness": insertion - deletion}


FAITHFULNESS = TrustCheck(
    NAME,
    "Does the network really use what the map highlights?",
    _ask,
    asked_on_request=lambda subject: False,
    measures={
        "deletion_auc": "deletion area (lower is better)",
        "insertion_auc": "insertion area",
        "faithfulness": "insertion minus deletion area",
    },
    measure=_measure,
)
