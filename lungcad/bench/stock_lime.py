"""lime's own call, as its documentation shows it, with the explanation it would give after fewer samples; runs in a fresh process."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import sklearn.metrics
import torch
from lime.lime_image import LimeImageExplainer
from PIL import Image

from lungcad.bench.plain import Box, network, transform
from lungcad.models import ModelCard


def stock_lime(
    weights: Path, picture: np.ndarray, box: Box, segments: np.ndarray, sizes: Sequence[int], seed: int
) -> tuple[list[float], np.ndarray]:
    """(processor seconds until the explanation stands, weights of the segments (n, segments)) for each number of samples.

    lime draws its samples one after the other, so the first n of many are those of a call with n samples.
    picture, box: as for :func:`lungcad.bench.plain.lime`.
    """
    card = ModelCard.read(weights.with_suffix(".json"))
    model, prepare = network(weights), transform(card)
    top, left, bottom, right = box

    def classify(pictures: np.ndarray) -> np.ndarray:
        batch = torch.stack([prepare(Image.fromarray(each[top:bottom, left:right])) for each in pictures])
        with torch.no_grad():
            return np.asarray((model(batch) / card.temperature).softmax(1).numpy())

    explainer = LimeImageExplainer(random_state=seed)
    replaced = picture.copy()
    for segment in np.unique(segments):
        replaced[segments == segment] = [picture[segments == segment][:, channel].mean() for channel in range(3)]
    start = time.process_time()
    data, labels = explainer.data_labels(picture, replaced, segments, classify, max(sizes))
    a_sample = (time.process_time() - start) / max(sizes)
    seconds, found = [], []
    for n in sizes:
        start = time.process_time()
        distances = sklearn.metrics.pairwise_distances(data[:n], data[:1], metric="cosine").ravel()
        _, fitted, _, _ = explainer.base.explain_instance_with_data(data[:n], labels[:n], distances, 0, 100_000)
        seconds.append(a_sample * n + time.process_time() - start)
        row = np.zeros(data.shape[1])
        for segment, weight in fitted:
            row[segment] = weight
        found.append(row)
    return seconds, np.stack(found)
