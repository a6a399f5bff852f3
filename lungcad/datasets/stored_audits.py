"""Audits and counts of the known data sets that are kept in the repository: what a data set is like, for a reader who has not its images."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lungcad.datasets.audit import Audit, audit
from lungcad.datasets.audit_facts import StoredAuditFacts
from lungcad.datasets.dataset import Dataset
from lungcad.datasets.info import describe
from lungcad.datasets.splits import Protocol
from lungcad.errors import DatasetError
from lungcad.files import write_whole
from lungcad.names import printable
from lungcad.paths import AUDITS, to_write
from lungcad.progress import Progress
from lungcad.stored_json import DAMAGED_JSON, read_json

SCHEMA = 2
"""2 has turned copies, pair by pair; 1, without a number, had not, and is read with a note that says so."""
_WITHOUT_TURNED = {
    "notes": ["Made before the audit looked for turned copies; run it to see them."],
    "not_looked_at": {},
    "copy_pairs": [],
    "leaked_copies": {},
}


@dataclass(frozen=True)
class StoredAudit:
    """audit: as :func:`audit_as_published`. counts: as :func:`~lungcad.datasets.info.describe`. date: when they were made."""

    date: str
    audit: Audit
    counts: dict[str, Any]


def audit_as_published(dataset: Dataset, folder: Path, *, on_progress: Progress | None = None) -> Audit:
    """Its own parts where the publisher gives them, else the random split over images of the papers."""
    return audit(folder, dataset.name, protocol=Protocol.PUBLISHED if dataset.shares else None, on_progress=on_progress)


def store_audit(dataset: Dataset, folder: Path, *, on_progress: Progress | None = None) -> Path:
    """Writes the data set's file, of the images in ``folder``; no image goes into it."""
    values = {
        "schema": SCHEMA,
        "date": datetime.now(UTC).date().isoformat(),
        "audit": audit_as_published(dataset, folder, on_progress=on_progress).to_dict(),
        "counts": describe(dataset, folder, on_progress=on_progress),
    }
    path = to_write(AUDITS) / f"{dataset.name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(values, ensure_ascii=False) + "\n")
    return path


def read_stored_audit(dataset: Dataset) -> StoredAudit | None:
    """None where nothing is kept. Raises :class:`DatasetError` for a damaged file or one of another schema."""
    path = AUDITS / f"{dataset.name}.json"
    if not path.is_file():
        return None
    try:
        values = read_json(path)
    except DAMAGED_JSON:
        values = None
    schema = values.get("schema", 1) if isinstance(values, dict) else SCHEMA
    if schema not in (1, SCHEMA):
        raise DatasetError(
            f"The stored audit of {dataset.name} is of schema {printable(str(schema))[:20]}, this lungcad reads {SCHEMA}; make it again with "
            f"'python -m lungcad data keep {dataset.name}'."
        )
    if schema == 1 and isinstance(values.get("audit"), dict):
        values["audit"] = _WITHOUT_TURNED | values["audit"]
    remedy = "restore data/audits from the repository"
    facts = StoredAuditFacts.checked(values, f"The stored audit of {dataset.name}", remedy, DatasetError)
    return StoredAudit(facts["date"], Audit.from_dict(facts["audit"]), facts["counts"])
