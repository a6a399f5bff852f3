"""Class, probabilities, method and trust measures as Comprehensive 3D SR (PS3.3 A.35.13) by TID 1500, a measurement group a slice."""

from collections.abc import Sequence

from highdicom.sr import (
    AlgorithmIdentification,
    CodedConcept,
    Comprehensive3DSR,
    DeviceObserverIdentifyingAttributes,
    Measurement,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    QualitativeEvaluation,
    SourceImageForMeasurementGroup,
    TrackingIdentifier,
)
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from lungcad import __version__
from lungcad.datasets import class_title
from lungcad.explain import METHODS
from lungcad.explain.trust import Check
from lungcad.report.dicom.explained import ExplainedSlice
from lungcad.report.dicom.identity import NO_UNITS, PURPOSE, general, new_uid, own_code

CT_CHEST = CodedConcept("24627-2", "LN", "CT Chest")
ARTIFICIAL_INTELLIGENCE = CodedConcept.from_code(codes.cid7162.ArtificialIntelligence)


def structured_report(slices: Sequence[ExplainedSlice], series_number: int, beside: Sequence[Dataset] = ()) -> Dataset:
    """One object. beside: parametric map and segmentation of the same slices, named as evidence."""
    first = slices[0]
    device = DeviceObserverIdentifyingAttributes(
        uid=new_uid(), name="lungcad", manufacturer_name="lungcad", model_name=first.card.name, serial_number=first.card.sha256[:16]
    )
    observer = ObserverContext(observer_type=codes.DCM.Device, observer_identifying_attributes=device)
    report = MeasurementReport(
        observation_context=ObservationContext(observer_device_context=observer),
        procedure_reported=CT_CHEST,
        imaging_measurements=[_group(each, number) for number, each in enumerate(slices, 1)],
        title=codes.DCM.ImagingMeasurementReport,
    )
    return Comprehensive3DSR(
        [*(each.header for each in slices), *beside],
        report[0],
        new_uid(),
        series_number,
        new_uid(),
        1,
        is_complete=True,
        is_final=False,
        is_verified=False,
        **general(first.card, "class, probability, trust"),
    )


def _group(explained: ExplainedSlice, number: int) -> MeasurementsAndQualitativeEvaluations:
    algorithm = AlgorithmIdentification(
        name=explained.card.name,
        version=f"weights SHA-256 {explained.card.sha256}",
        parameters=[f"map {explained.map_title}", f"seed {explained.seed}", f"lungcad {__version__}"],
        family=ARTIFICIAL_INTELLIGENCE,
        manufacturer="lungcad",
    )
    evaluations = [
        _said("purpose", "Intended use", "research", PURPOSE),
        _said("class", "Most probable class", f"class-{explained.answer}", class_title(explained.answer)),
        _said("explained", "Class explained by the heat map", f"class-{explained.target}", class_title(explained.target)),
        _said("method", "Method of the heat map", f"map-{explained.method}", METHODS[explained.method].title),
    ]
    if explained.declined:
        evaluations.insert(1, _said("gate", "Whether the network should be asked", "declined", "Declined: do not believe this answer"))
    measurements = [
        Measurement(own_code(f"probability-{name}", f"Calibrated probability of {class_title(name)}"), float(share), NO_UNITS)
        for name, share in explained.probabilities.items()
    ]
    for check in explained.checks:
        evaluations.append(_said(f"verdict-{check.name}", check.question, check.verdict.name.lower(), str(check.verdict)))
        measurements += _measured(check)
    return MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(uid=new_uid(), identifier=f"slice {number}"),
        algorithm_id=algorithm,
        measurements=measurements,
        qualitative_evaluations=evaluations,
        source_images=[SourceImageForMeasurementGroup(explained.header.SOPClassUID, explained.header.SOPInstanceUID)],
    )


def _said(name: str, question: str, value: str, answer: str) -> QualitativeEvaluation:
    return QualitativeEvaluation(own_code(name, question), own_code(value, answer))


def _measured(check: Check) -> list[Measurement]:
    """A check's number and its control's, where it has them."""
    named = (("", check.value), (" (control)", check.control))
    return [
        Measurement(
            own_code(f"trust-{check.name}{'-control' if suffix else ''}", f"{check.name}: {check.measure}{suffix}"), float(value), NO_UNITS
        )
        for suffix, value in named
        if value is not None
    ]
