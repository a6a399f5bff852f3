"""What can be said against an answer from the image alone, whatever the network's weights."""

from collections.abc import Iterator

from lungcad.datasets import DATASETS
from lungcad.gate.decision import Finding, Outcome
from lungcad.imaging import CTImage
from lungcad.imaging.lungs import lung_field
from lungcad.imaging.orientation import Orientation
from lungcad.models import ModelCard

COLOURED = 0.02
"""Share of clearly coloured pixels above which an image is no plain CT slice; no slice of Chest CT-Scan reaches it (tests/test_analysis.py)."""
MOSTLY_COLOURED = 0.1
"""Share from which it is a photograph or a stained tile, and no slice with a coloured arrow."""
MIN_CONTRAST = 0.02
"""99th less 1st percentile of the grey level (of 1) below which an image shows nothing."""
LARGER_THAN_CROP = 1.5
"""Side, of that of the crops in training, above which an image is no crop of a nodule."""
FIELD_OF_VIEW_MM = (200.0, 650.0)
"""Of a whole chest slice, between the narrowest and the widest of scanners, generously; outside it the image is a detail, or its pixel spacing is wrong."""


def sees_lungs(card: ModelCard) -> bool:
    """Whether the network was trained on whole CT slices."""
    dataset = DATASETS.get(card.dataset)
    return dataset is None or dataset.is_of_slices


def facts(image: CTImage, card: ModelCard) -> Iterator[Finding]:
    """Contrast, colour, orientation, size and lungs, each against what the network was trained on."""
    dataset = DATASETS.get(card.dataset)
    coloured = image.provenance.colour_fraction
    if image.contrast < MIN_CONTRAST:
        yield Finding(
            Outcome.DECLINE,
            "The image has no contrast (it is black, white or of one grey): there is nothing to classify, so do not trust the answer.",
        )
        return
    if dataset and dataset.is_histology:
        if coloured <= COLOURED:
            yield Finding(
                Outcome.DECLINE, "The network was trained on coloured microscope tiles; this image is grey, so do not trust the answer."
            )
        return
    if coloured > COLOURED:
        yield Finding(
            Outcome.DECLINE if coloured > MOSTLY_COLOURED else Outcome.WARN,
            f"{coloured:.0%} of the image is coloured: it is not like the grey CT slices the network was trained on, so do not trust the answer.",
        )
    if image.orientation not in (Orientation.AXIAL, Orientation.UNKNOWN):
        yield Finding(Outcome.WARN if image.orientation is Orientation.OBLIQUE else Outcome.DECLINE, _orientation(image))
    if dataset and dataset.crop_side and max(image.shape) > LARGER_THAN_CROP * dataset.crop_side:
        yield Finding(
            Outcome.DECLINE,
            f"The network was trained on crops of {dataset.crop_side}×{dataset.crop_side} pixels with a nodule in the middle; this image is "
            f"{image.shape[1]}×{image.shape[0]}: crop it around the nodule, or the answer means nothing.",
        )
    if not sees_lungs(card):
        return
    if image.spacing_mm is not None:
        field = max(side * spacing for side, spacing in zip(image.shape, image.spacing_mm, strict=True))
        if not FIELD_OF_VIEW_MM[0] <= field <= FIELD_OF_VIEW_MM[1]:
            yield Finding(
                Outcome.WARN, f"The image is {field:.0f} mm wide by its pixel spacing, and the network was trained on whole chest slices."
            )
    if coloured <= COLOURED and not lung_field(image).lungs.any():
        yield Finding(
            Outcome.WARN, "No lungs were found in this image; the network was trained on chest slices, so do not trust the answer."
        )


def _orientation(image: CTImage) -> str:
    """The sentence with which the reader said it, so that it is not said twice."""
    sentences_of_the_reader = (sentence for sentence in image.warnings if image.orientation.value in sentence)
    return next(
        sentences_of_the_reader,
        f"This is no axial slice ({image.orientation}); the network was trained on axial slices, so do not trust the answer.",
    )
