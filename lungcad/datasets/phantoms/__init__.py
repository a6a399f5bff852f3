"""Synthetic patients as a data set that is always at hand: exact contours, and shortcuts planted where they are asked for."""

from lungcad.datasets.phantoms.dataset import PHANTOMS
from lungcad.datasets.phantoms.make import make_phantoms
from lungcad.datasets.phantoms.shortcuts import SHORTCUTS

__all__ = ["PHANTOMS", "SHORTCUTS", "make_phantoms"]
