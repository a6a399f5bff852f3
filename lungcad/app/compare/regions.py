"""Two networks without the lungs, region by region."""

import streamlit as st

from lungcad.app import region_store
from lungcad.app.components.chart import chart_with_csv
from lungcad.app.components.literal import literal
from lungcad.app.components.mended import show_mended
from lungcad.app.figures.regions import region_bars
from lungcad.evaluate.regions.rows import ALL
from lungcad.evaluate.stores.runs import Run
from lungcad.publish.interval_text import with_interval
from lungcad.publish.region_tables import OTHER_SURROUNDINGS, least_strange, put_in, region_title


def show_regions(first: Run, second: Run) -> None:
    """Accuracy of both under the least strange fill of each region; nothing where either has no regions run."""
    region_runs = [each for run in (first, second) if (each := region_store.region_run_of(run.name)) is not None]
    if len(region_runs) < 2 or first.facts["dataset"] != second.facts["dataset"]:
        return
    st.subheader("Which of the two needs the lungs more?", anchor=False)
    series = {}
    for run in region_runs:
        regions = [ALL, *(name for name in run.facts["regions"] if name != "text")]
        rows = [(region_title(name), run.rows[0] if name == ALL else least_strange(run, name)) for name in regions]
        rows.append((OTHER_SURROUNDINGS, put_in(run, "lungs")))
        series[run.facts["model"]] = [(title, row) for title, row in rows if row is not None]
    listing = "; ".join(
        f"{name}: " + ", ".join(f"{title} {with_interval(row, 'accuracy')}" for title, row in rows) for name, rows in series.items()
    )
    chart_with_csv(region_bars(series, "accuracy"), key="compared_regions", alt=f"Accuracy of both by what is seen. {literal(listing)}")
    st.caption(
        "Accuracy on the test cases of each network, for each region under the fill that is least strange to the network, with nothing of another class put "
        "in; last, its own lungs in a patient's slice of another class. 95 % intervals over groups. A network that looks where it should falls without the "
        "lungs, and holds with the lungs alone and in other surroundings."
    )
    show_mended(first.facts["dataset"], beside=tuple(series))
