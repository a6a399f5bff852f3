"""Concept activation vectors on disk: ``data/concepts/tcav/NAME.json``, written by ``lungcad tcav``, read by :mod:`lungcad.explain.concept_vectors`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lungcad.files import write_whole
from lungcad.paths import TCAV


def write_tcav(facts: Mapping[str, Any], folder: Path = TCAV) -> Path:
    """The file; a line a concept, so that a change can be read."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{facts['network']}.json"
    lists = {"concepts": facts["concepts"], "vectors": facts["control"]["vectors"]}
    text = json.dumps(
        {**facts, "concepts": "@concepts", "control": {**facts["control"], "vectors": "@vectors"}}, indent=1, ensure_ascii=False
    )
    for name, rows in lists.items():
        lines = ",\n  ".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
        text = text.replace(f'"@{name}"', f"[\n  {lines}\n ]")
    write_whole(path, text + "\n")
    return path
