"""The table of regions: a new one is a module of this package and a line here."""

from lungcad.imaging.regions.body import BODY, OUTLINE
from lungcad.imaging.regions.chest import NO_CHEST
from lungcad.imaging.regions.contour import CONTOUR
from lungcad.imaging.regions.lungs import LUNGS, NO_LUNGS
from lungcad.imaging.regions.nodule import NO_NODULE, NO_NODULE_WIDE, NODULE
from lungcad.imaging.regions.region import Content, Region
from lungcad.imaging.regions.text import TEXT
from lungcad.registry import Registry

REGIONS: Registry[Region] = Registry("region")
for _region in (NO_LUNGS, NO_CHEST, LUNGS, BODY, OUTLINE, TEXT, NO_NODULE, NO_NODULE_WIDE, NODULE, CONTOUR):
    REGIONS.add(_region.name, _region)


def regions_of(content: Content) -> list[str]:
    """Names of the regions that such pictures can have."""
    return [name for name, region in REGIONS.items() if region.content is content]
