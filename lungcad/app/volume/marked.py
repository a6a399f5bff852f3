"""The readers' nodules as a table: their ratings, whether the network's positions hit them, and what the nodule networks make of each."""

import pandas as pd
import streamlit as st

from lungcad.app import navigation, session, store
from lungcad.app.components.text import card_title, class_label
from lungcad.app.volume.nodule import nodule_networks
from lungcad.app.volume.source import Opened
from lungcad.datasets.concepts import CONCEPTS
from lungcad.estimate import percent
from lungcad.scheduler import Kind
from lungcad.series.known_marks import is_of_lidc
from lungcad.series.marked import MarkedReading, mean_energy, rate_marked
from lungcad.series.ranking import hits
from lungcad.series.readers import MarkedNodule, as_lesions
from lungcad.series.result import SeriesAnswer

RATE = "volume_rate_marked"


def show_marked(opened: Opened, answer: SeriesAnswer | None) -> None:
    """A row a nodule. Of a series of LIDC-IDRI without any, why; of another one nothing."""
    if opened.marks is None:
        if is_of_lidc(opened.volume):
            st.caption("Four radiologists marked the nodules of this series of LIDC-IDRI, but their marks of it are not on the computer that lungcad runs on. "
                       "`python -m lungcad data download lidc-idri` fetches series with them.")  # fmt: skip
        return
    nodules = opened.marks.nodules
    if not nodules:
        st.caption("The readers marked no nodule on these slices.")
        return
    st.subheader("Nodules that readers marked", anchor=False, help="Each score is one reader's, 1 (highly unlikely) to 5 (highly suspicious); a reader "
                 "who did not mark the nodule gave none.")  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="bottom"):
        network = st.selectbox("Rate them by", nodule_networks(), format_func=lambda name: card_title(store.cards()[name]), key="volume_marked_network",
                               help="A network that was trained on crops around nodules. Patients of LIDC-IDRI may have been in its training.")  # fmt: skip
        asked = st.button("Rate each", key=RATE, help="A crop around each nodule's middle: the network's answer, and how much of its heat map lies inside "
                          "the readers' contour.")  # fmt: skip
    key = ("marked", opened.volume.sha256, store.cards()[network].sha256)
    readings: list[MarkedReading] | None = session.computed(key)
    if asked and readings is None:
        with navigation.plain_errors(), st.spinner("Rating each nodule …"):
            readings = session.get_or_compute(
                key, lambda _: rate_marked(opened.volume, opened.marks, store.model(network)), kind=Kind.CHECKS
            )
    st.dataframe(_table(opened, nodules, answer, readings), hide_index=True, key="volume_marked")
    if readings and (mean := mean_energy(readings)):
        inside, control, n = mean
        st.caption(f"Of {n} maps {inside:.0%} of the evidence lies inside the contours of at least half of a nodule’s readers; of a map that explains nothing "
                   f"(random or centred, the better one) {control:.0%}.")  # fmt: skip


def _table(
    opened: Opened, nodules: tuple[MarkedNodule, ...], answer: SeriesAnswer | None, readings: list[MarkedReading] | None
) -> pd.DataFrame:
    ranks: list[int | None] = [None] * len(nodules)
    if answer is not None and answer.prediction is not None:
        ranks = [hit.rank for hit in hits(answer.positions, as_lesions(nodules))]
    rows = []
    for index, nodule in enumerate(nodules):
        row = {
            "nodule": nodule.label,
            "slice": round(opened.volume.voxel(nodule.middle_mm)[0]) + 1,
            "diameter, mm": nodule.diameter_mm,
            "malignancy": " ".join(map(str, nodule.malignancy)),
        }
        if answer is not None and answer.prediction is not None:
            row["hit by position"] = str(ranks[index] or "missed")
        if readings:
            row |= _rated(readings[index])
        rows.append(row | {CONCEPTS[name].title.lower(): " ".join(map(str, scores)) for name, scores in nodule.ratings.items()})
    return pd.DataFrame(rows)


def _rated(each: MarkedReading) -> dict[str, str]:
    result, check = each.reading.answer, each.localisation
    if result.is_hidden:
        return {"network": "declined", "map inside": "–", "control": "–"}
    said = f"{class_label(result.prediction.label)}, {percent(result.prediction.confidence)}"
    if check is None:
        return {"network": said, "map inside": "–", "control": "–"}
    return {"network": said, "map inside": f"{check.value:.0%}", "control": f"{check.control:.0%}"}
