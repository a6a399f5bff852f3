"""The table of fills: a new one is a module of this package and a line here."""

from lungcad.imaging.fills.black import BLACK
from lungcad.imaging.fills.fill import Fill
from lungcad.imaging.fills.median import MEDIAN
from lungcad.imaging.fills.other_patient import OTHER_PATIENT
from lungcad.imaging.fills.smooth import SMOOTH
from lungcad.registry import Registry

FILLS: Registry[Fill] = Registry("fill")
for _fill in (MEDIAN, BLACK, OTHER_PATIENT, SMOOTH):
    FILLS.add(_fill.name, _fill)
