"""Class, probabilities, method and trust measures as Comprehensive 3D SR (PS3.3 A.35.13) by TID 1500, a measurement group a slice."""

from collections.abc import Mapping, Sequence

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
    PlanarROIMeasurementsAndQualitativeEvaluations,
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
from lungcad.models.card import ModelCard
from lungcad.report.dicom.explained import ExplainedSlice
from lungcad.report.dicom.identity import NO_UNITS, PURPOSE, general, new_uid, own_code, short

CT_CHEST = CodedConcept("24627-2", "LN", "CT Chest")
Group = MeasurementsAndQualitativeEvaluations | PlanarROIMeasurementsAndQualitativeEvaluations
ARTIFICIAL_INTELLIGENCE = CodedConcept.from_code(codes.cid7162.ArtificialIntelligence)


def structured_report(slices: Sequence[ExplainedSlice], series_number: int, beside: Sequence[Dataset] = ()) -> Dataset:
    """One object. beside: parametric map and segmentation of the same slices, named as evidence."""
    groups = [_group(each, number) for number, each in enumerate(slices, 1)]
    return report_of(groups, [*(each.header for each in slices), *beside], slices[0].card, series_number)


def report_of(groups: Sequence[Group], evidence: Sequence[Dataset], card: ModelCard, series_number: int) -> Dataset:
    """The object around measurement groups. evidence: every object that they name, and others made beside it."""
    device = DeviceObserverIdentifyingAttributes(
        uid=new_uid(), name="lungcad", manufacturer_name="lungcad", model_name=card.name, serial_number=card.sha256[:16]
    )
    observer = ObserverContext(observer_type=codes.DCM.Device, observer_identifying_attributes=device)
    report = MeasurementReport(
        observation_context=ObservationContext(observer_device_context=observer),
        procedure_reported=CT_CHEST,
        imaging_measurements=groups,
        title=codes.DCM.ImagingMeasurementReport,
    )
    return Comprehensive3DSR(
        evidence,
        report[0],
        new_uid(),
        series_number,
        new_uid(),
        1,
        is_complete=True,
        is_final=False,
        is_verified=False,
        **general(card, "class, probability, trust"),
    )


def algorithm_of(explained: ExplainedSlice) -> AlgorithmIdentification:
    """The network as the standard names an algorithm."""
    return AlgorithmIdentification(
        name=explained.card.name,
        version=f"weights SHA-256 {explained.card.sha256}",
        parameters=[f"map {explained.map_title}", f"seed {explained.seed}", f"lungcad {__version__}"],
        family=ARTIFICIAL_INTELLIGENCE,
        manufacturer="lungcad",
    )


def evaluations_of(explained: ExplainedSlice, answer: str, *, declined: bool) -> list[QualitativeEvaluation]:
    """answer: the most probable class. declined: by the gate, and shown all the same."""
    evaluations = [
        said("purpose", "Intended use", "research", PURPOSE),
        said("class", "Most probable class", f"class-{answer}", class_title(answer)),
        said("explained", "Class explained by the heat map", f"class-{explained.target}", class_title(explained.target)),
        said("method", "Method of the heat map", f"map-{explained.method}", METHODS[explained.method].title),
    ]
    if declined:
        evaluations.insert(1, said("gate", "Whether the network should be asked", "declined", "Declined: do not believe this answer"))
    return evaluations


def probabilities_of(probabilities: Mapping[str, float], *, calibrated: bool = True) -> list[Measurement]:
    """One a class. calibrated: pooled ones of a series need not be."""
    code, kind = ("probability", "Calibrated probability") if calibrated else ("pooled-probability", "Pooled, not calibrated probability")
    return [
        Measurement(own_code(f"{code}-{name}", f"{kind} of {class_title(name)}"), float(share), NO_UNITS)
        for name, share in probabilities.items()
    ]


def _group(explained: ExplainedSlice, number: int) -> MeasurementsAndQualitativeEvaluations:
    evaluations = evaluations_of(explained, explained.answer, declined=explained.declined)
    measurements = probabilities_of(explained.probabilities)
    for check in explained.checks:
        evaluations.append(said(f"verdict-{check.name}", check.question, check.verdict.name.lower(), str(check.verdict)))
        measurements += _measured(check)
    return MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(uid=new_uid(), identifier=f"slice {number}"),
        algorithm_id=algorithm_of(explained),
        measurements=measurements,
        qualitative_evaluations=evaluations,
        source_images=[SourceImageForMeasurementGroup(explained.header.SOPClassUID, explained.header.SOPInstanceUID)],
    )


def said(name: str, question: str, value: str, answer: str) -> QualitativeEvaluation:
    """A question and its answer, both in lungcad's own codes."""
    return QualitativeEvaluation(own_code(name, question), own_code(value, answer))


def _measured(check: Check) -> list[Measurement]:
    """A check's number and its control's, where it has them; long names are cut so that the two stay apart."""
    named = (("", check.value), (" (control)", check.control))
    return [
        Measurement(
            own_code(
                f"trust-{check.name}{'-control' if suffix else ''}", short(f"{check.name}: {check.measure}", 64 - len(suffix)) + suffix
            ),
            float(value),
            NO_UNITS,
        )
        for suffix, value in named
        if value is not None
    ]
