"""JSON of every store with one value changed: said in one sentence, or of no consequence; never a traceback, never drawn as it is."""

import copy
import json
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lungcad.datasets import LC25000, stored_audits
from lungcad.errors import LungcadError
from lungcad.evaluate.stores.concepts import read_concepts
from lungcad.evaluate.stores.gates import read_gate_tests
from lungcad.evaluate.stores.known_without import read_known
from lungcad.evaluate.stores.region_runs import read_region_run
from lungcad.evaluate.stores.truth import read_truth
from lungcad.explain.concept_vectors import ConceptVectors, read_tcav
from lungcad.explain.trust import CHECKS
from lungcad.lab.table import read_table
from lungcad.models import ModelCard
from lungcad.paths import AUDITS, CONCEPTS, GATE, LAB, REGION_RUNS, SERIES, TCAV, TRUTH, WEIGHTS
from lungcad.publish.cards_readme import readme
from lungcad.publish.concept_tables import closeness_table, gains_table, readers_table
from lungcad.publish.gate_tables import kinds_table, missed
from lungcad.publish.lab_tables import lab_table
from lungcad.publish.tcav_tables import tcav_table, tcav_words
from lungcad.publish.truth_tables import accusation_table, counterfactual_table, marks_table, peak_table, record
from lungcad.series import stored_pooling
from lungcad.stored_json import read_json

CHANGES = [None, "x", "![x](http://y)", [], {}, -1, True, 2.5, float("nan"), 10**400, [None, None], "\ud800"]
N = 80
NODULES = "lidc-efficientnet-lite0"


def use_truth(folder):
    facts = read_truth(folder)
    tables = [
        counterfactual_table(facts),
        marks_table(facts, "gradcam"),
        accusation_table(facts, "gradcam"),
        peak_table(facts),
        *(record(facts, check, "gradcam") or "" for check in CHECKS),
    ]
    return "\n".join(tables)


def use_gates(folder):
    faults = []
    tests = read_gate_tests(folder, faults.append)
    assert len(tests) + len(faults) == 1
    return "\n".join([*faults, *(kinds_table(test) + "; ".join(missed(test)) for test in tests)])


def use_concepts(folder):
    (facts,) = read_concepts(folder)
    return closeness_table(facts) + readers_table(facts) + gains_table(facts)


def use_tcav(folder):
    (facts,) = read_tcav(folder)
    return tcav_table(facts) + tcav_words(facts) + ConceptVectors.of(facts).record


def use_audit(folder, monkeypatch):
    monkeypatch.setattr(stored_audits, "AUDITS", folder)
    stored = stored_audits.read_stored_audit(LC25000)
    return json.dumps(stored.audit.to_dict()) + "".join(stored.audit.sentences())


def use_pooling(folder, monkeypatch):
    monkeypatch.setattr(stored_pooling, "SERIES", folder)
    stored_pooling.stored_choices.cache_clear()
    try:
        return stored_pooling.pooling_of(ModelCard.read(WEIGHTS / "phantom-honest.json")).how_chosen
    finally:
        stored_pooling.stored_choices.cache_clear()


FILES = {
    "truth": (TRUTH / "truth.json", use_truth),
    "gate": (GATE / "chest-resnet18.json", use_gates),
    "concepts": (CONCEPTS / f"{NODULES}-concepts.json", use_concepts),
    "tcav": (TCAV / f"{NODULES}.json", use_tcav),
    "audit": (AUDITS / "lc25000.json", use_audit),
    "pooling": (SERIES / "pooling.json", use_pooling),
    "lab": (LAB / "table.json", lambda folder: lab_table(read_table(folder))),
    "card": (WEIGHTS / f"{NODULES}.json", lambda folder: readme([ModelCard.read(folder / f"{NODULES}.json")])),
}


def paths_in(values, above=()):
    """Of every value of a JSON file but the whole; of a list the first and the last."""
    if above:
        yield above
    keys = values if isinstance(values, dict) else sorted({0, len(values) - 1}) if isinstance(values, list) and values else ()
    for key in keys:
        yield from paths_in(values[key], (*above, key))


def changed(values, path, change):
    values = copy.deepcopy(values)
    inner = values
    for key in path[:-1]:
        inner = inner[key]
    if change == "gone":
        del inner[path[-1]]
    else:
        inner[path[-1]] = change
    return values


@pytest.mark.parametrize("store", FILES)
def test_one_changed_value_is_a_sentence_or_of_no_consequence(store, tmp_path, monkeypatch):
    path, use = FILES[store]
    use = partial(use, monkeypatch=monkeypatch) if "monkeypatch" in use.__code__.co_varnames else use
    values, copied = read_json(path), tmp_path / path.name
    shutil.copy(path, copied)
    assert use(tmp_path)
    changes = [(place, change) for place in paths_in(values) for change in [*CHANGES, "gone"]]
    refused = 0
    for index in np.random.default_rng(0).choice(len(changes), N, replace=False):
        place, change = changes[index]
        copied.write_text(json.dumps(changed(values, place, change)))
        try:
            use(tmp_path).encode()
        except LungcadError as error:
            refused += 1
            assert str(error).endswith(".") and "\n" not in str(error) and len(str(error)) < 500
    assert refused or store == "gate"


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda table: table.assign(**{"p:normal": 5.0}), "instead of 0 to 1"),
        (lambda table: table.assign(label="somewhere"), "a label of their classes"),
        (lambda table: table.assign(group=None), "lack a case, a group"),
        (lambda table: table.iloc[:0], "empty"),
        (lambda table: table.drop(columns="p:normal"), "lack the column p:normal"),
    ],
)
def test_answers_without_the_lungs_are_checked_as_those_of_runs_are(change, word, tmp_path):
    name = "chest-resnet18--chest-ct-scan"
    shutil.copytree(REGION_RUNS / name, tmp_path / name)
    table = pd.read_parquet(tmp_path / name / "cases.parquet")
    change(table).to_parquet(tmp_path / name / "cases.parquet")
    with pytest.raises(LungcadError, match=word):
        read_region_run(name, tmp_path)
    known = "chest-ct-scan"
    shutil.copytree(REGION_RUNS / "without" / known, tmp_path / known)
    table = pd.read_parquet(tmp_path / known / "cases.parquet")
    change(table).to_parquet(tmp_path / known / "cases.parquet")
    with pytest.raises(LungcadError, match="damaged file"):
        read_known(known, tmp_path)


@pytest.mark.parametrize("text", ["", "[" * 100_000, '{"a": NaN}', '{"a": 1e999}', '{"a": ' + "9" * 5000 + "}", '{"a": "\\ud800"}', "\xff"])
def test_what_is_no_json_of_ours_is_one_kind_of_error(text, tmp_path):
    (tmp_path / "a.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError):
        read_json(tmp_path / "a.json")


def test_whole_characters_beyond_the_first_plane_are_no_damage(tmp_path):
    Path(tmp_path / "a.json").write_text('{"a": "\\ud83d\\ude00 \\\\ud800"}')
    assert read_json(tmp_path / "a.json") == {"a": "😀 \\ud800"}
