"""A person's way through Compare, Metrics and Datasets, in Chromium; and how long the pages take, printed.

``LUNGCAD_TIMINGS=1 python -m pytest -s tests/e2e/test_runs_browser.py -k how_long`` times them.
"""

import os

import pytest
from playwright.sync_api import Page, expect

from lungcad.bench.runs import synthetic_run
from tests.conftest import SHARED, write_phantoms
from tests.e2e.test_browser import lasso, maps, settled

needs_data = pytest.mark.skipif(not SHARED.is_dir(), reason="the published data is not on this machine")
CHANGED = """selector => {
    const text = () => [...document.querySelectorAll(selector)].map(each => each.textContent).join('|');
    const before = text(), seen = {start: null, end: null};
    window.seen = seen;
    const pressed = event => { seen.start ??= event.timeStamp; };
    ['pointerdown', 'keydown'].forEach(kind => document.addEventListener(kind, pressed, {capture: true, once: true}));
    const observer = new MutationObserver(() => { if (seen.end === null && text() !== before) { seen.end = performance.now(); observer.disconnect(); } });
    observer.observe(document.body, {subtree: true, childList: true, characterData: true, attributes: true});
}"""
"""Notes when something is pressed, and when the text of what a selector finds changes."""
PAINTED = """
    const marks = {title: 'h1', plot: '.js-plotly-plot .xtitle', idle: '[data-testid=stApp][data-test-script-state=notRunning] h1'};
    window.painted = {};
    const look = () => Object.entries(marks).filter(([name, selector]) => !(name in painted) && document.querySelector(selector)).forEach(([name]) => {
        painted[name] = null;
        requestAnimationFrame(now => { painted[name] = now; });
    });
    new MutationObserver(look).observe(document, {subtree: true, childList: true, attributes: true});
"""
"""Notes in which frame, in milliseconds from the navigation on, the title, the first plot and the finished page are painted."""


def choose(page: Page, key: str, text: str) -> None:
    """A segment of a segmented control."""
    page.locator(f".st-key-{key}").get_by_text(text, exact=True).click()


def press(page: Page, key: str) -> None:
    """The right arrow on a slider."""
    slider = page.locator(f".st-key-{key} input[type=range]")
    slider.focus()
    slider.press("ArrowRight")


def opened(page: Page, address: str, *marks: str) -> dict[str, float]:
    """Seconds from the navigation on until each of these is painted; the page must run :data:`PAINTED`."""
    page.goto(address)
    page.wait_for_function("marks => marks.every(name => painted[name])", arg=marks)
    return {name: page.evaluate("name => painted[name] / 1000", name) for name in marks}


def click_cell(page: Page, table: int, right: float, down: float) -> None:
    """In the so manieth table of the page, so far to the right and down, as shares of its size."""
    cells = page.locator("[data-testid=stDataFrame]", has=page.locator("canvas")).nth(table)
    cells.scroll_into_view_if_needed()
    box = cells.bounding_box()
    page.mouse.click(box["x"] + right * box["width"], box["y"] + down * box["height"])


def milliseconds(page: Page, selector: str, act) -> float:
    """From the press of a button or key until what the selector finds shows something else."""
    settled(page)
    page.evaluate(CHANGED, selector)
    act()
    page.wait_for_function("window.seen.end !== null")
    settled(page)
    return page.evaluate("window.seen.end - window.seen.start")


@needs_data
def test_from_a_number_to_the_image_behind_it(tab, server):
    """Metrics: accuracy, then a wrong case, then its heat map: two clicks."""
    tab.set_viewport_size({"width": 1440, "height": 2600})
    tab.goto(f"{server}/Metrics?runs=chest-efficientnet-lite0")
    expect(tab.get_by_text("cases: answered wrongly")).to_be_visible()
    settled(tab)
    tab.locator("[data-testid=stMain]").get_by_role("link", name="Open in Predict").first.click()
    expect(tab.get_by_text("Case test/")).to_be_visible()
    expect(maps(tab)).to_be_visible()
    assert "case=chest-ct-scan" in tab.url


def test_metrics_at_390(tab, server):
    tab.set_viewport_size({"width": 390, "height": 2400})
    tab.goto(f"{server}/Metrics?runs=lidc-efficientnet-lite0,lidc-efficientnet-lite0-soft")
    expect(tab.locator(".st-key-curves .js-plotly-plot")).to_be_visible()
    settled(tab)
    assert tab.evaluate("document.scrollingElement.scrollWidth <= window.innerWidth + 1")


def test_a_baseline_beside_its_attention_network_and_nothing_is_sent_while_the_pictures_move(tab, server):
    sent = []
    tab.on("websocket", lambda socket: socket.on("framesent", lambda payload: sent.append(payload)))
    tab.goto(f"{server}/Compare?networks=chest-efficientnet-lite0,chest-efficientnet-lite0-gate&example=spiculated-lesion.dcm")
    expect(tab.locator(".st-key-compared canvas").first).to_be_visible()
    expect(tab.get_by_text("Rank correlation of chest-")).to_be_visible()
    settled(tab)
    tab.set_viewport_size({"width": 1440, "height": 1900})
    before = len(sent)
    tab.locator(".st-key-compared canvas").first.focus()
    for key in ("]", ".", "+", "ArrowLeft", "2"):
        tab.keyboard.press(key)
    tab.wait_for_function("() => ['opacity=0.55', 'threshold=', 'window=mediastinum'].every(each => location.search.includes(each))")
    viewer = (
        "document.querySelector('.st-key-compared .stBidiComponent div[data-testid]').shadowRoot.querySelector('.viewer').lungcadViewer"
    )
    assert tab.evaluate(f"{viewer}.view.zoom") > 1 and len(sent) == before > 0


@pytest.mark.parametrize("where", ["Compare?networks=chest-resnet18,chest-resnet18-cbam", "Datasets?dataset=lidc-nodules"])
def test_the_other_pages_fit_a_phone(tab, server, where):
    tab.set_viewport_size({"width": 390, "height": 2400})
    tab.goto(f"{server}/{where}")
    expect(tab.locator("h1")).to_be_visible()
    settled(tab)
    assert tab.evaluate("document.scrollingElement.scrollWidth <= window.innerWidth + 1")


@needs_data
def test_the_students_story(tab, server):
    """Does attention help, and on which cases: from the paired difference to the two maps on the case that they disagree about."""
    tab.set_viewport_size({"width": 1440, "height": 3600})
    tab.goto(f"{server}/Compare?view=runs&first=chest-resnet18&second=chest-resnet18-cbam")
    expect(tab.get_by_text("All 196 cases, the most different first")).to_be_visible()
    settled(tab)
    click_cell(tab, 1, 0.5, 0.83)  # the cases that attention mends
    expect(tab.get_by_text("cases: first wrong, second right")).to_be_visible()
    assert "who=wrong-right" in tab.url
    settled(tab)
    choose(tab, "apart", "maps")
    expect(tab.get_by_text("(1: unrelated)", exact=False).first).to_be_visible()
    settled(tab)
    tab.get_by_role("button", name="Beside each other").first.click()
    expect(tab.locator(".st-key-compared canvas").first).to_be_visible()
    expect(tab.get_by_text("Rank correlation of chest-")).to_be_visible()
    assert "case=chest-ct-scan" in tab.url and "networks=" in tab.url
    settled(tab)
    caption = tab.get_by_text("of 196 test cases")
    before = caption.inner_text()
    tab.locator("h1").click()
    tab.keyboard.press("n")  # the next case, by keyboard
    expect(caption).not_to_have_text(before)


@needs_data
def test_the_radiologists_story(tab, browser, server):
    """Where does it fail, and what was it looking at: a cell, its cases, the map of one; and the same view from the link."""
    tab.goto(f"{server}/Metrics?runs=chest-efficientnet-lite0")
    expect(tab.get_by_text("cases: answered wrongly")).to_be_visible()
    settled(tab)
    click_cell(tab, 1, 0.5, 0.3)
    expect(tab.get_by_text("cases: true adenocarcinoma, predicted large cell carcinoma")).to_be_visible()
    assert "select=cell" in tab.url
    other = browser.new_context(viewport={"width": 1440, "height": 1500})
    page = other.new_page()
    page.goto(tab.url)
    expect(page.get_by_text("7 cases: true adenocarcinoma, predicted large cell carcinoma")).to_be_visible()
    other.close()
    tab.locator("[data-testid=stMain]").get_by_role("link", name="Open in Predict").first.click()
    expect(tab.get_by_text("Case test/")).to_be_visible()
    expect(maps(tab)).to_be_visible()


def test_a_box_in_the_table_chooses_a_run(tab, server):
    """And a run that is taken out elsewhere loses its tick: the next box adds to what is chosen then."""
    tab.goto(f"{server}/Metrics?runs=chest-resnet18")
    expect(tab.locator(".st-key-curves .js-plotly-plot")).to_be_visible()
    settled(tab)
    click_cell(tab, 0, 0.02, 0.21)  # the first row
    expect(tab.locator(".st-key-runs")).to_contain_text("chest-efficientnet-lite0")
    settled(tab)
    assert "runs=chest-resnet18%2Cchest-efficientnet-lite0&" in tab.url + "&"
    tab.get_by_label("Remove chest-resnet18").click()
    expect(tab.locator(".st-key-runs")).not_to_contain_text("chest-resnet18")
    expect(tab.locator("[class*=st-key-runs_table_1_] canvas").first).to_be_visible()  # the table was made anew
    settled(tab)
    click_cell(tab, 0, 0.02, 0.35)  # the second row
    expect(tab.locator(".st-key-runs")).to_contain_text("chest-efficientnet-lite0-gate")
    settled(tab)
    assert "runs=chest-efficientnet-lite0%2Cchest-efficientnet-lite0-gate&" in tab.url + "&"


@needs_data
def test_a_band_and_a_lasso_choose_cases(tab, server):
    tab.set_viewport_size({"width": 1440, "height": 4000})
    tab.goto(f"{server}/Metrics?runs=lidc-efficientnet-lite0&by=Scores")
    plot = tab.locator(".st-key-bands .js-plotly-plot")
    expect(plot).to_be_visible()
    settled(tab)
    plot.scroll_into_view_if_needed()
    plot.locator(".bars .point path").first.click(force=True)
    expect(tab.get_by_text("cases: probability of malignant from")).to_be_visible()
    settled(tab)
    choose(tab, "by", "Map of the cases")
    expect(tab.locator(".st-key-embedding_UMAP .js-plotly-plot")).to_be_visible()
    settled(tab)
    tab.wait_for_function("document.querySelector('.st-key-embedding_UMAP .js-plotly-plot')._fullLayout.dragmode === 'lasso'")
    lasso(tab, tab.locator('[class*="st-key-embedding_"] .nsewdrag').first, 0.5)
    expect(tab.get_by_text("cases: inside your region of the UMAP map")).to_be_visible()
    assert "select=region" in tab.url
    settled(tab)
    tab.get_by_role("button", name="Clear the selection").click()
    expect(tab.get_by_text("cases: answered wrongly")).to_be_visible()


@needs_data
def test_blind_reading_by_keyboard(tab, server):
    tab.goto(f"{server}/Compare?view=blind&networks=lidc-efficientnet-lite0,lidc-efficientnet-lite0-soft")
    expect(tab.get_by_text("0 of 10 cases read")).to_be_visible()
    settled(tab)
    tab.locator("h1").click()
    tab.keyboard.press("2")
    expect(tab.get_by_text("having seen the maps?")).to_be_visible()
    settled(tab)
    tab.keyboard.press("1")
    expect(tab.get_by_text("1 of 10 cases read")).to_be_visible()
    expect(tab.get_by_text("you said malignant, then benign")).to_be_visible()
    with tab.expect_download() as download:
        tab.get_by_role("button", name="Readings (CSV)").click()
    rows = download.value.path().read_text().splitlines()
    assert rows[0].startswith("case,truth,before,after,lidc") and ",malignant,benign," in rows[1]


def test_an_audit_of_ones_own_folder_is_found_by_no_other_session(tab, browser, server, tmp_path):
    write_phantoms(tmp_path, 6)

    def open_folder(page: Page) -> None:
        page.goto(f"{server}/Datasets?dataset=own")
        page.get_by_test_id("stTextInputField").fill(str(tmp_path))
        page.get_by_test_id("stTextInputField").press("Enter")

    open_folder(tab)
    tab.get_by_role("button", name="Run the audit").click()
    expect(tab.get_by_text("Grey levels")).to_be_visible()
    other = browser.new_context(viewport={"width": 1440, "height": 2600})
    page = other.new_page()
    page.set_default_timeout(30_000)
    open_folder(page)
    expect(page.get_by_role("button", name="Run the audit")).to_be_visible()
    assert page.get_by_text("Grey levels").count() == 0 and str(tmp_path) not in page.url
    other.close()


@pytest.mark.skipif("LUNGCAD_TIMINGS" not in os.environ, reason="LUNGCAD_TIMINGS is not set: nothing is timed")
def test_how_long_the_pages_take(browser, synthetic_server, synthetic_runs, bare_server, capsys):
    """Ten runs of 10,000 predictions, warm; then a million; beside a bare Streamlit page. Printed, not judged: no timing makes a test fail."""
    said = []
    context = browser.new_context(viewport={"width": 1440, "height": 1500})
    context.add_init_script(PAINTED)
    tab = context.new_page()
    tab.set_default_timeout(60_000)

    def say(name: str, address: str, *marks: str) -> None:
        found = opened(tab, address, *marks)
        settled(tab)
        said.append(f"{name}: " + ", ".join(f"{mark} {seconds:.2f} s" for mark, seconds in found.items()))

    def control(name: str, selector: str, act) -> None:
        said.append(f"  {name}: {milliseconds(tab, selector, act):.0f} ms")

    titles, numbers = ".st-key-curves .xtitle", ".st-key-rates"
    everything = ("title", "plot", "idle")
    opened(tab, bare_server, *everything)
    say("a bare page with one plot", bare_server, *everything)
    control("threshold", numbers, lambda: press(tab, "threshold_point"))
    control("curve", titles, lambda: choose(tab, "curve", "Precision-recall"))
    for page in ("", "Predict", "Compare", "Datasets", "Compare?view=runs&first=r0&second=r1", "Metrics?runs=r0,r1,r2"):
        marks = everything if "runs" in page else ("title", "idle")
        opened(tab, f"{synthetic_server}/{page}", *marks)
        settled(tab)
        say(page or "Home", f"{synthetic_server}/{page}", *marks)
        if "view=runs" in page:
            control("precision-recall", ".st-key-compared_curves .xtitle", lambda: choose(tab, "curve", "Precision-recall"))
    control("precision-recall", titles, lambda: choose(tab, "curve", "Precision-recall"))
    control("sort", "[data-testid=stCaptionContainer]", lambda: choose(tab, "sort", "confidence"))
    control("scores", ".st-key-bands .xtitle", lambda: choose(tab, "by", "Scores"))
    control("operating point, first time", numbers, lambda: choose(tab, "section", "Operating point"))
    control("classes", numbers, lambda: choose(tab, "section", "Classes"))
    control("operating point again", numbers, lambda: choose(tab, "section", "Operating point"))
    control("threshold", numbers, lambda: press(tab, "threshold_point"))
    control("prevalence", numbers, lambda: press(tab, "prevalence"))
    synthetic_run(synthetic_runs, "million", 1_000_000, 10)
    million = f"{synthetic_server}/Metrics?runs=million&section=Operating+point"
    say("a run of 1,000,000 that was not there before", million, *everything)
    say("again", million, *everything)
    control("threshold", numbers, lambda: press(tab, "threshold_point"))
    control("precision-recall", titles, lambda: choose(tab, "curve", "Precision-recall"))
    context.close()
    with capsys.disabled():
        print("\n" + "\n".join(said))
    assert len(said) == 22
