"""How well every network's files agree with torch, kept in ``data/export.json``."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lungcad.datasets import DATASETS, Split
from lungcad.errors import DatasetError, lookup
from lungcad.evaluate.trust import cases_of
from lungcad.export.agreement import check_images
from lungcad.export.file import export_network
from lungcad.export.format import FORMATS
from lungcad.files import write_whole
from lungcad.imaging import CTImage, read_image
from lungcad.models import TrainedModel
from lungcad.paths import SHIPPED
from lungcad.progress import Progress
from lungcad.stored_json import read_json

RECORD = SHIPPED / "data" / "export.json"
OWN = {Split.TRAIN: "training", Split.VALID: "validation", Split.TEST: "test"}


def own_images(model: TrainedModel, n: int, part: Split = Split.TEST) -> tuple[str, list[CTImage]]:
    """(what they are, n images of that part of the network's own data set); examples and phantoms where its data set is not on this machine."""
    dataset = DATASETS[model.card.dataset]
    try:
        cases = cases_of(model, dataset.locate(), dataset.name, part)
    except DatasetError:
        return "examples and phantoms", check_images(None, n, lambda _: None)
    chosen = [cases[index * len(cases) // min(n, len(cases))] for index in range(min(n, len(cases)))]
    return f"own {OWN[part]} images", [read_image(case.path) for case in chosen]


def record_agreement(model: TrainedModel, formats: Sequence[str], n: int, on_progress: Progress | None = None) -> list[dict[str, Any]]:
    """A row a format: what was compared and how far it was apart. Raises :class:`UnknownNameError` for another, before any work."""
    entries = [lookup(FORMATS, name.strip(), "format") for name in formats]
    kind, images = own_images(model, n)
    rows = []
    for done, entry in enumerate(entries, 1):
        with tempfile.TemporaryDirectory() as folder:
            exported = export_network(model, entry.name, Path(folder, f"network{entry.suffix}"), images)
            size = sum(path.stat().st_size for path in exported.files)
        rows.append(
            {
                "network": model.card.name,
                "weights_sha256": model.card.sha256,
                "format": entry.name,
                "images": kind,
                "bytes": size,
                **exported.agreement.to_dict(),
            }
        )
        if on_progress:
            on_progress(done, len(entries))
    return rows


def read_record(path: Path = RECORD) -> list[dict[str, Any]]:
    """The rows; none where nothing was recorded."""
    return list(read_json(path)) if path.is_file() else []


def update_record(rows: Sequence[dict[str, Any]], path: Path = RECORD) -> None:
    """The rows take the place of those of the same network and format."""
    kept = {(row["network"], row["format"]): row for row in (*read_record(path), *rows)}
    ordered = [kept[key] for key in sorted(kept, key=lambda key: (key[0], list(FORMATS).index(key[1])))]
    write_whole(path, json.dumps(ordered, indent=1) + "\n")
