"""The raw values of the heat map as Parametric Map (PS3.3 A.75): float32, each stored value is the real-world value.

Colours are left to the reader: a palette (PS3.3 C.7.6.23) is for whole numbers only. The Secondary Capture has them, with their scale.
"""

from collections.abc import Sequence

import numpy as np
from highdicom.content import VOILUTTransformation
from highdicom.pm import ParametricMap, RealWorldValueMapping
from pydicom.dataset import Dataset

from lungcad.explain import METHODS
from lungcad.report.dicom.explained import ExplainedSlice
from lungcad.report.dicom.header import check_plane
from lungcad.report.dicom.identity import NO_UNITS, general, new_uid, of_chest, own_code, short


def parametric_map(slices: Sequence[ExplainedSlice], series_number: int) -> Dataset:
    """One object, a frame a slice. Raises :class:`~lungcad.errors.ImageError` where a slice does not say where it lies."""
    for each in slices:
        check_plane(each.header)
    first, values = slices[0], np.stack([each.values for each in slices]).astype(np.float32)
    low, high = float(values.min()), float(values.max())
    mapping = RealWorldValueMapping(
        lut_label=first.method.upper()[:16],
        lut_explanation=short(f"{first.map_title}, raw values"),
        unit=NO_UNITS,
        value_range=(low, high),
        slope=1.0,
        intercept=0.0,
        quantity_definition=own_code(f"map-{first.method}", METHODS[first.method].title),
    )
    window = VOILUTTransformation(window_center=(low + high) / 2, window_width=max(high - low, 1e-6), voi_lut_function="LINEAR_EXACT")
    made = ParametricMap(
        [each.header for each in slices],
        values,
        new_uid(),
        series_number,
        new_uid(),
        1,
        contains_recognizable_visual_features=False,
        real_world_value_mappings=[mapping],
        voi_lut_transformations=[window],
        content_label="HEATMAP",
        content_description=short(f"{first.map_title}, {first.card.name}"),
        **general(first.card, METHODS[first.method].title),
    )
    return of_chest(made)
