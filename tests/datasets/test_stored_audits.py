"""What the repository keeps of the data sets: it reads back, and it is what the data says."""

import json
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from lungcad.datasets import DATASETS, stored_audits
from lungcad.datasets.folders import ImageFolder
from lungcad.datasets.stored_audits import audit_as_published, read_stored_audit, store_audit
from lungcad.errors import DatasetError

LC25000 = DATASETS["lc25000"]
PUBLISHED = [name for name, dataset in DATASETS.items() if not dataset.is_made]


def test_what_is_kept_reads_back(tmp_path, monkeypatch):
    monkeypatch.setattr(stored_audits, "AUDITS", tmp_path / "audits")
    assert read_stored_audit(LC25000) is None
    for index, label in enumerate(LC25000.classes):
        (tmp_path / "images" / label).mkdir(parents=True)
        for number in range(8):
            coarse = np.random.default_rng(10 * index + number).integers(0, 256, (7, 7), np.uint8)
            Image.fromarray(coarse).resize((96, 96)).save(tmp_path / "images" / label / f"{number}.png")
    path = store_audit(LC25000, tmp_path / "images")
    found = read_stored_audit(LC25000)
    values = json.loads(path.read_text())
    assert json.loads(json.dumps(found.audit.to_dict())) == values["audit"] and found.counts == values["counts"]
    assert found.audit.n_images == 24 and found.audit.split.startswith("random over images")
    for damaged in ("{", "{}", '{"date": "", "audit": {}, "counts": {}}', '{"date": "", "audit": [], "counts": {}}'):
        path.write_text(damaged)
        with pytest.raises(DatasetError, match="damaged"):
            read_stored_audit(LC25000)
    path.write_text(json.dumps(values | {"schema": 3}))
    with pytest.raises(DatasetError, match="schema 3, this lungcad reads 2; make it again with 'python -m lungcad data keep lc25000'"):
        read_stored_audit(LC25000)
    older = {
        name: value for name, value in values["audit"].items() if name not in ("copy_pairs", "leaked_copies", "notes", "not_looked_at")
    }
    path.write_text(json.dumps({"date": "2026-11-01", "audit": older, "counts": values["counts"]}))
    assert "before the audit looked for turned copies" in read_stored_audit(LC25000).audit.notes[0]


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_data_set_is_kept_and_its_counts_agree(name):
    found = read_stored_audit(DATASETS[name])
    assert found is not None and found.audit.layout == name and sum(found.audit.n_by_class.values()) == found.audit.n_images
    assert found.audit.split != "none" and found.audit.leak_share  # the leaks of the published protocol are what a reader comes for
    for protocol in found.counts["protocols"].values():
        for part in protocol["parts"]:
            assert sum(part["by_class"].values()) == part["n"]
    (test,) = (part for part in found.counts["protocols"]["published"]["parts"] if part["split"] == "test")
    assert test["copies_of_training"] == sum(leak.n for leak in found.audit.leaks if leak.split == "test")


@pytest.mark.parametrize("name", PUBLISHED)
def test_what_is_kept_counts_the_published_images(name, shared_data):
    cases = DATASETS[name].read_cases(ImageFolder.open(DATASETS[name].locate())).cases
    assert Counter(case.label for case in cases) == read_stored_audit(DATASETS[name]).audit.n_by_class


def test_what_is_stored_is_found_again(shared_data):
    """All but how alike the copies are: another processor rounds otherwise, so that a pair in fifty may come or go with what follows from it."""
    again, stored = (each.to_dict() for each in (audit_as_published(LC25000, LC25000.locate()), read_stored_audit(LC25000).audit))
    found, known = ({(pair["first"], pair["second"]) for pair in values["copy_pairs"]} for values in (again, stored))
    assert len(found ^ known) <= 0.02 * len(known)
    assert again["leak_share"] == pytest.approx(stored["leak_share"], abs=0.03)
    assert again["metadata_only"]["balanced_accuracy"] == pytest.approx(stored["metadata_only"]["balanced_accuracy"], abs=0.05)
    follows = (
        "copy_pairs",
        "duplicate_groups",
        "leaks",
        "leak_share",
        "leaked_copies",
        "metadata_only",
        "scores",
        "seconds",
        "images_per_second",
    )
    assert {name: value for name, value in again.items() if name not in follows} == {
        name: value for name, value in stored.items() if name not in follows
    }
