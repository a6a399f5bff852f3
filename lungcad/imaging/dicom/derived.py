"""What a file says it is other than a plain slice of the chest: a projection, a rendering, a map, a page of text, another part of the body."""

import re

import pydicom

from lungcad.imaging.dicom.elements import text, texts
from lungcad.imaging.remarks import Remarks

_KINDS = (  # words of Image Type (PS3.3 C.8.15.2.1.1 and vendors' own) or of Volume Based Calculation Technique -> what it is
    ("MIP MAXIP MAX_IP MINIP MIN_IP PROJECTION PROJECTION_IMAGE THICK_MIP", "a projection of several slices (MIP or MinIP)"),
    ("VOLUME_RENDER VOLUME_RENDERING VRT SURFACE_RENDER SURFACE_RENDERING SSD 3D VOLREN CURVED_MPR", "a drawing of a volume"),
    ("DOSE_INFO DOSE_REPORT SCREEN_SAVE SCREEN_CAPTURE PROTOCOL GRAPH", "a page of text or a capture of a screen"),
    (
        "IODINE IODINE_MAP DENSITY_MAP MATERIAL EFF_ATOMIC_NUM Z_EFF ELECTRON_DENSITY PERFUSION OTHER_PERFUSION_MAP SUBTRACTION FUSED FUSION",
        "a map that was computed from scans",
    ),
)
_OTHER_PARTS = re.compile(
    "HEAD|BRAIN|SKULL|SINUS|ORBIT|EAR|JAW|ABDOMEN|LIVER|KIDNEY|PELVIS|PROSTATE|HIP|KNEE|LEG|FOOT|ANKLE|ARM|HAND|WRIST|ELBOW|EXTREMITY|L_?SPINE"
)


def warn_of_other_kinds(dataset: pydicom.Dataset, remarks: Remarks) -> None:
    """A warning where Image Type, Volume Based Calculation Technique or Body Part Examined name something else than a slice of the chest."""
    values = [*texts(dataset, "ImageType"), *texts(dataset, "VolumeBasedCalculationTechnique")]
    words = {part for word in values for part in (re.sub(r"\W+", "_", word), *word.split())}
    for names, what in _KINDS:
        if words & set(names.split()):
            remarks.warn(
                f"The DICOM file says that it is {what}, not a plain slice; the network was trained on slices, so do not trust the answer."
            )
            break
    part = text(dataset, "BodyPartExamined").upper()
    if _OTHER_PARTS.fullmatch(part):
        remarks.warn(f"The DICOM file says that it shows another part of the body than the chest ({part.lower()}); see whether that is so.")
