"""What can be known without the lungs: a set whose classes the marker alone tells, and one whose classes nothing tells."""

from dataclasses import replace

import numpy as np
import pytest

from lungcad.datasets import DATASETS
from lungcad.datasets.phantoms.make import make_phantoms
from lungcad.errors import DatasetError, ImageError
from lungcad.evaluate.stores.known_without import known_of, list_known, read_known, write_known
from lungcad.imaging import CTImage, Unit
from lungcad.imaging.image import Provenance
from lungcad.imaging.phantom import make_phantom
from lungcad.imaging.regions import REGIONS, MarkedImage
from lungcad.models import load_model
from lungcad.preprocess import PreprocessConfig, See, to_grey
from lungcad.publish.region_tables import known_table
from lungcad.train import known_without as module
from lungcad.train.known_without import how_split, known_without


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory):
    return make_phantoms(tmp_path_factory.mktemp("data") / "phantoms", 96, shortcut="marker", size=96)


@pytest.fixture
def tiny_features(monkeypatch):
    """Four corners' and the middle's brightness instead of a network's features."""

    def embedded(backbone, grey, config):
        return np.stack([grey[:, :32, :60].max((1, 2)), grey[:, 100:120, 40:80].mean((1, 2)), grey.mean((1, 2))], 1)

    monkeypatch.setattr(module, "_embedded", embedded)


@pytest.fixture
def known(phantoms, tiny_features):
    dataset = DATASETS["phantoms"]
    cases = dataset.read(phantoms)
    table, left_out = known_without(dataset, cases, (See.ALL, See.NO_LUNGS, See.LUNGS))
    return known_of("phantoms", table, left_out, how_split(dataset, cases))


def test_what_the_surroundings_tell_is_known_without_the_lungs_and_not_from_the_lungs_alone(known):
    rows = {row["seen"]: row for row in known.rows}
    assert rows["no-lungs"]["accuracy"] > 0.8 and rows["lungs"]["accuracy"] < 0.75
    assert rows["lungs"]["difference"]["accuracy"] < 0 and rows["all"]["difference"] == {}
    assert len(set(known.cases.groupby("seen").size())) == 1, "the same cases for everything that is seen"


def test_it_comes_back_from_disk_as_it_was(known, tmp_path):
    write_known(known, tmp_path)
    assert read_known("phantoms", tmp_path).rows == known.rows and len(list_known(tmp_path)) == 1
    assert read_known("nothing", tmp_path) is None
    assert len(known_table(known).splitlines()) == 2 + 3
    (tmp_path / "phantoms" / "cases.parquet").write_bytes(known.cases.drop(columns="case").to_parquet())
    with pytest.raises(DatasetError, match="regions-known --data phantoms"):
        read_known("phantoms", tmp_path)
    (tmp_path / "phantoms" / "cases.parquet").write_bytes(b"nothing")
    with pytest.raises(DatasetError, match="regions-known --data phantoms"):
        read_known("phantoms", tmp_path)


def test_bad_input_is_a_sentence(phantoms, tiny_features):
    dataset = DATASETS["phantoms"]
    one_patient_a_class = replace(dataset, group=lambda cases, prints: [case.label if case.label == "none" else case.id for case in cases])
    cases = dataset.read(phantoms)
    with pytest.raises(DatasetError, match="of one class"):
        known_without(dataset, [case for case in cases if case.label == "none"][:12], (See.ALL, See.NO_LUNGS))
    with pytest.raises(DatasetError, match="at least 10 are needed"):
        known_without(dataset, cases[:4] + [case for case in cases if case.label != cases[0].label][:4], (See.ALL, See.NO_LUNGS))
    with pytest.raises(DatasetError, match="class none is left to train on"):
        known_without(one_patient_a_class, cases, (See.ALL, See.NO_LUNGS))
    with pytest.raises(DatasetError, match="crops around a nodule"):
        known_without(DATASETS["lidc-nodules"], cases)


@pytest.mark.parametrize("see", [see for see in See if see is not See.ALL])
def test_a_network_is_shown_a_region_and_nothing_of_the_rest(see):
    image = make_phantom(3, size=128).image()
    config = PreprocessConfig(size=(64, 64), crop="none", see=see)
    removed = REGIONS[see.value].removed(MarkedImage.of_slice(image))
    grey, geometry = to_grey(image, config)
    hidden = geometry.labels_to_input(removed.astype(np.uint8), config.size) > 0
    assert (
        np.median(grey[hidden]) == grey.min()
        and (grey[hidden] - grey.min()).mean() < 0.05
        and geometry == to_grey(image, config.model_copy(update={"see": See.ALL}))[1]
    )
    with pytest.raises(ImageError):
        to_grey(CTImage(np.full((64, 64), 40.0), Unit.GREY, Provenance("", "PNG", "L")), config)


def test_cards_of_whole_slices_do_not_mention_it():
    assert "see" not in load_model("iq-resnet18").card.preprocess.model_dump()
    assert PreprocessConfig(see="lungs").model_dump()["see"] == "lungs"
