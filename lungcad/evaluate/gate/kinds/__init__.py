"""Kinds of pictures that a network should not answer: each is made for fitting, for choosing and for the test. A new one is one function."""

from lungcad.evaluate.gate.kinds import changed, ct, made_up, no_ct  # noqa: F401  they fill the table
from lungcad.evaluate.gate.kinds.kind import KINDS, Kind, is_crop, is_tile, own

__all__ = ["KINDS", "Kind", "is_crop", "is_tile", "own"]
