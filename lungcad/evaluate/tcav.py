"""Does a network's answer depend on the readers' concepts? TCAV (Kim et al., ICML 2018) by the library Captum, with random concepts as control.

Of each concept a direction among the averages of an inner layer is fitted several times, each time from other patients with the concept and other random ones;
its score is the share of test nodules of the positive class whose log-odds rise in that direction. Directions between two random draws are the control.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import numpy as np
import torch
from scipy.stats import ttest_ind
from torch import Tensor

from lungcad.datasets import Case
from lungcad.datasets.concepts import Concept
from lungcad.errors import DatasetError
from lungcad.explain.middle_layer import BehindMiddle

REPEATS = 30
EXAMPLES = 50
"""Nodules with the concept, and random ones, that a direction is fitted to; no two of one patient."""
TOP = 0.25
"""Share of the training nodules, those with the highest mean rating, that count as having the concept."""
LEVEL = 0.05
"""Of the two-sided test, over all concepts together (Bonferroni)."""
POSITIVE = 1
"""Index of the class that scores are about, of the two."""


@dataclass(frozen=True, eq=False)
class Directions:
    """vectors (R, F), each of length 1. scores (R,): share of the inputs whose log-odds of the positive class rise in that direction. accuracy (R,): on
    examples left out of the fit."""

    vectors: np.ndarray
    scores: np.ndarray
    accuracy: np.ndarray

    def on(self, slopes: np.ndarray) -> "Directions":
        """The same directions, scored on other inputs. slopes (n, F): of the log-odds, by average."""
        return replace(self, scores=(slopes @ self.vectors.T > 0).mean(0))


Draw = Callable[[np.random.Generator], tuple[np.ndarray, np.ndarray]]
"""Rows of the examples with a concept, and of those without."""


def directions(behind: BehindMiddle, maps: Tensor, inputs: Tensor, draws: Sequence[Draw], *, seed: int = 0) -> list[Directions]:
    """Of each way to draw examples, :data:`REPEATS` directions by Captum's TCAV at the layer ``pooled``.

    maps (n, C, h, w): of the examples; only their averages over positions are looked at. inputs: those of the nodules that are asked about.
    """
    from captum.concept import TCAV, Concept

    ids = count()
    # Captum runs all that follows the layer, which of 2×2 positions costs next to nothing; of one, the next map would be no coarser than the earlier ones
    maps = maps.mean((2, 3), keepdim=True).expand(-1, -1, 2, 2)

    def concept(rows: np.ndarray) -> Concept:
        number = next(ids)
        return Concept(number, f"rows {number}", [maps[torch.from_numpy(rows)]])

    pairs = []
    for index, draw in enumerate(draws):
        for repeat in range(REPEATS):
            with_it, without = draw(np.random.default_rng([seed, index, repeat]))
            pairs.append([concept(with_it), concept(without)])
    fits = _classifier(seed)
    with tempfile.TemporaryDirectory(prefix="lungcad-tcav-") as folder, torch.enable_grad():
        tcav = TCAV(behind, ["pooled"], model_id="behind", classifier=fits, save_path=folder)
        scores = tcav.interpret(inputs, pairs, target=POSITIVE)
        stats = [tcav.cavs[f"{a.id}-{b.id}"]["pooled"].stats for a, b in pairs]
    vectors = np.stack([each["weights"][0].numpy() for each in stats]).reshape(len(draws), REPEATS, -1)
    accuracy = np.array([each["accs"] for each in stats]).reshape(len(draws), REPEATS)
    shares = np.array([float(scores[f"{a.id}-{b.id}"]["pooled"]["sign_count"][0]) for a, b in pairs]).reshape(len(draws), REPEATS)
    return [Directions(*each) for each in zip(vectors, shares, accuracy, strict=True)]


def _classifier(seed: int) -> Any:
    """Logistic regression on standardised averages, for Captum; the direction has length 1 and points towards the first concept of its pair."""
    from captum.concept import Classifier
    from sklearn.linear_model import LogisticRegression

    class Logistic(Classifier):  # type: ignore[misc]  # captum comes without types
        def __init__(self) -> None:
            self._weights = torch.zeros(0)
            self._classes: list[int] = []

        def train_and_eval(self, dataloader: Any, test_split_ratio: float = 0.33, **kwargs: Any) -> dict[str, float]:
            batches = list(dataloader)
            x = torch.cat([values.flatten(1) for values, _ in batches]).double().numpy()
            labels = torch.cat([labels for _, labels in batches]).numpy()
            self._classes = [int(labels[0]), int(labels[-1])]
            y = labels == labels[0]
            held_out = np.random.default_rng([seed, int(labels[0])]).permutation(len(x)) < test_split_ratio * len(x)
            mean, scale = x[~held_out].mean(0), x[~held_out].std(0) + 1e-9
            fitted = LogisticRegression(C=0.01, class_weight="balanced", max_iter=500).fit(((x - mean) / scale)[~held_out], y[~held_out])
            direction = fitted.coef_[0] / scale
            self._weights = torch.from_numpy(direction / max(float(np.linalg.norm(direction)), 1e-12)).float()
            return {"accs": float(fitted.score(((x - mean) / scale)[held_out], y[held_out]))}

        def weights(self) -> Tensor:
            return torch.stack([self._weights, -self._weights])

        def classes(self) -> list[int]:
            return self._classes

    return Logistic()


def examples_of(concept: Concept, cases: Sequence[Case]) -> np.ndarray:
    """Rows of the cases that count as having the concept. Raises :class:`DatasetError` where fewer patients than a direction needs have it."""
    means = np.array([_mean(case, concept) for case in cases])
    edge = np.nanquantile(means, 1 - TOP)
    rows = np.flatnonzero((means >= edge) & (means > (0 if concept.is_nominal else -np.inf)))
    if len({cases[int(row)].group for row in rows}) < EXAMPLES:
        raise DatasetError(f"Fewer than {EXAMPLES} training patients have a nodule with {concept.title.lower()}, too few for a direction.")
    return rows


def draw_of(rows: np.ndarray, groups: Sequence[str]) -> Draw:
    """Examples among ``rows``, against random ones of other patients. groups: the patient of every row."""
    patients = np.array(groups)

    def draw(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        with_it = _one_each(rng.permutation(rows), patients)[:EXAMPLES]
        others = np.flatnonzero(~np.isin(patients, patients[with_it]))
        return with_it, _one_each(rng.permutation(others), patients)[:EXAMPLES]

    return draw


def _one_each(rows: np.ndarray, patients: np.ndarray) -> np.ndarray:
    return np.asarray(rows[np.sort(np.unique(patients[rows], return_index=True)[1])])


def _mean(case: Case, concept: Concept) -> float:
    ratings = case.ratings.get(concept.name, ())
    return float(np.mean([concept.of_reader(rating) for rating in ratings])) if ratings else np.nan


def p_value(vectors: Directions, control: Directions, tested: int) -> float:
    """Two-sided, of Welch's test between the concept's scores and the control's, times ``tested`` concepts (Bonferroni)."""
    p = float(ttest_ind(vectors.scores, control.scores, equal_var=False).pvalue) if vectors.scores.std() + control.scores.std() > 0 else 1.0
    return min(p * tested, 1.0)


def concept_row(concept: Concept, vectors: Directions, control: Directions, tested: int, slopes: np.ndarray) -> dict[str, Any]:
    """What is stored of a concept. tested: how many concepts are. slopes (n, F): of validation nodules of the positive class.

    p: :func:`p_value` on the test nodules. asked_of: whether the concept beats its control on the validation ones, so that the check of a single nodule asks
    of it. score_range: from the 2.5th to the 97.5th percentile of the repeats.
    """
    p, mean = p_value(vectors, control, tested), vectors.vectors.mean(0)
    return {
        "concept": concept.name, "direction": concept.direction, **scores_of(vectors), "p": p, "beats_control": p < LEVEL,
        "asked_of": p_value(vectors.on(slopes), control.on(slopes), tested) < LEVEL,
        "accuracy": round(float(vectors.accuracy.mean()), 4), "vector": _rounded(mean / max(float(np.linalg.norm(mean)), 1e-12)),
    }  # fmt: skip


def scores_of(vectors: Directions) -> dict[str, Any]:
    """Mean score over the repeats and the range that holds 95 % of them."""
    low, high = np.quantile(vectors.scores, [0.025, 0.975])
    return {"score": round(float(vectors.scores.mean()), 4), "score_range": [round(float(low), 4), round(float(high), 4)]}


def _rounded(values: np.ndarray) -> list[Any]:
    rounded: list[Any] = np.round(values.astype(float), 5).tolist()
    return rounded


def control_row(control: Directions) -> dict[str, Any]:
    """What is stored of the random concepts."""
    return {**scores_of(control), "vectors": _rounded(control.vectors)}
