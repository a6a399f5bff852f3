"""The highlighted part of the heat map and the lung field as Segmentation (PS3.3 A.51), BINARY."""

from collections.abc import Sequence

import numpy as np
from highdicom import AlgorithmIdentificationSequence
from highdicom.seg import Segmentation, SegmentDescription
from highdicom.sr import CodedConcept
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from lungcad import __version__
from lungcad.report.dicom.explained import HIGHLIGHT, ExplainedSlice
from lungcad.report.dicom.header import check_plane
from lungcad.report.dicom.identity import general, new_uid, of_chest, own_code, short

ANATOMY = CodedConcept("123037004", "SCT", "Anatomical Structure")
LUNG = CodedConcept("39607008", "SCT", "Lung")
REGION = CodedConcept("309825002", "SCT", "Spatial and Relational Concept")


def segmentation(slices: Sequence[ExplainedSlice], series_number: int, share: float = HIGHLIGHT) -> tuple[Dataset | None, list[str]]:
    """(the object, a sentence for each segment that would be empty and is left out); None where nothing is left.

    share: of the highest value of all slices, from which on the map counts as highlighted. Raises as :func:`parametric_map`.
    """
    for each in slices:
        check_plane(each.header)
    first = slices[0]
    highest = max(float(each.values.max()) for each in slices)
    highlighted = np.stack([(each.values > 0) & (each.values >= share * highest) for each in slices])
    lungs = np.stack([each.lungs for each in slices])
    masks, segments, sentences = [], [], []
    title = f"{first.map_title}, from {share:.0%} of its peak on"
    for mask, describe, missing in (
        (highlighted, _of_map, f"No segment of the heat map: {first.map_title} has no positive evidence."),
        (lungs, _of_lungs, "No segment of the lung field: no lungs were found."),
    ):
        if mask.any():
            masks.append(mask)
            segments.append(describe(len(masks), first, title))
        else:
            sentences.append(missing)
    if not masks:
        return None, sentences
    made = Segmentation(
        [each.header for each in slices],
        np.stack(masks, axis=-1),
        "BINARY",
        segments,
        new_uid(),
        series_number,
        new_uid(),
        1,
        omit_empty_frames=False,  # other readers would shift the rest
        content_label="HEATMAP",
        content_description=short(title),
        **general(first.card, "map and lung field"),
    )
    return of_chest(made), sentences


def _of_map(number: int, first: ExplainedSlice, title: str) -> SegmentDescription:
    algorithm = AlgorithmIdentificationSequence(
        name=short(f"{first.card.name}, {first.method}"),
        version=first.card.sha256[:16],
        family=codes.cid7162.ArtificialIntelligence,
        source="lungcad",
        parameters={"seed": str(first.seed)},
    )
    kind = own_code("highlighted", "Region highlighted by a network's heat map")
    return SegmentDescription(number, short(title), REGION, kind, "AUTOMATIC", algorithm)


def _of_lungs(number: int, first: ExplainedSlice, title: str) -> SegmentDescription:
    family = codes.cid7162.MorphologicalOperations
    algorithm = AlgorithmIdentificationSequence(name="lungcad lung field", version=__version__, family=family, source="lungcad")
    return SegmentDescription(number, "Lung field by threshold and morphology", ANATOMY, LUNG, "AUTOMATIC", algorithm)
