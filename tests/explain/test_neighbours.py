import numpy as np
import pytest

from lungcad.errors import ModelError
from lungcad.explain import PreparedInput
from lungcad.explain.neighbours import Index, embed
from lungcad.imaging.phantom import make_phantom
from tests.conftest import CLASSES


@pytest.fixture(scope="module")
def index(toy):
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(3, 512)) * 5
    training = np.concatenate([centre + rng.normal(size=(40, 512)) for centre in centres]).astype(np.float32)
    validation = np.concatenate([centre + rng.normal(size=(20, 512)) for centre in centres]).astype(np.float32)
    cases, labels = [f"case{i}" for i in range(120)], [CLASSES[i // 40] for i in range(120)]
    test = (centres[1] + rng.normal(size=(8, 512))).astype(np.float32)
    return Index.build(toy, training, validation, test, cases, labels, [f"test{i}" for i in range(8)], rng.random((8, 3, 3))), training


def test_a_training_case_finds_itself_and_its_class(index):
    built, training = index
    for row in (0, 50, 119):
        nearest = built.nearest(training[row], 5)
        assert nearest.neighbours[0].case == f"case{row}" and nearest.neighbours[0].distance < 0.01
        assert {neighbour.label for neighbour in nearest.neighbours} == {CLASSES[row // 40]} and not nearest.is_unlike_training
        distances = [neighbour.distance for neighbour in nearest.neighbours]
        assert distances == sorted(distances)


def test_distance_is_the_cosine_in_the_principal_components(index):
    built, training = index
    query = (training[3] - built.mean) @ built.components.astype(np.float32).T
    vector = built.vectors[7].astype(np.float32)
    expected = 1 - query @ vector / np.linalg.norm(query) / np.linalg.norm(vector)
    assert next(
        neighbour.distance for neighbour in built.nearest(training[3], 120).neighbours if neighbour.case == "case7"
    ) == pytest.approx(expected, abs=1e-5)


def test_something_else_is_unlike_training(index):
    built, training = index
    mean = training.mean(0)
    assert built.nearest(mean - 3 * (training[0] - mean) - 2 * (training[50] - mean), 1).is_unlike_training


def test_the_threshold_is_a_quantile_over_validation(index):
    assert 0 < index[0].far < 1


def test_written_and_read_back(index, toy, tmp_path):
    index[0].write(tmp_path / f"{toy.card.name}.npz")
    again = Index.read(toy.card, tmp_path)
    assert again.nearest(index[1][5]) == index[0].nearest(index[1][5])


def test_missing_damaged_and_stale(index, toy, tmp_path):
    path = tmp_path / f"{toy.card.name}.npz"
    with pytest.raises(ModelError, match="lungcad index"):
        Index.read(toy.card, tmp_path)
    path.write_bytes(b"PK nothing")
    with pytest.raises(ModelError, match="damaged"):
        Index.read(toy.card, tmp_path)
    Index(**{**index[0].__dict__, "weights_sha256": "other"}).write(path)
    with pytest.raises(ModelError, match="other weights"):
        Index.read(toy.card, tmp_path)


def test_an_embedding_is_what_the_head_pools(toy_gate):
    prepared = PreparedInput.of(toy_gate, make_phantom(0, size=96).image())
    attended, _ = toy_gate.network.attention(prepared.features)
    np.testing.assert_allclose(embed(toy_gate, prepared.features)[0], attended.mean((2, 3))[0].numpy(), rtol=1e-5)


def test_the_map_keeps_classes_together(index):
    built, _ = index
    assert built.umap.shape == (128, 2) and built.test_vectors.shape == (8, 64)
    positions = built.umap.astype(float)
    middle = [positions[:120][built.labels == CLASSES[i]].mean(0) for i in range(3)]
    nearest = np.linalg.norm(positions[120:, None] - np.array(middle)[None], axis=2).argmin(1)
    assert (nearest == 1).all()
