"""LIME through the library lime, with the library's one-image-at-a-time loop replaced by masking in batches.

The library still draws the neighbourhood's distances and fits the weighted ridge regression. Three things are ours:
segments are counted from 0 without gaps (SLIC counts from 1, and lime would then never hide the last one); random numbers
come from the seed of this call; and samples come in complementary pairs, hidden and shown exchanged, which is still
uniform sampling but frees the main effects from pairwise interactions (Box & Hunter, "The 2^(k-p) fractional factorial
designs", Technometrics 1961: fold-over), so that the ranking of the segments varies less from seed to seed.
"""

import numpy as np
import torch
from lime.lime_image import LimeImageExplainer
from skimage.segmentation import slic

from lungcad.explain.attribution import Options, Progress, Scene, register
from lungcad.models import TrainedModel, predict_batch
from lungcad.preprocess import normalise

SEGMENTS = 60
BATCH = 50


@register(
    name="lime",
    title="LIME",
    what="Which superpixels raise or lower the class's probability when they are hidden (replaced by their mean grey).",
    paper="Ribeiro et al., Why should I trust you?, KDD 2016",
    cost="dear",
    signed=True,
    for_class=True,
)
def lime(
    model: TrainedModel, scene: Scene, target: int, options: Options, on_progress: Progress | None = None
) -> tuple[np.ndarray, dict[str, float]]:
    """Regression weight of each superpixel, painted over the input: change of the class's probability when it is shown."""
    segments = superpixels(scene.grey)
    explainer = BatchedLime(model, target, seed=options.seed, on_progress=on_progress)
    explanation = explainer.explain_instance(
        np.moveaxis(scene.grey, 0, 2) if scene.grey.ndim == 3 else np.repeat(scene.grey[..., None], 3, axis=2),
        classifier_fn=None,
        labels=(target,),
        top_labels=None,
        num_samples=options.samples,
        segmentation_fn=lambda _: segments,
    )
    weights = np.zeros(segments.max() + 1, dtype=np.float32)
    for segment, weight in explanation.local_exp[target]:
        weights[segment] = weight
    facts = {"samples": options.samples, "segments": len(weights), "r2": float(explanation.score), "seed": options.seed}
    return weights[segments], facts


def superpixels(grey: np.ndarray) -> np.ndarray:
    """SLIC segments of a grey image (H, W) or a colour one (3, H, W) in [0, 1]: int (H, W), 0 to n-1 without gaps (Achanta et al., TPAMI 2012)."""
    grey = grey.mean(0) if grey.ndim == 3 else grey
    found = slic(grey, n_segments=SEGMENTS, compactness=0.1, sigma=1, channel_axis=None, start_label=0)
    return np.unique(found, return_inverse=True)[1].reshape(found.shape)


class BatchedLime(LimeImageExplainer):
    """lime's explainer; only :meth:`data_labels`, its sampling loop, is replaced."""

    def __init__(self, model: TrainedModel, target: int, *, seed: int, on_progress: Progress | None = None) -> None:
        super().__init__(random_state=np.random.RandomState(seed))
        self.model = model
        self.on_progress = on_progress

    def data_labels(self, image, fudged_image, segments, classifier_fn, num_samples, batch_size=BATCH):
        """(samples (n, segments) of 0 and 1, the first all 1; probabilities (n, K)), as lime wants them."""
        n_segments = int(segments.max()) + 1
        half = self.random_state.randint(0, 2, ((num_samples + 1) // 2, n_segments))
        data = np.concatenate([half, 1 - half])[:num_samples]
        data[0] = 1
        colour = self.model.card.preprocess.colour
        shown, hidden = (
            torch.from_numpy(np.ascontiguousarray(np.moveaxis(each, 2, 0) if colour else each[..., 0])) for each in (image, fudged_image)
        )
        keep = torch.from_numpy(data.astype(bool))
        index = torch.from_numpy(np.ascontiguousarray(segments))
        probabilities = []
        for start in range(0, num_samples, BATCH):
            visible = keep[start : start + BATCH][:, index]
            grey = torch.where(visible.unsqueeze(1) if colour else visible, shown, hidden)
            probabilities.append(predict_batch(self.model, normalise(grey, self.model.card.preprocess)))
            if self.on_progress:
                self.on_progress(min(start + BATCH, num_samples), num_samples)
        return data, torch.cat(probabilities).numpy().astype(np.float64)
