"""What takes the place of a region that is taken away: a fill a module, one table."""

from lungcad.imaging.fills.fill import Fill
from lungcad.imaging.fills.table import FILLS

__all__ = ["FILLS", "Fill"]
