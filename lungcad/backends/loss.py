"""What int8 costs a network on its own test images: accuracy, and agreement of its heat maps; kept in ``data/int8.json``."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lungcad.backends.choose import with_backend
from lungcad.backends.features import through
from lungcad.backends.int8 import N_CALIBRATION
from lungcad.datasets import DATASETS, Split
from lungcad.errors import DatasetError
from lungcad.evaluate.bootstrap import Resamples
from lungcad.evaluate.inference import BATCH
from lungcad.evaluate.metrics import estimate
from lungcad.evaluate.trust import cases_of
from lungcad.explain import Options, PreparedInput, explain
from lungcad.explain.trust.similarity import rank_correlation, shrink
from lungcad.export.network import ExportedFeatures
from lungcad.files import write_whole
from lungcad.imaging import read_image
from lungcad.models import TrainedModel
from lungcad.models.predict import calibrated
from lungcad.paths import SHIPPED
from lungcad.progress import Progress
from lungcad.stored_json import read_json

RECORD = SHIPPED / "data" / "int8.json"
INT8 = "onnxruntime-int8"


def measure_loss(model: TrainedModel, n: int, on_progress: Progress | None = None) -> dict[str, Any]:
    """int8 against the same network in float32, on ``n`` of its own test images, evenly through them; nothing is chosen by them.

    Intervals over groups (:class:`~lungcad.evaluate.bootstrap.Resamples`). Raises :class:`~lungcad.errors.DatasetError` without its data set.
    """
    dataset = DATASETS[model.card.dataset]
    cases = cases_of(model, dataset.locate(), dataset.name, Split.TEST)
    cases = [cases[index * len(cases) // min(n, len(cases))] for index in range(min(n, len(cases)))]
    features = ExportedFeatures(model).eval()
    exact = through(model, "torch", lambda inputs: features(torch.from_numpy(inputs)).detach().numpy())
    models = exact, with_backend(model, INT8)
    probabilities: list[list[np.ndarray]] = [[], []]
    correlations: list[float] = []
    for start in range(0, len(cases), BATCH // 4):
        images = [read_image(case.path) for case in cases[start : start + BATCH // 4]]
        together = [PreparedInput.several(each, images) for each in models]
        for pair in zip(*together, strict=True):
            found = [_probabilities(each, prepared) for each, prepared in zip(models, pair, strict=True)]
            target = int(found[0].argmax())
            maps = [explain(each, prepared, "gradcam", target, Options()).values for each, prepared in zip(models, pair, strict=True)]
            correlation = rank_correlation(shrink(maps[0]), shrink(maps[1]))
            correlations.append(np.nan if correlation is None else correlation)
            for of_model, values in zip(probabilities, found, strict=True):
                of_model.append(values)
        if on_progress:
            on_progress(len(correlations), len(cases))
    if not cases:
        raise DatasetError(f"The network {model.card.name} has no test images here.")
    truth = np.array([model.card.classes.index(case.label) for case in cases])
    usual, eight = (np.stack(each) for each in probabilities)
    groups = np.array([case.group or case.id for case in cases])
    resamples, has_map = Resamples.of(groups), np.isfinite(correlations)
    right = [(each.argmax(1) == truth).astype(float) for each in (usual, eight)]
    agreement = Resamples.of(groups[has_map]).mean(np.array(correlations)[has_map])
    return {
        "network": model.card.name, "weights_sha256": model.card.sha256, "calibrated_on": N_CALIBRATION, "n": len(cases), "groups": resamples.groups,
        "accuracy": float(right[0].mean()), "accuracy_int8": float(right[1].mean()),
        "accuracy_lost": estimate(resamples.mean(right[0] - right[1])).model_dump(),
        "same_class": int((usual.argmax(1) == eight.argmax(1)).sum()), "largest_difference": float(np.abs(usual - eight).max()),
        "n_maps": int(has_map.sum()), "gradcam_rank_correlation": estimate(agreement).model_dump(),
    }  # fmt: skip


def _probabilities(model: TrainedModel, prepared: PreparedInput) -> np.ndarray:
    with torch.no_grad():
        return np.asarray(calibrated(model, model.network.classify(prepared.features)[0])[0].numpy())


def read_losses(path: Path = RECORD) -> list[dict[str, Any]]:
    """The rows; none where nothing was measured."""
    return list(read_json(path)) if path.is_file() else []


def keep_loss(row: dict[str, Any], path: Path = RECORD) -> None:
    """The row takes the place of its network's."""
    kept = {each["network"]: each for each in (*read_losses(path), row)}
    write_whole(path, json.dumps([kept[name] for name in sorted(kept)], indent=1) + "\n")


def losses_table(rows: Sequence[dict[str, Any]]) -> str:
    """Markdown: a row a network."""
    lines = [
        "| network | own test images | groups | accuracy | in int8 | lost [95 % interval over groups] | same class | largest difference of a probability | "
        "Grad-CAM's rank correlation [95 %] |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| `{row['network']}` | {row['n']} | {row['groups']} | {row['accuracy']:.3f} | {row['accuracy_int8']:.3f} | {_interval(row['accuracy_lost'])} | "
        f"{row['same_class']} | {row['largest_difference']:.2f} | {_interval(row['gradcam_rank_correlation'])} |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def _interval(found: dict[str, float | None]) -> str:
    low, high = found["low"], found["high"]
    return f"{found['value']:.3f}" + (f" [{low:.3f}, {high:.3f}]" if low is not None and high is not None else "")
