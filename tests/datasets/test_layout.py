from collections import Counter

import pytest

from lungcad.datasets import CHEST_CT_SCAN, Split, layout
from lungcad.errors import DatasetError


def test_the_published_folder(chest_ct):
    cases = CHEST_CT_SCAN.read(chest_ct)
    counts = Counter((case.split.value, case.label) for case in cases)
    on_disk = Counter(
        (folder.parent.name, next(name for name in CHEST_CT_SCAN.classes if folder.name.startswith(name)))
        for path in chest_ct.rglob("*.*g")
        for folder in [path.parent]
    )
    assert counts == on_disk and len({case.id for case in cases}) == len(cases)


def test_folder_names_with_stages_and_strays(tmp_path):
    for name in ("Adenocarcinoma_left.lower.lobe_T2", "normal", "notes"):
        (tmp_path / "valid" / name).mkdir(parents=True)
        (tmp_path / "valid" / name / "1.png").write_bytes(b"")
    (tmp_path / "valid" / "normal" / "Thumbs.db").write_bytes(b"")
    cases = CHEST_CT_SCAN.read(tmp_path)
    assert [(case.label, case.split) for case in cases] == [("adenocarcinoma", Split.VALID), ("normal", Split.VALID)]


def test_empty_and_missing_folders(tmp_path):
    with pytest.raises(DatasetError, match="adenocarcinoma"):
        CHEST_CT_SCAN.read(tmp_path)
    with pytest.raises(DatasetError, match="no folder"):
        CHEST_CT_SCAN.read(tmp_path / "gone")


def test_located_in_the_project_or_beside_it(tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "PROJECT", tmp_path / "main")
    with pytest.raises(DatasetError, match=r"not on this machine.*chest-ctscan-images"):
        CHEST_CT_SCAN.locate()
    (tmp_path / "shared" / "data" / "chest-ct-scan").mkdir(parents=True)
    assert CHEST_CT_SCAN.locate() == tmp_path / "shared" / "data" / "chest-ct-scan"
    (tmp_path / "main" / "data" / "chest-ct-scan").mkdir(parents=True)
    assert CHEST_CT_SCAN.locate() == tmp_path / "main" / "data" / "chest-ct-scan"
