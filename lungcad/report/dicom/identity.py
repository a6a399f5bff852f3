"""Who made an object, its new UIDs, its codes; and that it is for research."""

from typing import Any, TypeVar

from highdicom.coding_schemes import CodingSchemeIdentificationItem
from highdicom.sr import CodedConcept
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from lungcad import __version__
from lungcad.models.card import ModelCard

SCHEME = "99LUNGCAD"
"""lungcad's own coding scheme: what no standard has a code for."""
PURPOSE = "Research, not for diagnosis"
D = TypeVar("D", bound=Dataset)
NO_UNITS = CodedConcept("1", "UCUM", "no units")


def new_uid() -> str:
    """Never used before: under 2.25, from a random UUID (PS3.5 B.2)."""
    return str(generate_uid(prefix=None))


def own_code(value: str, meaning: str) -> CodedConcept:
    """Of lungcad's scheme: one value for one meaning, which has 64 characters at most (LO)."""
    value = "".join(char if char.isascii() and char.isalnum() else "-" for char in value)
    return CodedConcept(value, SCHEME, short(meaning))


def short(text: str, length: int = 64) -> str:
    """The text in so many bytes of UTF-8: validators count them, not letters."""
    encoded = text.encode()
    return text if len(encoded) <= length else encoded[: length - 3].decode(errors="ignore") + "..."


def general(card: ModelCard, description: str) -> dict[str, Any]:
    """Arguments that every object takes. description: of the series, 64 characters at most together with the purpose."""
    return {
        "manufacturer": "lungcad",
        "manufacturer_model_name": short(card.name),
        "software_versions": f"lungcad {__version__}",
        "device_serial_number": card.sha256[:16],
        "series_description": short(f"{PURPOSE}: {description}"),
        "specific_character_set": "ISO_IR 192",
        "coding_schemes": [CodingSchemeIdentificationItem(SCHEME, name="lungcad", version=__version__, responsible_organization="lungcad")],
    }


def of_chest(made: D) -> D:
    """The object with the body part that it shows; without it the standard asks for a side."""
    made.BodyPartExamined = "CHEST"
    return made
