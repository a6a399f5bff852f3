"""LIME through the library lime, with the library's one-image-at-a-time loop replaced by masking in batches.

The library still draws the neighbourhood's distances and fits the weighted ridge regression. Three things are ours:
segments are counted from 0 without gaps (SLIC counts from 1, and lime would then never hide the last one); random numbers
come from the seed of this call; and samples come in balanced blocks (:mod:`lungcad.explain.mask_design`) of complementary
pairs, hidden and shown exchanged, which is still uniform sampling but frees the main effects from pairwise interactions
(Box & Hunter, "The 2^(k-p) fractional factorial designs", Technometrics 1961: fold-over), so that the ranking of the
segments varies less from seed to seed.
"""

import numpy as np

from lungcad.explain.attribution import Cost, Options, PreparedInput, Segments, register
from lungcad.models import TrainedModel
from lungcad.progress import Progress

SEGMENTS = 60


@register(
    name="lime",
    title="LIME",
    what="Which superpixels raise or lower the class's probability when they are hidden.",
    paper="Ribeiro et al., Why should I trust you?, KDD 2016",
    cost=Cost.SLOW,
    signed=True,
    for_class=True,
    takes=("steady",),
)
def lime(
    model: TrainedModel, prepared: PreparedInput, target: int, options: Options, on_progress: Progress | None = None
) -> tuple[np.ndarray, dict[str, float]]:
    """Regression weight of each superpixel, painted over the input: change of the class's probability when it is shown.

    ``stability`` in the facts: expected rank correlation with a run under another seed, from the two halves of this run's samples
    (Spearman-Brown: 2r / (1 + r)); ``r2``: how much of the answers the linear model explains.
    """
    from lungcad.explain.batched_lime import BatchedLime  # lime takes a second to import

    segments = superpixels(prepared.grey, options.segments)
    explainer = BatchedLime(model, prepared, target, options, on_progress)
    picture = prepared.grey if prepared.grey.ndim == 3 else np.repeat(prepared.grey[None], 3, axis=0)
    explanation = explainer.explain_instance(
        np.moveaxis(picture, 0, 2),
        classifier_fn=None,
        labels=(target,),
        top_labels=None,
        num_samples=options.samples,
        segmentation_fn=lambda _: segments,
    )
    weights = np.zeros(segments.max() + 1, dtype=np.float32)
    for segment, weight in explanation.local_exp[target]:
        weights[segment] = weight
    facts = {
        "samples": explainer.taken,
        "segments": len(weights),
        "r2": float(explanation.score),
        "seed": options.seed,
        "stability": explainer.stability(),
    }
    return weights[segments], facts


def superpixels(grey: np.ndarray, kind: Segments = Segments.SLIC) -> np.ndarray:
    """Segments of a grey image (H, W) or a colour one (3, H, W) in [0, 1]: int (H, W), 0 to n-1 without gaps.

    SLIC: Achanta et al., TPAMI 2012; quickshift: Vedaldi & Soatto, ECCV 2008; grid: squares.
    """
    from skimage.segmentation import quickshift, slic

    grey = grey.mean(0) if grey.ndim == 3 else grey
    if kind is Segments.GRID:
        side = round(SEGMENTS**0.5)
        row, column = (np.arange(n) * side // n for n in grey.shape)
        segments = row[:, None] * side + column[None]
    elif kind is Segments.QUICKSHIFT:
        size = max(grey.shape) / 224  # the library's windows are in pixels
        segments = quickshift(
            np.repeat(grey[..., None], 3, axis=2), kernel_size=4 * size, max_dist=40 * size, ratio=0.3, convert2lab=False, rng=0
        )
    else:
        segments = slic(grey, n_segments=SEGMENTS, compactness=0.1, sigma=1, channel_axis=None, start_label=0)
    return np.unique(segments, return_inverse=True)[1].reshape(segments.shape)
