"""lime's explainer with its one-image-at-a-time loop replaced by masking in batches (:mod:`lungcad.explain.lime`)."""

import numpy as np
import torch
from lime.lime_image import LimeImageExplainer
from scipy.stats import spearmanr

from lungcad.explain.attribution import Options, PreparedInput
from lungcad.explain.engine import hidden, masked_probabilities
from lungcad.models import TrainedModel
from lungcad.progress import Progress


class BatchedLime(LimeImageExplainer):  # type: ignore[misc]  # lime has no types
    """lime's explainer; only :meth:`data_labels`, its sampling loop, is replaced."""

    def __init__(
        self, model: TrainedModel, scene: PreparedInput, target: int, options: Options, on_progress: Progress | None = None
    ) -> None:
        super().__init__(random_state=np.random.RandomState(options.seed))
        self.model, self.scene, self.target, self.options, self.on_progress = model, scene, target, options, on_progress

    def data_labels(
        self,
        image: np.ndarray,
        fudged_image: np.ndarray,
        segments: np.ndarray,
        classifier_fn: None,
        num_samples: int,
        batch_size: None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """(samples (n, segments) of 0 and 1, the first all 1; probabilities (n, K)), as lime wants them."""
        n_segments = int(segments.max()) + 1
        half = self.random_state.randint(0, 2, ((num_samples + 1) // 2, n_segments))
        data = np.concatenate([half, 1 - half])[:num_samples]
        data[0] = 1
        keep, index = torch.from_numpy(data.astype(bool)), torch.from_numpy(np.ascontiguousarray(segments))
        instead = hidden(self.scene.grey, self.options.fill)
        probabilities = masked_probabilities(
            self.model, self.scene, lambda start, stop: keep[start:stop][:, index], instead, n=num_samples, on_progress=self.on_progress
        )
        self._sampled = data, probabilities[:, self.target].numpy().astype(np.float64)
        return self._sampled[0], probabilities.numpy().astype(np.float64)

    def stability(self) -> float:
        """Spearman-Brown of the rank correlation between the main effects that the even and the odd sample pairs give; 0 where nothing varies."""
        data, answers = self._sampled
        pair = np.arange(len(data)) % ((len(data) + 1) // 2) % 2
        effects = []
        for side in (0, 1):
            x, y = data[pair == side] - 0.5, answers[pair == side]
            effects.append(x.T @ (y - y.mean()))
        if min(np.ptp(each) for each in effects) == 0:
            return 0.0
        r = float(spearmanr(*effects).statistic)
        return 2 * r / (1 + r) if r > 0 else 0.0
