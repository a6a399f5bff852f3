"""Tests of gates on disk: ``data/gate/NAME.json``, written by ``lungcad gate fit``."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lungcad.evaluate.stores.damage import DAMAGED_JSON
from lungcad.paths import GATE

GateTest = dict[str, Any]
_KEYS = {"network", "weights_sha256", "dataset", "chosen_on_validation", "own_test", "kinds"}


def read_gate_tests(root: Path = GATE, on_fault: Callable[[str], None] = lambda _: None) -> list[GateTest]:
    """All that can be read, by network; of the others ``on_fault`` gets a sentence."""
    found = []
    for path in sorted(root.glob("*.json")):
        try:
            values = json.loads(path.read_text("utf-8"))
        except DAMAGED_JSON:
            values = None
        if not isinstance(values, dict) or not values.keys() >= _KEYS:
            on_fault(f"{path.name} is not the test of a gate; write it anew with 'python -m lungcad gate fit --model {path.stem}'.")
            continue
        found.append(values)
    return found
