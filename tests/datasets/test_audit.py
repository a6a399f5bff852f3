"""The audit on a folder with one fault of each kind."""

import json

import cv2
import numpy as np
import pytest
from PIL import Image

from lungcad.datasets import Protocol
from lungcad.datasets.audit import CHECKS, audit, run
from lungcad.errors import DatasetError

N = 9


def picture(seed: int, size: int = 128) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (cv2.resize(rng.random((7, 7)), (size, size), interpolation=cv2.INTER_CUBIC).clip(0, 1) * 255).astype(np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two classes in train and test. Copies of train/a/0 to 2 in the test part: re-encoded, resized, with alpha."""
    root = tmp_path_factory.mktemp("faulty")
    for part, first in (("train", 0), ("test", 100)):
        for label in ("a", "b"):
            place = root / part / label
            place.mkdir(parents=True)
            for index in range(N):
                Image.fromarray(picture(first + index + 50 * (label == "b"))).save(place / f"{index}.png")
    Image.fromarray(picture(0)).save(root / "test" / "a" / "copy0.jpg", quality=70)
    Image.fromarray(picture(1)).resize((90, 90)).save(root / "test" / "a" / "copy1.png")
    Image.fromarray(picture(2)).convert("RGBA").save(root / "test" / "a" / "copy2.png")
    (root / "train" / "b" / "copy.png").write_bytes((root / "train" / "b" / "0.png").read_bytes())  # exact, inside a part
    (root / "train" / "b" / "other label.png").write_bytes((root / "train" / "a" / "5.png").read_bytes())
    (root / "train" / "a" / "broken.png").write_bytes(b"\x89PNG nothing")
    return root


@pytest.fixture(scope="module")
def found(folder):
    return json.loads(json.dumps(audit(folder).to_dict(), allow_nan=False))


def test_leaks_are_counted_by_class_with_their_share(found):
    assert found["leaks"] == [{"split": "test", "class": "a", "n": 3, "share": 0.25}]
    assert found["leak_share"] == {"test": round(3 / (2 * N + 3), 4)}


def test_copies_conflicts_and_damaged_files_are_named(found):
    groups = {frozenset(group) for group in found["duplicate_groups"]}
    assert groups == {
        frozenset({"train/a/0.png", "test/a/copy0.jpg"}), frozenset({"train/a/1.png", "test/a/copy1.png"}),
        frozenset({"train/a/2.png", "test/a/copy2.png"}), frozenset({"train/b/0.png", "train/b/copy.png"}),
        frozenset({"train/a/5.png", "train/b/other label.png"}),
    }  # fmt: skip
    assert found["label_conflicts"] == [{"cases": ["train/a/5.png", "train/b/other label.png"], "labels": ["a", "b"]}]
    assert [each["case"] for each in found["unreadable"]] == ["train/a/broken.png"] and found["n_images"] == 4 * N + 5
    assert found["exact_groups"] == 3 and found["layout"] is None  # the picture with alpha has the same grey levels, so it is exact too


def test_every_copy_says_how_it_was_turned(found):
    pairs = {(pair["first"], pair["second"]): pair for pair in found["copy_pairs"]}
    resized = pairs["test/a/copy1.png", "train/a/1.png"]
    assert resized["kind"] == "copy" and resized["transform"] == "as it is" and not resized["mirrored"] and resized["correlation"] > 0.9
    assert found["leaked_copies"] == {"test": {"a": 3}} and set(found["scores"]) == set(CHECKS)


def test_every_check_has_a_question_a_score_and_its_fields(folder):
    audited = audit(folder)
    for check in CHECKS.values():
        assert check.question.endswith("?") and 0 <= audited.scores[check.name] <= 1
        assert all(hasattr(audited, field) for field in check.fields)
    assert any("two labels" in sentence for sentence in audited.sentences())


def test_nothing_is_said_of_a_clean_folder(tmp_path):
    for part, first in (("train", 0), ("valid", 300)):
        for label in ("x", "y"):
            (tmp_path / part / label).mkdir(parents=True)
            for index in range(6):
                Image.fromarray(picture(first + index + 20 * (label == "y"))).save(tmp_path / part / label / f"{7 * index}.png")
    clean = audit(tmp_path)
    assert not clean.leaks and not clean.label_conflicts and not clean.duplicate_groups and not clean.unreadable and not clean.neighbours
    assert clean.leak_share == {"valid": 0.0}
    assert abs(clean.metadata_only.balanced_accuracy - 0.5) <= 0.35


def test_classes_that_metadata_give_away(tmp_path):
    for label, mode in (("x", "L"), ("y", "RGB")):
        (tmp_path / label).mkdir()
        for index in range(12):
            Image.fromarray(picture(index + 40 * (label == "y"))).convert(mode).save(tmp_path / label / f"{index}.png")
    told = audit(tmp_path).metadata_only
    assert told.balanced_accuracy == 1 and told.chance == 0.5 and told.suspicious == ["x", "y"]


def test_a_forest_that_says_one_class_accuses_none(tmp_path):
    """Files that are all alike: its recall of that class is whole, and it tells nothing apart."""
    for label in ("x", "y"):
        (tmp_path / label).mkdir()
        for index in range(8):
            inside = np.pad(picture(index + 40 * (label == "y")), 16)
            Image.fromarray(inside).save(tmp_path / label / f"{index}.png")
    told = audit(tmp_path).metadata_only
    assert told.balanced_accuracy <= told.chance and max(told.recall.values()) > 0.75 and told.suspicious == []


def test_neighbouring_slices_on_two_sides(tmp_path):
    rng = np.random.default_rng(0)
    for index, part in enumerate(("train", "test", "train")):
        (tmp_path / part / "a").mkdir(parents=True, exist_ok=True)
        changed = np.clip(picture(3) + cv2.resize(rng.random((5, 5)) - 0.5, (128, 128)) * 110, 0, 255).astype(np.uint8)
        Image.fromarray(changed).save(tmp_path / part / "a" / f"slice {index}.png")
    found = audit(tmp_path)
    assert not found.duplicate_groups and len(found.neighbours) == 2


def test_folders_without_images_and_unknown_layouts(tmp_path):
    with pytest.raises(DatasetError, match="holds no images"):
        audit(tmp_path)
    with pytest.raises(DatasetError, match="no folder"):
        audit(tmp_path / "gone")
    with pytest.raises(DatasetError, match="iq-oth-nccd"):
        audit(tmp_path, "imagenet")


def test_one_class_only_and_an_empty_class_folder(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "empty").mkdir()
    for index in range(8):
        Image.fromarray(picture(index)).save(tmp_path / "a" / f"{index}.png")
    found = audit(tmp_path)
    assert found.metadata_only is None and found.n_by_class == {"a": 8}


def once(function):
    """What it gave the first time, whatever it is given later."""
    given_first = []

    def again(*given, **options):
        if not given_first:
            given_first.append(function(*given, **options))
        return given_first[0]

    return again


def test_a_data_set_without_parts_can_be_split_to_see_its_leaks(shared_data, monkeypatch):
    """Four in five test slices of a random split of IQ-OTH/NCCD have a near copy in training; grouped, none has.

    Images are read, and their pairs found, once: neither depends on the protocol.
    """
    for name in ("_read", "find_pairs"):
        monkeypatch.setattr(run, name, once(getattr(run, name)))
    random, grouped = (audit(shared_data / "iq-oth-nccd", protocol=protocol) for protocol in Protocol)
    assert random.layout == "iq-oth-nccd" and random.leak_share["test"] > 0.7 and random.neighbours
    assert grouped.leak_share == {"valid": 0.0, "test": 0.0} and not grouped.leaks


def test_chest_ct_scan_has_a_leak_and_a_conflict(chest_ct):
    found = audit(chest_ct)
    leaks = {(leak.split, leak.label): leak.share for leak in found.leaks}
    assert leaks["test", "normal"] > 0.85 and leaks["valid", "normal"] > 0.7
    # cropped copies, each looked at: the same slice with its border cut off
    cancer = {leak.label: leak.n for leak in found.leaks if leak.split == "test" and leak.label != "normal"}
    assert cancer == pytest.approx(
        {"adenocarcinoma": 6, "large.cell.carcinoma": 8, "squamous.cell.carcinoma": 7}, abs=1
    )  # rounding differs by processor
    assert ["large.cell.carcinoma", "squamous.cell.carcinoma"] in [conflict.labels for conflict in found.label_conflicts]
