"""Parts of a picture that are taken away or left alone, to see what an answer rests on: a region a module, one table."""

from lungcad.imaging.regions.region import TRUSTED, Content, MarkedImage, Region
from lungcad.imaging.regions.table import REGIONS, regions_of

__all__ = ["REGIONS", "TRUSTED", "Content", "MarkedImage", "Region", "regions_of"]
