"""The load test itself: it sees another's answer, and its table is the record's."""

import hashlib
import json

import pytest

from lungcad.analysis import analyse
from lungcad.imaging import read_image
from lungcad.models import load_model
from tests.load import api_callers, app_users, batch_table, server, table
from tests.load.percentiles import percentiles

NETWORK = "phantom-honest"
MINE, OTHERS = 1, 2


@pytest.fixture(scope="module")
def probabilities() -> dict[int, tuple[float, ...]]:
    """Of two slices that the network tells apart."""
    model = load_model(NETWORK)
    return {
        number: tuple(analyse(read_image(api_callers.slice_of(number)), model, methods=()).prediction.probabilities.values())
        for number in (MINE, OTHERS)
    }


@pytest.mark.parametrize(("shown", "offered", "faults"), [(MINE, MINE, 0), (OTHERS, MINE, 1), (MINE, OTHERS, 1), (None, MINE, 1)])
def test_another_users_answer_on_a_page_is_a_fault(probabilities, shown, offered, faults, monkeypatch):
    monkeypatch.setattr(app_users, "NETWORKS", (NETWORK,))
    bars = tuple(round(100 * value, 1) for value in probabilities[shown]) if shown else ()
    file = {"image_sha256": hashlib.sha256(api_callers.slice_of(offered)).hexdigest(), "model": NETWORK}
    view = app_users.View(0, api_callers.slice_of(MINE), NETWORK, {"bars": 0.1}, bars, file, was_told=False)
    assert len(app_users.Figures([view]).wrong_answers()) == faults


@pytest.mark.parametrize(("answered", "faults"), [(MINE, 0), (OTHERS, 1)])
def test_another_callers_answer_is_a_fault(probabilities, answered, faults, monkeypatch):
    monkeypatch.setattr(api_callers, "NETWORKS", (NETWORK,))
    figures = api_callers.Figures(answers=[(MINE, NETWORK, probabilities[answered])])
    assert len(figures.wrong_answers()) == faults


def test_percentiles_of_none_and_of_many():
    assert percentiles([]) == {"n": 0, "p50": None, "p95": None}
    assert percentiles([number / 100 for number in range(101)]) == {"n": 101, "p50": 0.5, "p95": 0.95}


def test_growth_is_of_the_mean_and_after_the_first_minute():
    grows = [(float(second), 100.0 if second < 50 else 1000.0 + second + 200 * (second % 2)) for second in range(181)]
    assert server.growth(grows) == pytest.approx(90 / 1175.5, abs=0.001)
    assert server.growth(grows[:119]) is None and server.growth([]) is None


@pytest.mark.parametrize("of", [table, batch_table])
def test_the_tables_are_the_records(of):
    if not of.RECORD.is_file():
        pytest.skip("nothing was measured here")
    assert of.tables(json.loads(of.RECORD.read_text("utf-8"))) in of.PAGE.read_text("utf-8")


def test_what_ten_million_slices_take_goes_by_the_largest_batch():
    runs = [
        {
            "workers": 1,
            "images": 100,
            "images_per_second": 9,
            "cpu_seconds_an_image": 9,
            "driver_mib": 1,
            "worker_mib": 1,
            "bytes_a_row": 1,
        },
        {
            "workers": 2,
            "images": 100,
            "images_per_second": 99,
            "cpu_seconds_an_image": 9,
            "driver_mib": 300,
            "worker_mib": 100,
            "bytes_a_row": 1,
        },
        {
            "workers": 2,
            "images": 900,
            "images_per_second": 20,
            "cpu_seconds_an_image": 0.1,
            "driver_mib": 200,
            "worker_mib": 400,
            "bytes_a_row": 107.4,
        },
    ]
    plans = [{"images": 1_000_000, "seconds": 30, "grown_mib": 10}, {"images": 2_000_000, "seconds": 60, "grown_mib": 20}]
    figures = [figure for _, figure, _ in batch_table.extrapolated(runs, plans)]
    assert figures == ["278 core hours", "4.3 hours", "4.3 hours", "14 US dollars", "5.0 minutes", "400 MiB", "400 MiB", "1.0 GiB"]
