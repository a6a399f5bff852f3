"""The fields that a request may carry beside its image, and how they are documented."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from lungcad.evaluate.conformal import HIGHEST_LEVEL, LOWEST_LEVEL, USUAL_LEVEL
from lungcad.explain import Fill, Layer, Options, Segments
from lungcad.imaging import Scale
from lungcad.schema import Schema

IMAGE = "image"
"""Name of the part that is the file."""


class Form(Schema):
    """What every question about an image needs."""

    model: Annotated[str, Field(min_length=1, max_length=500, examples=["phantom-honest"])] = Field(
        description="A network that GET /v1/models lists."
    )
    frame: Annotated[int, Field(ge=1, le=100_000)] | None = Field(
        None, description="Which slice of a DICOM file that holds several, from 1; by default the middle one."
    )
    scale: Scale = Field(Scale.AUTO, description="Whether values are Hounsfield units: auto, hounsfield or grey.")
    show_anyway: bool = Field(False, description="Show the answer although the gate declined the image; the answer says so.")
    set_level: Annotated[float, Field(ge=LOWEST_LEVEL, le=HIGHEST_LEVEL)] = Field(
        USUAL_LEVEL, description="Share of the sets of classes that should hold the truth."
    )


class PredictForm(Form):
    """model may be several names with commas between: their calibrated mean."""


class MapForm(Form):
    """What a heat map is made with."""

    method: Annotated[str, Field(max_length=100, examples=["gradcam"])] = Field(
        "gradcam", description="gradcam, hirescam, layercam, lime, occlusion, attention, ...; a wrong name lists them all."
    )
    target: Annotated[str, Field(max_length=200)] | None = Field(None, description="Class to explain; by default the predicted one.")
    samples: Annotated[int, Field(ge=50, le=5000)] = Field(1000, description="Number of samples (LIME).")
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = Field(0, description="Seed (LIME, SmoothGrad, random).")
    layer: Layer = Field(Layer.LAST, description="Feature map of the class activation maps.")
    segments: Segments = Field(Segments.SLIC, description="How LIME cuts the image.")
    fill: Fill = Field(Fill.MEAN, description="What LIME puts where it hides.")

    @property
    def options(self) -> Options:
        """As the methods take them."""
        return Options(self.seed, self.samples, self.layer, self.segments, self.fill)


class Output(StrEnum):
    """What an explanation is answered as."""

    JSON = "json"  # the facts, as `explain --json`
    PNG = "png"  # the overlay at the image's own size
    NPY = "npy"  # the raw float32 map on the file's own grid


class ExplainForm(MapForm):
    """One heat map."""

    output: Output = Field(Output.JSON, description="json: the facts. png: the overlay at the image's own size. npy: the raw float32 map.")


class VolumeForm(Schema):
    """A network over a whole series."""

    model: Annotated[str, Field(min_length=1, max_length=500, examples=["phantom-honest"])] = Field(
        description="A network that GET /v1/models lists and that reads whole slices."
    )
    method: Annotated[str, Field(max_length=100, examples=["gradcam"])] = Field(
        "gradcam", description="A heat map of about one forward pass, from which the suspicious places are taken."
    )
    target: Annotated[str, Field(max_length=200)] | None = Field(
        None, description="Class whose places are given; by default the finding found most probable."
    )
    series: Annotated[int, Field(ge=1, le=100_000)] | None = Field(
        None, description="Which series, from 1, where the file holds several; the refusal lists them."
    )
    show_anyway: bool = Field(False, description="Count slices that the gate declined; the answer says so.")


class TrustForm(MapForm):
    """The checks of one heat map."""

    slow: bool = Field(False, description="Also the checks that draw some dozens of maps.")


SLICE = "One slice: PNG, JPEG, TIFF, BMP, WebP, JPEG 2000, AVIF, PNM or DICOM."
SERIES = "A CT series: a zip of DICOM files, an enhanced multi-frame DICOM file, or NIfTI."


def request_body(form: type[Schema], file: str = SLICE) -> dict[str, Any]:
    """OpenAPI of a route that takes the form and a file, which is described so."""
    schema = form.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    image = {"type": "string", "format": "binary", "description": file}
    schema["properties"] = {IMAGE: image, **schema["properties"]}
    schema["required"] = [IMAGE, *schema["required"]]
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}


def component_schemas() -> dict[str, Any]:
    """The enumerations that the forms refer to."""
    fields_read: dict[str, Any] = {}
    for form in (PredictForm, ExplainForm, TrustForm):
        fields_read |= form.model_json_schema(ref_template="#/components/schemas/{model}").get("$defs", {})
    return fields_read
