"""What networks make of the nodules that readers marked in whole series: those of slices by their ranked positions, those of nodules by their maps."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lungcad.errors import ModelError
from lungcad.explain.neighbours import Index
from lungcad.imaging.volume import load, opened
from lungcad.models import TrainedModel
from lungcad.progress import Progress
from lungcad.series.answer import analyse_volume, pooled
from lungcad.series.inside import find_lungs
from lungcad.series.marked import mean_energy, rate_marked
from lungcad.series.nodule import rates_nodules
from lungcad.series.ranking import hits
from lungcad.series.readers import as_lesions, readers_marks

MAP = "gradcam"


def marked_rows(folders: Sequence[Path], models: Sequence[TrainedModel], on_progress: Progress | None = None) -> list[dict[str, Any]]:
    """A row a series and network, for JSON. Of a network of slices: which nodules its positions hit (rank or null), with and without the slices
    that the gate declines; of one of nodules: its answer to each and where its map lies, whatever the gate says, and whether the patient was in its training.
    """
    rows = []
    for folder in folders:
        with opened(folder) as study:
            volume = load(study, study.choose())
            marks = readers_marks(study, volume)
        lesions = as_lesions(marks.nodules) if marks else []
        lungs = find_lungs(volume)
        for model in models:
            row: dict[str, Any] = {"series": folder.name, "slices": volume.shape[0], "network": model.card.name}
            if rates_nodules(model.card):
                readings = rate_marked(volume, marks, model, method=MAP, show_anyway=True)
                row |= {"nodules": [each.to_dict() for each in readings], "mean": mean_energy(readings)}
                row["in_training"] = _is_in_training(folder.name, model)
            else:
                answer = analyse_volume(volume, model, lungs=lungs, method=MAP)
                row |= {"slices_read": len(answer.slices), "slices_declined": answer.declined}
                row["has_answer"] = answer.prediction is not None
                anyway = pooled(volume, model.card, answer.slices, lungs, method=MAP, show_anyway=True)
                for key, each in (("hits", answer), ("hits_anyway", anyway)):
                    row[key] = {hit.label: hit.rank for hit in hits(each.positions, lesions)}
                row["positions"] = len(anyway.positions)
            rows.append(row)
            if on_progress:
                on_progress(len(rows), len(folders) * len(models))
    return rows


def _is_in_training(patient: str, model: TrainedModel) -> bool | None:
    """By the names of the training cases; None where they are not at hand."""
    try:
        return any(patient in case for case in Index.read(model.card).cases)
    except ModelError:
        return None
