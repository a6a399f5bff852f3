"""The front door: what lungcad is, which networks it ships, where to go."""

import streamlit as st

from lungcad.app import navigation, store
from lungcad.app.components.benchmark import show_benchmark
from lungcad.app.components.text import card_title

navigation.begin("lungcad")
st.title("Look behind a lung-CT classifier's answer")
st.markdown(
    "A network names a class for a CT slice. **lungcad** shows *why*: how sure it is, where it looked, and how good it was on "
    "images that nobody trained it on. Networks come in pairs, plain and with attention, trained alike, so you can see what attention changes."
)
for file, label, icon in (
    ("pages/1_Predict.py", "**Explain one slice**, and check the heat map", ":material/radiology:"),
    ("pages/2_Compare.py", "**Baseline beside attention**, case by case", ":material/compare:"),
    ("pages/3_Metrics.py", "**Metrics**, down to the images behind them", ":material/query_stats:"),
    ("pages/4_Datasets.py", "**Data sets**, their copies and their leaks", ":material/dataset:"),
):
    st.page_link(file, label=label, icon=icon)
st.warning(navigation.NOTICE, icon=":material/health_and_safety:")

st.subheader("Shipped networks")
cards = store.cards()
if not cards:
    st.info("No network is installed: `weights/` holds no model card. Restore it from the repository, or train one.")


def _estimate(estimate) -> str:
    return "–" if estimate is None or estimate.value is None else f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]"


st.dataframe(
    [
        {
            "network": card.name,
            "attention": card.attention,
            "data set": card.dataset,
            "protocol": card.protocol,
            "accuracy": _estimate(card.test and card.test.accuracy),
            "accuracy without copies": _estimate(card.test_without_copies and card.test_without_copies.accuracy),
            "ROC-AUC": _estimate(card.test and card.test.auc),
            "started from": card.initialised_with,
        }
        for card in cards.values()
    ],
    hide_index=True,
)
st.caption(
    "Test images of the data set, value [95 % bootstrap interval over groups: patients, or their best proxy]. No group and no copy stands on both sides "
    "of the split. *Without copies* also leaves out the test images of which the publisher's own training part holds a copy."
)

with navigation.plain_errors():
    show_benchmark()

if cards:
    st.subheader("Model cards")
    chosen = st.selectbox(
        "Model card of",
        list(cards),
        format_func=lambda name: card_title(cards[name]),
        help="What a network was trained on, its limits, its card.",
    )
    card = cards[chosen]
    st.markdown(f"**Limits.** {card.limits}")
    if card.aim:
        st.markdown(f"**Aims missed.** {card.aim}")
    st.json(card.model_dump(mode="json"), expanded=False)
