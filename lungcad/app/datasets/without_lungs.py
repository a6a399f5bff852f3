"""How much of a data set can be known without the lungs."""

from pathlib import Path

import streamlit as st

from lungcad.app import region_store, store
from lungcad.app.components.chart import chart_with_csv
from lungcad.app.components.literal import literal
from lungcad.app.components.mended import show_mended
from lungcad.app.components.region_pictures import show_region_pictures
from lungcad.app.components.text import class_label
from lungcad.app.datasets.own_folder import owner_of
from lungcad.app.figures.regions import region_bars
from lungcad.app.jobs import run_on_server
from lungcad.app.navigation import plain_errors
from lungcad.datasets import DATASETS, Dataset
from lungcad.datasets.folders import LabelledFolder
from lungcad.datasets.own import own_dataset
from lungcad.errors import DatasetError
from lungcad.evaluate.regions.marked import content_of
from lungcad.evaluate.stores.known_without import KnownWithout, known_of
from lungcad.imaging.regions import Content
from lungcad.progress import Progress
from lungcad.publish.interval_text import difference_with_interval, with_interval
from lungcad.publish.region_tables import region_title, trained_words

TITLE = "How much of this set can be known without the lungs"


def show_without_lungs(dataset: Dataset | None, folder: Path | None, layout: str | None) -> None:
    """As stored in the repository; of a folder of one's own, measured in the background when asked for."""
    laid_out_as = dataset or DATASETS.get(layout or "") or (own_dataset(_labelled(folder)) if folder else None)
    if laid_out_as is None:
        return
    st.subheader(TITLE, anchor=False)
    try:
        if content_of(laid_out_as) is not Content.SLICE:
            st.caption(
                "These are crops around a nodule, without whole lungs to take away. What a network needs of a crop: Metrics, “Regions”."
            )
            return
    except DatasetError as error:
        st.caption(literal(str(error)))
        return
    known = None
    if dataset:
        with plain_errors():
            known = region_store.known_without(dataset.name)
    if known is None and folder is not None:
        known = run_on_server(
            "without_lungs",
            ("without lungs", owner_of(dataset), str(folder), laid_out_as.name, store.folder_fingerprint(str(folder))),
            "the test without lungs",
            lambda on_progress: _measured(laid_out_as, folder, on_progress),
            help="Fits a small head to what is left of the slices without the lungs, without the chest, with the lungs alone, and with table and outline alone. "
            "Images of one group never stand on both sides. Measured on 63 images: 0.15 s of one core an image.",
        )
    if known is not None:
        _show(known)
    if dataset is not None:
        with plain_errors():
            for trained in region_store.trained_without(dataset.name):
                _show_trained(trained)
        show_mended(dataset.name)


def _labelled(folder: Path) -> LabelledFolder:
    return store.labelled_folder(str(folder), store.folder_fingerprint(str(folder)))


def _measured(dataset: Dataset, folder: Path, on_progress: Progress) -> KnownWithout:
    from lungcad.train.known_without import how_split, known_without  # torch and scikit-learn: the page opens without them

    cases = dataset.read(folder)
    table, left_out = known_without(dataset, cases, on_progress=on_progress)
    return known_of(dataset.name, table, left_out, how_split(dataset, cases))


def _show_trained(trained: KnownWithout) -> None:
    whole, without = trained.rows
    st.markdown(
        f"**A whole training without the lungs: accuracy {with_interval(without, 'accuracy')}; with them {with_interval(whole, 'accuracy')}.** "
        f"Difference {difference_with_interval(without, 'accuracy')} on the same {without['n']} test cases of {without['groups']} groups."
    )
    st.caption(literal(trained_words(trained)))


def _show(known: KnownWithout) -> None:
    rows = [(region_title(row["seen"]), row) for row in known.rows]
    listing = "; ".join(f"{title}: {with_interval(row, 'macro_f1')}" for title, row in rows)
    whole, without = known.rows[0], next((row for row in known.rows if row["seen"] == "no-lungs"), None)
    if without is not None and whole["macro_f1"] and without["macro_f1"] is not None:
        st.markdown(
            f"**Shown no lung at all, a small head reaches a macro F1 of {without['macro_f1']:.2f}; shown the whole slices, {whole['macro_f1']:.2f}.** "
            "What a network reaches on this set says something about lungs only by what it reaches beyond that."
        )
    show_region_pictures([row["seen"] for row in known.rows[1:]], fill="black")
    chart_with_csv(
        region_bars({"a head on frozen ImageNet features": rows}, "macro_f1"),
        key="without_lungs",
        alt=f"Macro F1 by what is seen. {listing}",
    )
    st.dataframe(
        [
            {"what is seen": title, "n": row["n"], "accuracy": with_interval(row, "accuracy"), "macro F1": with_interval(row, "macro_f1")}
            | {f"recall {class_label(name)}": None if value is None else round(value, 2) for name, value in row["recall"].items()}
            for title, row in rows
        ],
        hide_index=True,
        alt="Accuracy, macro F1 and recall by what is seen.",
    )
    st.caption(
        f"Trained and tested on what is left: a logistic regression on frozen ImageNet features (EfficientNet-Lite0); {literal(known.facts['how'])}. "
        f"{known.facts['n']} test cases; {known.facts['left_out']} slices left out, whose lungs were not found with certainty. 95 % intervals over groups."
    )
