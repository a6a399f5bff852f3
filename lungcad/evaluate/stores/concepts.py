"""How close concept networks come to the readers, on disk: ``data/concepts/NAME.json``, written by ``lungcad concepts``."""

import json
from pathlib import Path
from typing import Any

from lungcad.errors import DatasetError
from lungcad.evaluate.stores.damage import DAMAGED_JSON
from lungcad.files import write_whole
from lungcad.paths import CONCEPTS

SCHEMA = 1
_KEYS = {"network", "weights_sha256", "n", "closeness", "auc_by_readers"}


def write_concepts(facts: dict[str, Any], folder: Path = CONCEPTS) -> Path:
    """The file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{facts['network']}.json"
    write_whole(path, json.dumps({"schema": SCHEMA, **facts}, indent=1, ensure_ascii=False) + "\n")
    return path


def read_concepts(folder: Path = CONCEPTS) -> list[dict[str, Any]]:
    """Of every network that was measured, by name. Raises :class:`DatasetError` for a damaged file or another schema."""
    return [_read(path) for path in sorted(folder.glob("*.json"))]


def _read(path: Path) -> dict[str, Any]:
    try:
        facts = json.loads(path.read_text("utf-8"))
    except DAMAGED_JSON:
        facts = None
    if not isinstance(facts, dict) or facts.get("schema") != SCHEMA or not facts.keys() >= _KEYS:
        raise DatasetError(f"{path.name} in data/concepts is damaged or of another version; run 'python -m lungcad concepts' again.")
    return facts
