"""Data sets as tables of labelled cases, with groups and splits."""

from lungcad.datasets.case import Case, Split
from lungcad.datasets.chest_ct_scan import CHEST_CT_SCAN
from lungcad.datasets.dataset import DATASETS, Dataset, Task, class_title, is_made, of_split
from lungcad.datasets.iq_oth_nccd import IQ_OTH_NCCD
from lungcad.datasets.lc25000 import LC25000
from lungcad.datasets.lidc_nodules import LIDC_NODULES
from lungcad.datasets.phantoms import PHANTOMS
from lungcad.datasets.splits import Protocol, SplitCases, split_cases

__all__ = [
    "CHEST_CT_SCAN",
    "DATASETS",
    "IQ_OTH_NCCD",
    "LC25000",
    "LIDC_NODULES",
    "PHANTOMS",
    "Case",
    "Dataset",
    "Protocol",
    "Split",
    "SplitCases",
    "Task",
    "class_title",
    "is_made",
    "of_split",
    "split_cases",
]
