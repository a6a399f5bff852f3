"""What must not lie over, or be cut off by, something else."""

import pytest
from playwright.sync_api import expect

from tests.e2e.accessibility import settled

expect.set_options(timeout=60_000)
COVERED = """() => [...document.querySelectorAll('.js-plotly-plot')].flatMap(plot => {
    const bar = plot.querySelector('.modebar').getBoundingClientRect();
    return [...plot.querySelectorAll('.nsewdrag, .legend, .annotation')].map(part => part.getBoundingClientRect())
        .filter(box => box.top < bar.bottom && box.bottom > bar.top && box.right > bar.left && box.left < bar.right);
})"""
"""Plots' areas, legends and words that lie below Plotly's toolbar."""
CUT = """() => [...document.querySelectorAll('[data-testid=stSidebar] :is(.st-key-model input, [data-tag] > span)')]
    .filter(name => name.scrollWidth > name.clientWidth + 1).map(name => name.value ?? name.textContent)"""
LONGEST = "lidc-efficientnet-lite0-concepts"
ON_IQ = "first=iq-efficientnet-lite0&second=iq-efficientnet-lite0-soft"


@pytest.mark.parametrize("where", ["Metrics?runs=iq-efficientnet-lite0-soft&section=Slices", f"Compare?view=runs&{ON_IQ}"])
def test_a_plots_toolbar_covers_none_of_it(tab, server, where):
    tab.goto(f"{server}/{where}")
    expect(tab.locator(".js-plotly-plot .nsewdrag").nth(1)).to_be_attached()
    settled(tab)
    assert tab.evaluate(COVERED) == []


@pytest.mark.parametrize("where", [f"Predict?model={LONGEST}", f"Compare?networks=lidc-efficientnet-lite0,{LONGEST}"])
def test_the_sidebar_shows_whole_names_of_networks(tab, server, where):
    tab.goto(f"{server}/{where}")
    expect(tab.locator("[data-testid=stSidebar]").get_by_text("test accuracy").first).to_be_visible()
    settled(tab)
    assert tab.evaluate(CUT) == []
