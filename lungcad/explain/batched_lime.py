"""lime's explainer with its one-image-at-a-time loop replaced by masking in batches (:mod:`lungcad.explain.lime`)."""

import numpy as np
import torch
from lime.lime_image import LimeImageExplainer
from scipy.stats import spearmanr
from sklearn.linear_model import Ridge

from lungcad.explain.attribution import Options, PreparedInput
from lungcad.explain.engine import masked_probabilities, replacement_grey
from lungcad.explain.mask_design import balanced_masks, rows_of_block
from lungcad.models import TrainedModel
from lungcad.progress import Progress

LONGEST_STEP = 64
"""Pairs of samples after which it is asked whether the ranking is steady."""


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
        """(samples (n, segments) of 0 and 1, the first all 1; probabilities (n, K)), as lime wants them; n is less where the ranking is steady before."""
        n_segments = int(segments.max()) + 1
        first_half = balanced_masks(self.random_state, (num_samples + 1) // 2, n_segments)
        data, probabilities = (
            self._until_steady(first_half[: max(num_samples // 2, 1)], segments)
            if self.options.steady
            else self._all(first_half, segments, num_samples)
        )
        return data, probabilities.numpy().astype(np.float64)

    @property
    def taken(self) -> int:
        """Samples that were asked of the network."""
        return len(self._sampled[0])

    def _all(self, first_half: np.ndarray, segments: np.ndarray, num_samples: int) -> tuple[np.ndarray, torch.Tensor]:
        data = np.concatenate([first_half, 1 - first_half])[:num_samples]
        data[0] = 1
        probabilities = self._asked(data, segments, self.on_progress)
        self._sampled = data, probabilities[:, self.target].numpy().astype(np.float64)
        return data, probabilities

    def _until_steady(self, first_half: np.ndarray, segments: np.ndarray) -> tuple[np.ndarray, torch.Tensor]:
        """Pair after pair of a sample and its complement, until :meth:`stability` is reached twice in a row; asked about it after each step."""
        wanted, times, asked = self.options.steady or 0.0, 0, []
        step = min(rows_of_block(first_half.shape[1]), LONGEST_STEP)
        firsts = first_half.copy()
        firsts[0] = 1
        for start in range(0, len(first_half), step):
            pairs = slice(start, start + step)
            batch = np.concatenate([firsts[pairs], 1 - first_half[pairs]])
            asked.append(self._asked(batch, segments, None))
            halves = [torch.cat(part) for part in zip(*(each.chunk(2) for each in asked), strict=True)]
            n = len(halves[0])
            data, probabilities = np.concatenate([firsts[:n], 1 - first_half[:n]]), torch.cat(halves)
            self._sampled = data, probabilities[:, self.target].numpy().astype(np.float64)
            if self.on_progress:
                self.on_progress(2 * n, 2 * len(first_half))
            times = times + 1 if self.stability() >= wanted else 0
            if times == 2:
                break
        return data, probabilities

    def _asked(self, data: np.ndarray, segments: np.ndarray, on_progress: Progress | None) -> torch.Tensor:
        shown, index = torch.from_numpy(data.astype(bool)), torch.from_numpy(np.ascontiguousarray(segments))
        replacement = replacement_grey(self.prepared.grey, self.options.fill)
        return masked_probabilities(
            self.model, self.prepared, lambda start, stop: shown[start:stop][:, index], replacement, n=len(data), on_progress=on_progress
        )

    def stability(self) -> float:
        """Spearman-Brown of the rank correlation between the segments' weights in a ridge regression of either half of the pairs: of the balanced blocks in
        turn, of every other pair where there are fewer than two blocks; 0 where nothing varies.

        A regression, not plain differences of means: these are blurred by the strongest segments, and were far below what two seeds agree by.
        """
        data, probabilities = self._sampled
        pairs, block = (len(data) + 1) // 2, rows_of_block(data.shape[1])
        pair = np.arange(len(data)) % pairs
        half = (pair // block if pairs >= 2 * block else pair) % 2
        if pairs == 1:
            return 0.0
        one, other = (np.asarray(Ridge().fit(data[half == each], probabilities[half == each]).coef_) for each in (0, 1))
        if min(np.ptp(one), np.ptp(other)) == 0:
            return 0.0
        r = float(spearmanr(one, other).statistic)
        return 2 * r / (1 + r) if r > 0 else 0.0
