"""Settings, presets and who carries the shortcut."""

import numpy as np
import pytest

from lungcad.errors import RecipeError
from lungcad.lab.patients import Part, carriers, has_lesion
from lungcad.lab.presets import PRESETS
from lungcad.lab.sentences import warning
from lungcad.lab.settings import HeadKind, LabSettings
from lungcad.models.attention import ATTENTION


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"patients": 49}, "patients"),
        ({"share": 0.4}, "share"),
        ({"smallest_mm": 30, "largest_mm": 20}, "smallest lesion is larger"),
        ({"shortcut": "letter"}, "Unknown shortcut"),
        ({"heads": "plain"}, "unknown key"),
        ({"epochs": 10**9}, "epochs"),
    ],
)
def test_bad_settings_are_one_sentence(values, says):
    with pytest.raises(RecipeError, match=says) as fault:
        LabSettings.checked(values)
    assert "\n" not in str(fault.value)


def test_settings_come_back_from_yaml(tmp_path):
    settings = LabSettings(shortcut="table", head=HeadKind.TAUGHT, share=0.7, seed=3)
    (tmp_path / "lab.yaml").write_text(settings.to_yaml())
    assert LabSettings.read(tmp_path / "lab.yaml") == settings and LabSettings.are_in(tmp_path / "lab.yaml")
    assert not LabSettings.are_in("weights/iq-efficientnet-lite0.yaml") and not LabSettings.are_in(tmp_path / "nothing.yaml")


def test_train_takes_them_as_it_takes_a_recipe(tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from lungcad.cli import app, lab

    trained = []
    monkeypatch.setattr(lab, "train_settings", trained.append)
    settings = LabSettings(shortcut="dot", seed=4, trained="the last stage too")
    (tmp_path / "lab.yaml").write_text(settings.to_yaml())
    assert CliRunner().invoke(app, ["train", str(tmp_path / "lab.yaml")]).exit_code == 0 and trained == [settings]


@pytest.mark.parametrize(("content", "says"), [(None, "cannot be read"), (b"share: [", "not valid YAML"), (b"share: 2", "lab.yaml: share")])
def test_a_bad_file_of_settings_is_one_sentence(tmp_path, content, says):
    if content is not None:
        (tmp_path / "lab.yaml").write_bytes(content)
    with pytest.raises(RecipeError, match=says):
        LabSettings.read(tmp_path / "lab.yaml")


def test_settings_name_the_content():
    assert LabSettings().key == LabSettings(shortcut="marker").key
    assert len({LabSettings(seed=seed).key for seed in range(5)}) == 5


def test_every_head_is_a_block_of_lungcad():
    assert {kind.attention for kind in HeadKind} <= set(ATTENTION)


@pytest.mark.parametrize("share", [0.5, 0.6, 0.95, 1.0])
def test_exactly_the_share_carries_it(share):
    settings, lesion = LabSettings(share=share), has_lesion(600)
    carries = carriers(settings, Part.TRAIN, 600)
    assert carries[lesion].sum() == round(300 * share)
    assert carries[~lesion].sum() == round(300 * (1 - share))


def test_who_carries_it_follows_from_the_seed_in_training_only():
    first, second = LabSettings(seed=1), LabSettings(seed=2)
    assert not np.array_equal(carriers(first, Part.TRAIN, 100), carriers(second, Part.TRAIN, 100))
    assert np.array_equal(carriers(first, Part.TEST, 100), carriers(second, Part.TEST, 100))


def test_a_share_that_leaves_a_class_without_it_is_said():
    assert "100 %" in (warning(LabSettings(share=1)) or "")
    assert "tells nothing" in (warning(LabSettings(share=0.5)) or "")
    assert warning(LabSettings()) is None
    assert warning(LabSettings(shortcut="none", share=1)) is None


def test_presets_have_different_settings():
    assert len({preset.settings.key for preset in PRESETS.values()}) == len(PRESETS) == 5
