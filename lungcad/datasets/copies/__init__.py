"""Copies of an image among many, however turned, mirrored, zoomed or cropped, told apart from slices that are merely alike."""

from lungcad.datasets.copies.find import copies_only, find_pairs
from lungcad.datasets.copies.pair import Alignment, ImagePair, Kind

__all__ = ["Alignment", "ImagePair", "Kind", "copies_only", "find_pairs"]
