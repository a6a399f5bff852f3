"""The explanation benchmark: what the heat maps of each shipped network are worth, from the trust runs."""

import streamlit as st

from lungcad.app import store, url
from lungcad.app.components.literal import literal
from lungcad.datasets.lidc_dicom import NAME as DICOM
from lungcad.evaluate.stores.trust_runs import estimates_of
from lungcad.explain import METHODS
from lungcad.explain.trust import MEASURES


def show_benchmark() -> None:
    """A table method × network for a chosen measure."""
    runs = store.trust_runs()
    st.subheader("Can the heat maps be believed?")
    for fault in store.trust_faults():
        st.caption(literal(fault))
    if not runs:
        st.info("No trust run is here; `python -m lungcad trust --model NAME --data FOLDER` makes one.")
        return
    measure = url.selectbox(
        "Measure",
        list(MEASURES),
        key="measure",
        default="faithfulness",
        format_func=lambda name: MEASURES[name][:1].upper() + MEASURES[name][1:],
        help="Deletion and insertion: does the network use what the map highlights? Stability: the same map under noise, shift and window? Similarity to random "
        "weights: a map that stays alike shows the image, not the network. Evidence in the lung, on the contour: where is it?",
    )
    show_table(measure)


def show_table(measure: str) -> None:
    """Method × network for one measure."""
    runs = store.trust_runs()
    st.dataframe(
        [
            {"network": run.facts["model"], "data": run.facts["data"], "n": run.facts["n"]}
            | {METHODS[name].title: str(value) for name, value in values.items()}
            for run, values in estimates_of(measure, runs)
        ],
        hide_index=True,
    )
    st.caption(
        "Mean over test cases [95 % bootstrap interval over groups]. The random map and the centred Gaussian are controls that know "
        "nothing of the image: a method that does no better than they do explains nothing."
    )


def show_in_general(network: str, method: str) -> None:
    """What the network's trust run says of this method over its test cases, beside the random control."""
    run = next((run for run in store.trust_runs() if run.facts["model"] == network and run.facts["data"] != DICOM), None)
    if run is None:
        st.caption("The maps of this network were not checked over many cases.")
        return
    summary = run.summary
    if method not in summary:
        st.caption(f"{METHODS[method].title} was not among the methods tested on this network's test cases.")
        return
    phrases = [
        f"{MEASURES[measure]} {value} (random map {summary['random'][measure]})"
        for measure, value in summary[method].items()
        if value.value is not None and measure in ("faithfulness", "stability", "sanity", "in_lung", "energy_inside")
    ]
    st.caption(f"Over {run.facts['n']} test cases of this network, {METHODS[method].title} has: " + "; ".join(phrases) + ".")
