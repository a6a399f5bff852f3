"""How close a concept network's ratings come to the readers', beside how close a reader comes to the others; and why more readers mean a higher AUC."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from scipy.stats import rankdata

from lungcad.datasets import Case
from lungcad.datasets.concepts import CONCEPTS, Concept
from lungcad.errors import DatasetError, ModelError
from lungcad.evaluate.bootstrap import Resamples
from lungcad.evaluate.inference import read_inputs, readable
from lungcad.evaluate.metrics import binary_auc, estimate
from lungcad.evaluate.stores.runs import Run
from lungcad.explain.concepts import refuse_without_concepts
from lungcad.models import TrainedModel, features
from lungcad.models.concept_head import ConceptHead
from lungcad.preprocess import normalise
from lungcad.progress import Progress

LEAST_READERS = 3
"""Readers of a nodule from which their agreement is measured."""
SPEARMAN_RESAMPLES = 1000


def rate(model: TrainedModel, cases: list[Case], on_progress: Progress | None = None) -> np.ndarray:
    """(n, concepts): the mean rating that the network gives each case. Raises :class:`DatasetError` where an image cannot be read."""
    head = model.network.head
    refuse_without_concepts(model.card)
    if not isinstance(head, ConceptHead):
        raise ModelError(f"The weights of {model.card.name} have no head of concepts, as its card says; restore them from the repository.")
    rows: list[np.ndarray] = []
    for batch in read_inputs(cases, model):
        maps = features(model, normalise(torch.from_numpy(readable(batch)), model.card.preprocess))
        with torch.no_grad():
            distributions = head.distributions(head.levels(model.network.attention(maps)[0]))
        rows += list(
            np.stack(
                [concept.value(each.double().cpu().numpy()) for concept, each in zip(head.concepts, distributions, strict=True)], axis=1
            )
        )
        if on_progress:
            on_progress(len(rows), len(cases))
    return np.stack(rows)


def closeness(concept: Concept, cases: Sequence[Case], values: np.ndarray) -> dict[str, Any]:
    """Rank correlation of the network's ratings, and of single readers', with the mean of the other readers, over the same pairs of nodule and reader.

    values (n,): the network's rating of each case. Nodules of at least :data:`LEAST_READERS` readers; each of them is left out in turn, so the network
    and the reader are held to the same means. Intervals: bootstrap over patients, the same draw for both.
    """
    one, others, network, groups, nodules = [], [], [], [], 0
    for case, value in zip(cases, values, strict=True):
        ratings = [concept.of_reader(rating) for rating in case.ratings.get(concept.name, ())]
        if len(ratings) < LEAST_READERS:
            continue
        nodules += 1
        for index, rating in enumerate(ratings):
            one.append(rating)
            others.append(np.mean(ratings[:index] + ratings[index + 1 :]))
            network.append(value)
            groups.append(case.group or case.id)
    if not one:
        raise DatasetError(
            f"No nodule has {LEAST_READERS} readers' ratings of {concept.title.lower()}, so their agreement cannot be measured."
        )
    resamples = Resamples.of(np.array(groups), resamples=SPEARMAN_RESAMPLES)
    of_network, of_reader = (_spearman(np.array(each), np.array(others), resamples) for each in (network, one))
    return {
        "concept": concept.name,
        "n": nodules,
        "network": estimate(of_network).model_dump(),
        "reader": estimate(of_reader).model_dump(),
        "difference": estimate(of_network - of_reader).model_dump(),
    }


def _spearman(a: np.ndarray, b: np.ndarray, resamples: Resamples) -> np.ndarray:
    """(B,): Spearman's rank correlation (ties share their mean rank) of each resample; NaN where one is the same everywhere."""
    correlations = np.full(len(resamples), np.nan)
    for index, multiplicities in enumerate(resamples.multiplicities):
        rows = np.repeat(np.arange(len(a)), multiplicities[resamples.block].astype(int))
        first, second = rankdata(a[rows]), rankdata(b[rows])
        if first.std() and second.std():
            correlations[index] = np.corrcoef(first, second)[0, 1]
    return correlations


def auc_by_readers(runs: Sequence[Run], cases: Mapping[str, Case]) -> list[dict[str, Any]]:
    """AUC of each run, and of the readers' own mean diameter, over all test nodules and by the number of readers: if the diameter's rises too, it is the
    labels that get better, and not the network.

    With each row: nodules, share of malignant ones, median diameter in mm. The last run is compared with each other one (``gains``, paired).
    """
    table = runs[0].test
    if any(not run.test.case.equals(table.case) for run in runs[1:]):
        raise DatasetError("The runs were tested on other cases and cannot stand beside each other.")
    tested = [cases[case] for case in table.case]
    positive = runs[0].labels(table) == 1
    n_readers = np.array([case.facts["n_readers"] for case in tested])
    diameter = np.array([np.mean(case.ratings["diameter_mm"]) for case in tested])
    scores = {run.name: run.probabilities(run.test)[:, 1] for run in runs} | {"readers' diameter": diameter}
    rows = []
    for readers, chosen in {
        "all": n_readers > 0,
        "1": n_readers == 1,
        "2": n_readers == 2,
        f"{LEAST_READERS} or more": n_readers >= LEAST_READERS,
    }.items():
        resamples = Resamples.of(table.group[chosen])
        areas = {name: binary_auc(positive[chosen], values[chosen], resamples) for name, values in scores.items()}
        rows.append(
            {
                "readers": readers,
                "n": int(chosen.sum()),
                "malignant": round(float(positive[chosen].mean()), 3),
                "median_diameter_mm": round(float(np.median(diameter[chosen])), 1),
                "auc": {name: estimate(values).model_dump() for name, values in areas.items()},
                "gains": {run.name: estimate(areas[runs[-1].name] - areas[run.name]).model_dump() for run in runs[:-1]},
            }
        )
    return rows


def concept_facts(
    model: TrainedModel, runs: Sequence[Run], cases: Mapping[str, Case], on_progress: Progress | None = None
) -> dict[str, Any]:
    """What ``data/concepts/NAME.json`` says. runs: other networks' of the same test part, and last the network's own."""
    tested = [cases[case] for case in runs[-1].test.case]
    if not all(set(model.card.concepts) <= set(case.ratings) for case in tested):
        raise DatasetError(
            "The readers' ratings are unavailable: attributes.csv is not in the folder of LIDC-IDRI, or lacks nodules of the test part."
        )
    values = rate(model, tested, on_progress)
    by_concept = [closeness(CONCEPTS[name], tested, values[:, column]) for column, name in enumerate(model.card.concepts)]
    return {
        "network": model.card.name,
        "weights_sha256": model.card.sha256,
        "n": len(tested),
        "closeness": by_concept,
        "auc_by_readers": auc_by_readers(runs, cases),
    }
