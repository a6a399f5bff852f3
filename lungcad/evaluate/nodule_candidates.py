"""What might make a nodule network better, side by side: other training, the mean over turned pictures, several seeds together.

Chosen by the AUC on validation; beside it the AUC on test patients, of all nodules and of those with several readers, and that of the readers' own diameter.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch

from lungcad.datasets import Case, Split
from lungcad.evaluate.bootstrap import Resamples
from lungcad.evaluate.concepts import LEAST_READERS
from lungcad.evaluate.inference import read_inputs, readable
from lungcad.evaluate.metrics import binary_auc, estimate
from lungcad.models import TrainedModel
from lungcad.models.predict import predict_batch
from lungcad.models.turned import quarter_turns
from lungcad.preprocess import normalise
from lungcad.progress import Progress

SINGLE, TURNED, TOGETHER, BOTH = "one network", "mean over four quarter turns", "mean of the seeds", "mean of the seeds and turns"
DIAMETER = "readers' diameter"
AIMS = {"all": 0.91, f"{LEAST_READERS} or more": 0.95}


def answers(
    networks: Mapping[tuple[str, int], TrainedModel], cases: Mapping[Split, Sequence[Case]], on_progress: Progress | None = None
) -> pd.DataFrame:
    """A row a network, part, case and turn: recipe, seed, split, case, group, label, readers, diameter_mm, turn, malignant (calibrated probability).

    networks: (recipe, seed) -> network. diameter_mm: mean of the readers'; NaN where none measured it. Raises :class:`DatasetError` for an image that
    cannot be read.
    """
    rows, done, total = [], 0, len(networks) * sum(map(len, cases.values()))
    for (recipe, seed), network in networks.items():
        for split, part in cases.items():
            for batch in read_inputs(list(part), network):
                inputs = normalise(torch.from_numpy(readable(batch)), network.card.preprocess)
                for turn, turned in enumerate(quarter_turns(inputs)):
                    found = predict_batch(network, turned)[:, 1]
                    rows += [
                        {"recipe": recipe, "seed": seed, "split": str(split), "case": case.id, "group": case.group, "label": case.label,
                         "readers": int(case.facts["n_readers"]), "diameter_mm": float(np.mean(case.ratings.get("diameter_mm") or [np.nan])),
                         "turn": turn, "malignant": float(value)}
                        for (case, _), value in zip(batch, found, strict=True)
                    ]  # fmt: skip
                done += len(batch)
                if on_progress:
                    on_progress(done, total)
    return pd.DataFrame(rows)


def candidate_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """A row a recipe and way of answering, best on validation first: recipe, way, seeds, valid, and test by the number of readers; then the diameter.

    table: of :func:`answers`. Of one network: seed 0. Intervals over patients.
    """
    rows = []
    for recipe, of_recipe in table.groupby("recipe", sort=False):
        seeds = sorted(of_recipe.seed.unique())
        straight, first = of_recipe.turn == 0, of_recipe.seed == seeds[0]
        ways = {SINGLE: of_recipe[straight & first], TURNED: of_recipe[first]}
        if len(seeds) > 1:
            ways |= {TOGETHER: of_recipe[straight], BOTH: of_recipe}
        for way, chosen in ways.items():
            rows.append({"recipe": recipe, "way": way, "seeds": len(chosen.seed.unique()), **_areas(_per_case(chosen, "malignant"))})
    rows.sort(key=lambda row: -row["valid"]["value"])
    first_recipe = table[table.recipe == table.recipe.iloc[0]]
    return [*rows, {"recipe": DIAMETER, "way": "–", "seeds": 0, **_areas(_per_case(first_recipe, "diameter_mm"))}]


def _per_case(rows: pd.DataFrame, score: str) -> pd.DataFrame:
    return rows.groupby(["split", "case"], as_index=False).agg(
        group=("group", "first"), label=("label", "first"), readers=("readers", "first"), score=(score, "mean")
    )


def _areas(cases: pd.DataFrame) -> dict[str, Any]:
    valid, test = cases[cases.split == Split.VALID], cases[cases.split == Split.TEST]
    return {
        "valid": _area(valid),
        "test": {"all": _area(test), f"{LEAST_READERS} or more": _area(test[test.readers >= LEAST_READERS])},
        "n": {"valid": len(valid), "all": len(test), f"{LEAST_READERS} or more": int((test.readers >= LEAST_READERS).sum())},
    }


def _area(cases: pd.DataFrame) -> dict[str, float | None]:
    known = cases[cases.score.notna()]
    return estimate(binary_auc((known.label == "malignant").to_numpy(), known.score.to_numpy(), Resamples.of(known.group))).model_dump()
