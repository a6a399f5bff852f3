"""The Basic Application Level Confidentiality Profile (PS3.15 E.2) with the option of modified dates (E.3.6), element by element.

Which element is removed, emptied, replaced or mapped stands in the standard's table E.1-1, which the library dicom-anonymizer (BSD-3-Clause) carries as of
2026c. Beyond it: private and unknown elements, names of persons wherever they stand, and text that the table keeps but that holds the patient's own name
or number.
"""

import re
from collections import Counter
from collections.abc import Callable
from functools import cache, partial

from pydicom.datadict import dictionary_has_tag, keyword_for_tag, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sr.coding import Code

from lungcad import __version__
from lungcad.report.deidentify.pseudonyms import Pseudonyms

TABLE = "dicomfields_2026c"
REMOVED, EMPTIED, REPLACED, MAPPED, MOVED = "removed", "emptied", "replaced", "UID mapped", "date moved"
PRIVATE, UNKNOWN = "private elements", "unknown elements"
PERSONAL = frozenset(
    tag_for_keyword(name)
    for name in (
        "PatientBirthDate",
        "PatientBirthTime",
        "PatientBirthDateInAlternativeCalendar",
        "PatientDeathDateInAlternativeCalendar",
        "LastMenstrualDate",
    )
)
"""Dates of the patient's life are not moved but go."""
METHODS = (
    Code("113100", "DCM", "Basic Application Confidentiality Profile"),
    Code("113107", "DCM", "Retain Longitudinal Temporal Information Modified Dates Option"),
)
TEXT = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
"""Kinds of elements that may hold a word."""
NEEDED = frozenset({"Modality", "PhotometricInterpretation", "SpecificCharacterSet"})
"""Without these no picture can be read; their words are the standard's."""
SHORTEST = 3
"""Letters of a name or number that is looked for."""
Changes = Counter[tuple[str, str]]
"""(what was done, keyword of the element) -> how often. Never a value."""


def without_identity(dataset: Dataset, names: Pseudonyms) -> Changes:
    """Changes the data set in place; what was done."""
    patient, changes = str(dataset.get("PatientID", "")), Changes()
    own_words = _own_words(dataset)
    _clean(dataset, names, patient, changes)
    if own_words is not None:
        _remove_text_with(dataset, own_words, changes)
    dataset.PatientID = dataset.PatientName = names.patient(patient)
    dataset.PatientIdentityRemoved, dataset.LongitudinalTemporalInformationModified = "YES", "MODIFIED"
    dataset.DeidentificationMethod = f"PS3.15 basic profile, dates moved, lungcad {__version__}"
    dataset.DeidentificationMethodCodeSequence = [_code(each) for each in METHODS]
    return changes


def _own_words(dataset: Dataset) -> re.Pattern[str] | None:
    """Finds the patient's names and numbers as whole words; None where the file holds none of at least :data:`SHORTEST` letters."""
    texts = [
        str(dataset.get(name, "")) for name in ("PatientName", "PatientID", "OtherPatientNames", "OtherPatientIDs", "PatientBirthName")
    ]
    words = {word for each in texts for word in re.split(r"[\^=\s,;\\'\[\]]+", each) if len(word) >= SHORTEST}
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, sorted(words)))})(?!\w)", re.IGNORECASE) if words else None


def _remove_text_with(dataset: Dataset, words: re.Pattern[str], changes: Changes) -> None:
    for element in list(dataset):
        if element.VR == "SQ":
            for item in element.value:
                _remove_text_with(item, words, changes)
        elif element.VR in TEXT and element.keyword not in NEEDED and words.search(str(element.value)):
            _remove(dataset, element, changes)


def _clean(dataset: Dataset, names: Pseudonyms, patient: str, changes: Changes) -> None:
    for tag in list(dataset.keys()):
        try:
            element = dataset[tag]
        except Exception:  # a value that cannot be read cannot be cleaned; pydicom raises many types
            del dataset[tag]
            changes[REMOVED, UNKNOWN] += 1
            continue
        if tag.is_private:
            del dataset[tag]
            changes[REMOVED, PRIVATE] += 1
        elif element.VR == "UN" or not dictionary_has_tag(tag):
            del dataset[tag]
            changes[REMOVED, UNKNOWN] += 1
        else:
            _apply(dataset, element, names, patient, changes)


def _apply(dataset: Dataset, element: DataElement, names: Pseudonyms, patient: str, changes: Changes) -> None:
    """One known element, then what stands inside it."""
    action = _action(element.tag)
    if element.VR in ("DA", "DT") and element.tag not in PERSONAL:
        _change(element, partial(names.moved, patient=patient), MOVED, changes)
    elif element.VR == "TM" and element.tag not in PERSONAL and action is not None:
        pass  # whole days are moved, so the time of day stays
    elif action == "U" and element.VR == "UI":
        _change(element, names.uid, MAPPED, changes)
    elif action == "X" or (element.VR == "SQ" and action is not None and action != "U"):
        _remove(dataset, element, changes)
    elif action == "D":
        _replace(dataset, element, changes)
    elif element.VR == "UI" and not _is_uid(element):
        _remove(dataset, element, changes)
    elif (action == "Z" or element.VR == "PN") and not element.is_empty:
        element.value = None
        changes[EMPTIED, _name(element)] += 1
    if element.VR == "SQ" and element.tag in dataset:
        for item in element.value:
            _clean(item, names, patient, changes)


def _change(element: DataElement, change: Callable[[str], str], what: str, changes: Changes) -> None:
    if element.is_empty:
        return
    values = element.value if isinstance(element.value, (list, MultiValue)) else [element.value]
    changed = [change(str(value)) for value in values]
    element.value = changed if len(changed) > 1 else changed[0]
    changes[what, _name(element)] += 1


def _is_uid(element: DataElement) -> bool:
    """Whether it holds what it should: a UID that the table keeps names a class or a template, no instance."""
    return set(str(element.value)) <= set("0123456789.[]', ")


def _remove(dataset: Dataset, element: DataElement, changes: Changes) -> None:
    del dataset[element.tag]
    changes[REMOVED, _name(element)] += 1


def _replace(dataset: Dataset, element: DataElement, changes: Changes) -> None:
    """A dummy of its kind; where there is none for that kind, the element goes."""
    from dicomanonymizer.simpledicomanonymizer import replace_element

    if element.is_empty:
        return
    try:
        replace_element(element)
    except NotImplementedError:  # the library's way to say that it has no dummy for this kind of value
        _remove(dataset, element, changes)
        return
    changes[REPLACED, _name(element)] += 1


@cache
def _action(tag: int) -> str | None:
    """ "X" remove, "Z" empty, "D" a dummy, "U" map, None keep."""
    group, element = tag >> 16, tag & 0xFFFF
    exact, ranges = _table()
    if (group, element) in exact:
        return exact[group, element]
    return next((action for (g, e, group_mask, mask), action in ranges if group & group_mask == g and element & mask == e), None)


@cache
def _table() -> tuple[dict[tuple[int, int], str], list[tuple[tuple[int, int, int, int], str]]]:
    """(tag -> action, (tag with masks, action) of repeating groups)."""
    from dicomanonymizer.dicomfields_selector import dicom_anonymization_database_selector

    table = dicom_anonymization_database_selector(TABLE)
    actions = {
        "X_TAGS": "X", "Z_TAGS": "Z", "X_Z_TAGS": "Z", "D_TAGS": "D", "Z_D_TAGS": "D", "X_D_TAGS": "D", "X_Z_D_TAGS": "D", "U_TAGS": "U",
        "X_Z_U_STAR_TAGS": "U",
    }  # fmt: skip
    entries = [(tag, action) for name, action in actions.items() for tag in table[name]]
    return {tag: action for tag, action in entries if len(tag) == 2}, [(tag, action) for tag, action in entries if len(tag) == 4]


def _name(element: DataElement) -> str:
    return keyword_for_tag(element.tag) or str(element.tag)


def _code(code: Code) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code.value, code.scheme_designator, code.meaning
    return item
