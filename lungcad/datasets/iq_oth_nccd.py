"""IQ-OTH/NCCD lung cancer dataset (Mendeley Data ``bhmdr45bh2``)."""

from functools import partial

from lungcad.datasets.class_folders import read_class_folders
from lungcad.datasets.dataset import Dataset, Download, Task, register
from lungcad.datasets.groups import REACH, SAME_PATIENT, by_neighbours

IQ_OTH_NCCD = register(
    Dataset(
        name="iq-oth-nccd",
        title="IQ-OTH/NCCD lung cancer",
        publisher="Mendeley Data bhmdr45bh2",
        licence="CC BY 4.0",
        citation="Alyasriy H., Al-Huseiny M. The IQ-OTH/NCCD lung cancer dataset. Mendeley Data, 2023. https://doi.org/10.17632/bhmdr45bh2",
        folder="iq-oth-nccd",
        tasks=(
            Task(
                "3-class",
                ("benign", "malignant", "normal"),
                {"benign": "benign", "malignant": "malignant", "normal": "normal"},
                negative="normal",
            ),
            Task(
                "binary",
                ("malignant", "not malignant"),
                {"malignant": "malignant", "benign": "not malignant", "normal": "not malignant"},
                negative="not malignant",
            ),
        ),
        shares=(0.7, 0.2, 0.1),
        # the publisher writes "Bengin cases"
        read_cases=partial(
            read_class_folders, prefixes={"benign": ("bengin", "benign"), "malignant": ("malignant",), "normal": ("normal",)}
        ),
        group=by_neighbours,
        grouping=f"runs of consecutively numbered slices: a pair at most {REACH} numbers apart whose 32×32 thumbnails correlate by "
        f"{SAME_PATIENT} or more joins all slices between them (a proxy, the publisher gives no patient ids)",
        limits="The publisher gives no patient ids; groups are guessed from image similarity and can be wrong either way. About 110 "
        "patients of two hospitals and one scanner maker, 15 of them benign.",
        download=Download(url="https://data.mendeley.com/public-files/datasets/bhmdr45bh2/zip/download/latest"),
    )
)
