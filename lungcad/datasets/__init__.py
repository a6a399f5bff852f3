"""Data sets as tables of labelled cases."""

from lungcad.datasets.case import Case, Split
from lungcad.datasets.chest_ct_scan import CHEST_CT_SCAN
from lungcad.datasets.layout import LAYOUTS, Layout, of_split

__all__ = ["CHEST_CT_SCAN", "LAYOUTS", "Case", "Layout", "Split", "of_split"]
