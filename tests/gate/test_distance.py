"""The distances against pytorch-ood's, on random embeddings."""

import numpy as np
import pytest
import torch

from lungcad.gate.distance import DISTANCES, NEAREST, Embedded

rng = np.random.default_rng(0)
LABELS = np.repeat([0, 1, 2], 60)
TRAINING = rng.normal(size=(180, 12)) * np.linspace(3, 0.3, 12) + 4 * np.eye(3, 12)[LABELS]
QUERIES = np.concatenate([TRAINING[:20] + 0.1 * rng.normal(size=(20, 12)), 6 * rng.normal(size=(20, 12))])
HEAD = rng.normal(size=(3, 12))


def embedded(embeddings: np.ndarray, kept: int = 12) -> Embedded:
    """On the first ``kept`` axes, around the origin."""
    return Embedded.of(embeddings, np.zeros(12), np.eye(kept, 12), embeddings @ HEAD.T)


def score(name: str, kept: int = 12) -> np.ndarray:
    arrays = DISTANCES[name].fit(TRAINING[:, :kept], LABELS, embedded(TRAINING, kept))
    return DISTANCES[name].score(arrays, embedded(QUERIES, kept))


def test_they_are_the_librarys():
    """Up to a factor, where the library leaves one out, and the ridge."""
    detector = pytest.importorskip("pytorch_ood.detector", reason="pytorch-ood is in requirements-dev.txt")
    training, labels, queries = (
        torch.tensor(TRAINING, dtype=torch.float32),
        torch.tensor(LABELS),
        torch.tensor(QUERIES, dtype=torch.float32),
    )
    theirs = detector.Mahalanobis(None).fit_features(training, labels).predict_features(queries).numpy()
    assert np.corrcoef(score("mahalanobis"), theirs)[0, 1] > 0.9999
    theirs = detector.KNN(None, k=NEAREST).fit_features(training, labels).predict_features(queries).numpy()
    np.testing.assert_allclose(score("knn"), theirs, atol=1e-4)
    theirs = detector.EnergyBased.score(torch.tensor(QUERIES @ HEAD.T)).numpy()
    np.testing.assert_allclose(score("energy"), theirs, atol=1e-9)
    vim = detector.ViM(None, 9, torch.tensor(HEAD, dtype=torch.float32), torch.zeros(3))
    vim.fit_features(training, labels)
    vim.principal_subspace = torch.eye(12)[:, 9:]  # ours lies along the axes
    outside = np.linalg.norm(TRAINING[:, 9:], axis=1)
    vim.alpha = float((TRAINING @ HEAD.T).max(1).sum() / outside.sum())
    np.testing.assert_allclose(score("vim", kept=9), vim.predict_features(queries).numpy(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", [name for name in DISTANCES if name != "energy"])
def test_what_lies_apart_is_further(name):
    found = score(name, kept=9)
    assert found.shape == (40,) and np.isfinite(found).all()
    assert np.median(found[20:]) > np.median(found[:20])
