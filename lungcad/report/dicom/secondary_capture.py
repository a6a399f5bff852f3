"""The overlay as it was shown, as Secondary Capture (PS3.3 A.8.1): the heat map on its slice, below it the scale and, in letters, what it is and is not."""

import io
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
from highdicom.sc import SCImage
from highdicom.sr import CodedConcept
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian

from lungcad.datasets import class_title
from lungcad.report.dicom.explained import ExplainedSlice
from lungcad.report.dicom.identity import PURPOSE, general, new_uid, of_chest

SMALLEST = 384
"""A picture narrower than this is put on a black ground of this width, so that the letters below it can be read."""


def secondary_captures(slices: Sequence[ExplainedSlice], series_number: int) -> list[Dataset]:
    """One object a slice, all in one series."""
    series = new_uid()
    return [_secondary_capture(each, series, series_number, number) for number, each in enumerate(slices, 1)]


def _secondary_capture(explained: ExplainedSlice, series: str, series_number: int, number: int) -> Dataset:
    header = explained.header
    letters = explained.letters if all(explained.letters) else ("L", "P")
    made = SCImage.from_ref_dataset(
        header,
        np.asarray(_with_legend(explained)),
        "RGB",
        8,
        "PATIENT",
        series,
        series_number,
        new_uid(),
        number,
        pixel_spacing=explained.spacing,  # type: ignore[arg-type]  # highdicom says whole numbers and means any
        patient_orientation=letters,
        transfer_syntax_uid=ExplicitVRLittleEndian,
        **general(explained.card, "heat map as shown"),
    )
    if not all(explained.letters):
        made.PatientOrientation = []  # type 2C: not known
    made.ImageComments = ". ".join([PURPOSE, *explained.warnings])[:10240]
    made.DerivationDescription = f"{explained.map_title}, {explained.card.name}, weights {explained.card.sha256[:16]}"
    made.BurnedInAnnotation = (
        "YES" if header.get("BurnedInAnnotation") == "YES" else "NO"
    )  # of a person: marks beside the body were left out
    made.SourceImageSequence = [_reference(header)]
    return of_chest(made)


def _reference(header: Dataset) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = header.SOPClassUID, header.SOPInstanceUID
    item.PurposeOfReferenceCodeSequence = [CodedConcept.from_code(codes.DCM.SourceImageForImageProcessingOperation)]
    return item


def _with_legend(explained: ExplainedSlice) -> Image.Image:
    """The picture with a strip below it: no pixel of the slice is covered."""
    picture = Image.fromarray(explained.picture)
    width = max(picture.width, SMALLEST)
    font = ImageFont.truetype(_font(), max(11, width // 42))
    share = max(explained.probabilities.values())
    lines = [PURPOSE.upper(), f"{explained.card.name}: {class_title(explained.answer)}, {share:.1%}", explained.map_title]
    if explained.declined:
        lines.insert(1, "DECLINED: do not believe this answer")
    wrapped = [part for line in lines for part in _wrapped(line, font, width - 12)]
    height = int(font.size * 1.4)
    bar = Image.open(io.BytesIO(explained.bar)).convert("RGB") if explained.bar else None
    if bar:
        bar = bar.resize((width, round(bar.height * width / bar.width)), Image.Resampling.LANCZOS)
    canvas = Image.new("RGB", (width, picture.height + height * len(wrapped) + 12 + (bar.height if bar else 0)))
    canvas.paste(picture, (0, 0))
    draw = ImageDraw.Draw(canvas)
    for row, line in enumerate(wrapped):
        draw.text((6, picture.height + 4 + row * height), line, fill=(255, 255, 255), font=font)
    if bar:
        canvas.paste(bar, (0, canvas.height - bar.height))
    return canvas


def _wrapped(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


@cache
def _font() -> str:
    """DejaVu Sans, which comes with matplotlib."""
    return str(Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf"))
