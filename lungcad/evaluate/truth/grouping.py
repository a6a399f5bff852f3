"""How cases are best grouped by their explanations: the settings side by side on validation phantoms, where it is known who carries the shortcut."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch

from lungcad.datasets import Split
from lungcad.evaluate.groups_of_explanations import group_numbers
from lungcad.evaluate.index import small_map
from lungcad.evaluate.truth.networks import KnownNetwork
from lungcad.evaluate.truth.scenes import Scene, draw_scenes, image_of
from lungcad.explain.neighbours import Index, embed
from lungcad.models import TrainedModel, features, load_model
from lungcad.models.weights import last_layer
from lungcad.preprocess import normalise, to_grey
from lungcad.progress import Progress, Steps

WEIGHTS_OF_MAPS, NEIGHBOURS, SIZES = (0.25, 0.35, 0.5, 0.7), (0.05, 0.07, 0.1, 0.13, 0.17), (100, 150, 200, 300)
"""That are tried: a setting must do with few cases and many."""
BATCH = 25


@dataclass(frozen=True)
class Setting:
    """adjusted_rand: of the groups against who carries the shortcut, a network each; the least over numbers of cases."""

    weight_of_maps: float
    neighbours: float
    adjusted_rand: dict[str, float]


def compare_settings(networks: Sequence[KnownNetwork], on_progress: Progress | None = None) -> list[Setting]:
    """On validation phantoms, for networks that have an index and were made to cheat; first the one that does best where it does worst."""
    from sklearn.metrics import adjusted_rand_score

    scenes = draw_scenes(Split.VALID, max(SIZES))
    carries = np.array([scene.planned.carries for scene in scenes])
    step = Steps(len(networks) * len(scenes), on_progress)
    explained = {}
    for known in networks:
        model = load_model(known.name)
        explained[known.name] = (*explanations(model, known, scenes, step), last_layer(model.card))
    drawn = [np.random.default_rng(0).permutation(len(scenes))[:n] for n in SIZES]
    settings = []
    for weight, neighbours in product(WEIGHTS_OF_MAPS, NEIGHBOURS):
        least = {}
        for name, (maps, embeddings, layer) in explained.items():
            numbers = (group_numbers(maps[rows], embeddings[rows], layer, weight_of_maps=weight, neighbours=neighbours) for rows in drawn)
            least[name] = min(float(adjusted_rand_score(carries[rows], each)) for rows, each in zip(drawn, numbers, strict=True))
        settings.append(Setting(weight, neighbours, least))
    return sorted(settings, key=lambda setting: -min(setting.adjusted_rand.values()))


def explanations(model: TrainedModel, known: KnownNetwork, scenes: Sequence[Scene], on_case: Steps) -> tuple[np.ndarray, np.ndarray]:
    """(maps (n, h, w), embeddings (n, C)) of the scenes as the network's own set shows them, as far as its index keeps an embedding."""
    index = Index.read(model.card)
    pictures = [image_of(scene.picture(known.shortcut if scene.planned.carries else None)) for scene in scenes]
    greys = [to_grey(picture, model.card.preprocess)[0] for picture in pictures]
    maps, embeddings = [], []
    for start in range(0, len(greys), BATCH):
        inputs = normalise(torch.from_numpy(np.stack(greys[start : start + BATCH])), model.card.preprocess)
        seen = features(model, inputs)
        maps += [small_map(model, inputs[i : i + 1], seen[i : i + 1]) for i in range(len(inputs))]
        embeddings.append(embed(model, seen))
        on_case(len(inputs))
    components = index.components.astype(np.float64)
    vectors = ((np.concatenate(embeddings) - index.mean) @ components.T).astype(index.test_vectors.dtype).astype(np.float64)
    return np.stack(maps), index.mean + vectors @ components
