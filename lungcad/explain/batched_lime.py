"""lime's explainer with its one-image-at-a-time loop replaced by masking in batches (:mod:`lungcad.explain.lime`)."""

import numpy as np
import torch
from lime.lime_image import LimeImageExplainer
from scipy.stats import spearmanr

from lungcad.explain.attribution import Options, PreparedInput
from lungcad.explain.engine import masked_probabilities, replacement_grey
from lungcad.models import TrainedModel
from lungcad.progress import Progress


class BatchedLime(LimeImageExplainer):  # type: ignore[misc]  # lime has no types
    """lime's explainer; only :meth:`data_labels`, its sampling loop, is replaced."""

    def __init__(
        self, model: TrainedModel, prepared: PreparedInput, target: int, options: Options, on_progress: Progress | None = None
    ) -> None:
        super().__init__(random_state=np.random.RandomState(options.seed))
        self.model, self.prepared, self.target, self.options, self.on_progress = model, prepared, target, options, on_progress

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
        first_half = self.random_state.randint(0, 2, ((num_samples + 1) // 2, n_segments))
        data = np.concatenate([first_half, 1 - first_half])[:num_samples]
        data[0] = 1
        shown, index = torch.from_numpy(data.astype(bool)), torch.from_numpy(np.ascontiguousarray(segments))
        replacement = replacement_grey(self.prepared.grey, self.options.fill)
        probabilities = masked_probabilities(
            self.model,
            self.prepared,
            lambda start, stop: shown[start:stop][:, index],
            replacement,
            n=num_samples,
            on_progress=self.on_progress,
        )
        self._sampled = data, probabilities[:, self.target].numpy().astype(np.float64)
        return self._sampled[0], probabilities.numpy().astype(np.float64)

    def stability(self) -> float:
        """Spearman-Brown of the rank correlation between the main effects that the even and the odd sample pairs give; 0 where nothing
        varies.
        """
        data, probabilities = self._sampled
        pair_parity = np.arange(len(data)) % ((len(data) + 1) // 2) % 2
        effects = []
        for parity in (0, 1):
            x, y = data[pair_parity == parity] - 0.5, probabilities[pair_parity == parity]
            effects.append(x.T @ (y - y.mean()))
        if min(np.ptp(effect) for effect in effects) == 0:
            return 0.0
        r = float(spearmanr(*effects).statistic)
        return 2 * r / (1 + r) if r > 0 else 0.0
