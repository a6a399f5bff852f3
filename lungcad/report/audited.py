"""A data set's report from its name or its folder: of the audit that the repository keeps, or of one made now."""

import os
from pathlib import Path

from lungcad.datasets import DATASETS, Dataset
from lungcad.datasets.audit import audit
from lungcad.datasets.info import describe
from lungcad.datasets.stored_audits import audit_as_published, read_stored_audit
from lungcad.errors import LungcadError, lookup
from lungcad.progress import Progress
from lungcad.report.dataset import dataset_document
from lungcad.report.document import Document


def audited(data: str, *, fresh: bool = False, on_progress: Progress | None = None) -> tuple[Document, str]:
    """(the report, the name of its file without ending). data: a known data set's name, or a folder. fresh: do not use the stored audit."""
    if os.path.isdir(data):
        return dataset_document(audit(data, on_progress=on_progress), folder=Path(data)), "lungcad-audit"
    dataset = lookup(DATASETS, data, "data set")
    stem, folder = f"lungcad-audit-{dataset.name}", _folder(dataset)
    stored = None if fresh else read_stored_audit(dataset)
    if stored is not None:
        return dataset_document(stored.audit, dataset=dataset, counts=stored.counts, folder=folder, audited_on=stored.date), stem
    images = folder or dataset.locate()
    result = audit_as_published(dataset, images, on_progress=on_progress)
    return dataset_document(result, dataset=dataset, counts=describe(dataset, images, on_progress=on_progress), folder=images), stem


def _folder(dataset: Dataset) -> Path | None:
    """None where the images are not on this machine."""
    try:
        return dataset.locate()
    except LungcadError:
        return None
