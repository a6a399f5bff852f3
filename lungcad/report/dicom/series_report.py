"""The answer over a series as Comprehensive 3D SR by TID 1500: one group for the series, one region (a point on its slice) a ranked position."""

from collections.abc import Sequence

import numpy as np
from highdicom.sr import (
    GraphicTypeValues,
    ImageRegion,
    Measurement,
    MeasurementsAndQualitativeEvaluations,
    PlanarROIMeasurementsAndQualitativeEvaluations,
    SourceImageForMeasurementGroup,
    SourceImageForRegion,
    TrackingIdentifier,
)
from pydicom.dataset import Dataset

from lungcad.report.dicom.explained import ExplainedSlice
from lungcad.report.dicom.identity import NO_UNITS, new_uid, own_code
from lungcad.report.dicom.series import ExplainedSeries
from lungcad.report.dicom.structured_report import Group, algorithm_of, evaluations_of, probabilities_of, report_of, said
from lungcad.series.pooling import POOLINGS
from lungcad.series.result import Position


def series_report(explained: ExplainedSeries, series_number: int, beside: Sequence[Dataset] = ()) -> Dataset:
    """One object. beside: parametric map and segmentation of the same slices, named as evidence."""
    groups: list[Group] = [_series(explained)]
    groups += [
        _position(position, each, point)
        for position, each, point in zip(explained.answer.positions, explained.captured, explained.points, strict=True)
    ]
    return report_of(groups, [*(each.header for each in explained.slices), *beside], explained.answer.card, series_number)


def _series(explained: ExplainedSeries) -> MeasurementsAndQualitativeEvaluations:
    answer, first = explained.answer, explained.slices[0]
    prediction, pooling = answer.prediction, answer.pooling
    if prediction is None:
        raise ValueError("an answer that is declined has no report")
    evaluations = evaluations_of(first, prediction.label, declined=answer.declined > 0 and answer.show_anyway)
    evaluations.append(said("pooling", "How slices are pooled", f"pooling-{pooling.name}", POOLINGS[pooling.name].what))
    counts = [("read", "Slices read", len(answer.slices)), ("declined", "Slices declined by the gate", answer.declined)]
    measurements = [Measurement(own_code(f"slices-{name}", meaning), float(count), NO_UNITS) for name, meaning, count in counts]
    return MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(uid=new_uid(), identifier="series"),
        algorithm_id=algorithm_of(first),
        measurements=[*probabilities_of(prediction.probabilities, calibrated=pooling.is_calibrated), *measurements],
        qualitative_evaluations=evaluations,
        source_images=[SourceImageForMeasurementGroup(each.header.SOPClassUID, each.header.SOPInstanceUID) for each in explained.slices],
    )


def _position(position: Position, each: ExplainedSlice, point: tuple[float, float]) -> PlanarROIMeasurementsAndQualitativeEvaluations:
    source = SourceImageForRegion(each.header.SOPClassUID, each.header.SOPInstanceUID)
    suspicion = Measurement(own_code("suspicion", "Suspicion of the slice"), position.suspicion, NO_UNITS)
    return PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(uid=new_uid(), identifier=f"position {position.rank}"),
        referenced_region=ImageRegion(GraphicTypeValues.POINT, np.array([point]), source),
        algorithm_id=algorithm_of(each),
        measurements=[suspicion, *probabilities_of(each.probabilities)],
        qualitative_evaluations=evaluations_of(each, each.answer, declined=each.declined),
    )
