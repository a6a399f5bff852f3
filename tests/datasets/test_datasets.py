"""Every known data set: its layout as published, its tasks, its groups and splits."""

from collections import Counter
from dataclasses import replace

import cv2
import numpy as np
import pytest

from lungcad.datasets import CHEST_CT_SCAN, DATASETS, IQ_OTH_NCCD, LIDC_NODULES, Case, Protocol, Split, dataset, split_cases
from lungcad.datasets.fingerprint import fingerprints
from lungcad.datasets.folders import ImageFolder
from lungcad.errors import DatasetError

PUBLISHED_FOLDERS = {  # as the archives unpack
    "chest-ct-scan": ["Data/train/adenocarcinoma_left.lower.lobe_T2_N0_M0_Ib", "Data/valid/normal", "Data/test/squamous.cell.carcinoma"],
    "iq-oth-nccd": ["The IQ-OTHNCCD lung cancer dataset/Bengin cases", "The IQ-OTHNCCD lung cancer dataset/Malignant cases"],
    "lc25000": ["lung_colon_image_set/lung_image_sets/lung_aca", "lung_colon_image_set/lung_image_sets/lung_n"],
}


@pytest.mark.parametrize("entry", DATASETS.values(), ids=DATASETS)
def test_an_entry_says_who_published_it_and_knows_its_tasks(entry):
    assert entry.licence and entry.citation and entry.publisher and entry.grouping and entry.limits
    for task in entry.tasks:
        assert set(task.labels.values()) == set(task.classes) and (task.negative is None or task.negative in task.classes)
        assert entry.task_with(task.classes) is task and entry.task(task.name) is task
    assert entry.task() is entry.tasks[0] and entry.task_with(("nothing",)) is None
    with pytest.raises(DatasetError, match=entry.tasks[0].name):
        entry.task("no such task")


@pytest.mark.parametrize(("name", "folders"), PUBLISHED_FOLDERS.items())
def test_the_published_archive_is_read_as_it_is(tmp_path, name, folders):
    for folder in (*folders, "__MACOSX/normal", "colon_image_sets/colon_n"):
        (tmp_path / folder).mkdir(parents=True)
        for file in ("1 (3).png", "._1 (3).png", "Thumbs.db"):
            (tmp_path / folder / file).write_bytes(b"")
    cases = DATASETS[name].read(tmp_path)
    assert len(cases) == len(folders) and {case.label for case in cases} <= set(DATASETS[name].classes)
    assert name != "chest-ct-scan" or [case.split for case in cases] == [Split.TEST, Split.TRAIN, Split.VALID]


def test_the_binary_task_joins_classes(tmp_path):
    for folder in ("Bengin cases", "Malignant cases", "Normal cases"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x (1).jpg").write_bytes(b"")
    assert Counter(case.label for case in IQ_OTH_NCCD.read(tmp_path, "binary")) == {"not malignant": 2, "malignant": 1}


def test_lidc_labels_follow_the_readers_median(tmp_path):
    rows = ["image,mask,patient,nodule,slice,n_slices,n_readers,malignancy,malignancy_mean,malignancy_median,mask_area_px"]
    for index, median in enumerate((1.0, 2.5, 3.0, 3.5, 5.0)):
        rows.append(f"images/{index}.png,masks/{index}.png,P{index // 2},{index},1,3,4,x,{median},{median},{100 * index}")
    (tmp_path / "nodules.csv").write_text("\n".join(rows))
    binary, grades = LIDC_NODULES.read(tmp_path), LIDC_NODULES.read(tmp_path, "malignancy")
    assert [case.label for case in binary] == ["benign", "benign", "malignant", "malignant"]
    assert [case.label for case in grades] == ["1", "3", "3", "4", "5"]  # a half counts as the more suspicious grade
    assert binary[1].group == "P0" and binary[-1].facts["area_px"] == 400 and binary[0].mask == tmp_path / "masks" / "0.png"
    (tmp_path / "nodules.csv").write_text("image,mask\n1,2")
    with pytest.raises(DatasetError, match="column"):
        LIDC_NODULES.read(tmp_path)


def test_empty_and_missing_folders(tmp_path):
    for entry in DATASETS.values():
        with pytest.raises(DatasetError, match=entry.classes[0]):
            entry.read(tmp_path)
    with pytest.raises(DatasetError, match="no folder"):
        CHEST_CT_SCAN.read(tmp_path / "gone")


def test_located_in_the_project_or_beside_it(tmp_path, monkeypatch):
    monkeypatch.setattr(dataset, "DATA_PLACES", (tmp_path / "main" / "data", tmp_path / "shared" / "data"))
    with pytest.raises(DatasetError, match=r"not on this machine.*data download chest-ct-scan"):
        CHEST_CT_SCAN.locate()
    (tmp_path / "shared" / "data" / "chest-ct-scan").mkdir(parents=True)
    assert CHEST_CT_SCAN.locate() == tmp_path / "shared" / "data" / "chest-ct-scan"
    (tmp_path / "main" / "data" / "chest-ct-scan").mkdir(parents=True)
    assert CHEST_CT_SCAN.locate() == tmp_path / "main" / "data" / "chest-ct-scan"


@pytest.fixture(scope="module")
def numbered(tmp_path_factory):
    """IQ-OTH in small: in each class nine patients of four consecutive, similar slices; the last benign patient is a copy of a normal one."""
    root = tmp_path_factory.mktemp("iq")
    rng = np.random.default_rng(0)
    for label in ("Bengin", "Malignant", "Normal"):
        folder = root / f"{label} cases"
        folder.mkdir()
        for patient in range(9):
            if label == "Normal" and patient == 8:
                base = cv2.imread(str(root / "Bengin cases" / "Bengin case (33).png"), cv2.IMREAD_GRAYSCALE).astype(float)
            else:
                base = cv2.resize(rng.random((6, 6)), (96, 96), interpolation=cv2.INTER_CUBIC) * 255
            for slice_ in range(4):
                change = cv2.resize(rng.random((6, 6)) - 0.5, (96, 96), interpolation=cv2.INTER_CUBIC) * (90 if slice_ else 0)
                cv2.imwrite(str(folder / f"{label} case ({4 * patient + slice_ + 1}).png"), (base + change).clip(0, 255).astype(np.uint8))
    return root


def _groups(cases: list[Case]) -> list[str]:
    prints = fingerprints(cases)
    return IQ_OTH_NCCD.group(cases, prints)


def test_runs_of_similar_neighbours_become_groups_and_copies_join_them(numbered):
    cases = IQ_OTH_NCCD.read(numbered)
    groups = dict(zip((case.id for case in cases), _groups(cases), strict=True))
    for label in ("Bengin", "Malignant"):
        runs = [groups[f"{label} cases/{label} case ({n}).png"] for n in range(1, 37)]
        assert [len(set(runs[4 * p : 4 * p + 4])) for p in range(9)] == [1] * 9 and len(set(runs)) == 9
    assert groups["Normal cases/Normal case (33).png"] == groups["Bengin cases/Bengin case (33).png"]


def test_no_group_stands_on_two_sides_and_every_case_is_tested_once(numbered):
    cases = IQ_OTH_NCCD.read(numbered)
    prints = fingerprints(cases)
    tested = []
    for fold in range(4):
        plan = split_cases(IQ_OTH_NCCD, cases, prints, Protocol.GROUPED, fold=fold, folds=4)
        parts = {split: {plan.cases[i].group for i in plan.indices(split)} for split in Split}
        assert (
            not parts[Split.TRAIN] & parts[Split.TEST]
            and not parts[Split.TRAIN] & parts[Split.VALID]
            and not parts[Split.VALID] & parts[Split.TEST]
        )
        assert not plan.copy_of_training.any()
        tested += [plan.cases[i].id for i in plan.indices(Split.TEST)]
    assert sorted(tested) == [case.id for case in cases]


def test_the_published_protocol_is_random_seeded_and_leaks(numbered):
    cases = IQ_OTH_NCCD.read(numbered)
    prints = fingerprints(cases)
    one, again = (split_cases(IQ_OTH_NCCD, cases, prints, Protocol.PUBLISHED) for _ in range(2))
    assert [case.split for case in one.cases] == [case.split for case in again.cases]
    assert Counter(case.split for case in one.cases) == {"train": 75, "valid": 22, "test": 11}
    groups = {split: {one.cases[i].group for i in one.indices(split)} for split in Split}
    assert groups[Split.TRAIN] & groups[Split.TEST]


def test_split_faults_are_sentences(numbered, tmp_path):
    cases = IQ_OTH_NCCD.read(numbered)
    prints = fingerprints(cases)
    with pytest.raises(DatasetError, match="no fold 7"):
        split_cases(IQ_OTH_NCCD, cases, prints, Protocol.GROUPED, fold=7, folds=5)
    with pytest.raises(DatasetError, match="too few for 20 folds"):
        split_cases(IQ_OTH_NCCD, cases, prints, Protocol.GROUPED, fold=0, folds=20)
    benign = [i for i, case in enumerate(cases) if case.label == "benign"]
    with pytest.raises(DatasetError, match="one class"):
        split_cases(IQ_OTH_NCCD, [cases[i] for i in benign], [prints[i] for i in benign], Protocol.GROUPED)
    with pytest.raises(DatasetError, match="Not one image"):
        split_cases(IQ_OTH_NCCD, cases, [None] * len(cases), Protocol.GROUPED)


def test_a_group_of_all_published_parts_stays_in_the_test_part(numbered):
    """One patient in every part: nothing is left to train on, and that is said."""
    cases = [replace(case, split=split) for case, split in zip(IQ_OTH_NCCD.read(numbered)[::4], [*Split] * 9, strict=True)]
    one_patient = replace(CHEST_CT_SCAN, group=lambda cases, prints: ["P1"] * len(cases))
    assert len(split_cases(one_patient, cases, fingerprints(cases), Protocol.PUBLISHED).cases) == 27
    with pytest.raises(DatasetError, match="No usable image is left in the train and valid part"):
        split_cases(one_patient, cases, fingerprints(cases), Protocol.GROUPED)


@pytest.mark.parametrize(("name", "expected"), [("iq-oth-nccd", 878), ("lidc-idri", 2325), ("lc25000", 600), ("chest-ct-scan", 881)])
def test_the_data_on_this_machine(shared_data, name, expected):
    entry = next(each for each in DATASETS.values() if each.folder == name)
    assert len(entry.read_cases(ImageFolder.open(shared_data / name)).cases) == expected


def test_iq_oth_runs_are_about_as_many_as_patients(shared_data):
    """The publisher has 15 benign, 40 malignant and 55 normal patients; about four fifths of them are here. Never many more runs than patients."""
    cases = IQ_OTH_NCCD.read(shared_data / "iq-oth-nccd")
    groups = _groups(cases)
    runs = {label: len({group for group, case in zip(groups, cases, strict=True) if case.label == label}) for label in IQ_OTH_NCCD.classes}
    assert 9 <= runs["benign"] <= 15 and 20 <= runs["malignant"] <= 40 and 20 <= runs["normal"] <= 55
