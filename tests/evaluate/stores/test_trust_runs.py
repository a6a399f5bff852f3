import numpy as np
import pandas as pd
import pytest

from lungcad.errors import DatasetError, UnknownNameError
from lungcad.evaluate.stores.trust_runs import TrustRun, list_trust_runs, read_trust_run, read_trust_runs, write_trust_run
from lungcad.explain.trust import MEASURES
from lungcad.publish.trust_tables import trust_readme, trust_table


@pytest.fixture
def run():
    """Two methods on four cases of two groups, measured in stability only."""
    cases = pd.DataFrame(
        {"case": list("abcd"), "group": list("xxyy"), "probability": 0.5}
        | dict.fromkeys(MEASURES, np.nan)
        | {"stability": [0.2, 0.2, 0.8, 0.8], "faithfulness": [0.1, 0.2, 0.3, 0.4]}
    )
    facts = {"schema": 1, "model": "net", "data": "folder", "n": 4, "skipped": [], "notes": []}
    return TrustRun("net--folder", facts, pd.concat([cases.assign(method=name) for name in ("gradcam", "centre")], ignore_index=True))


def test_intervals_are_over_groups(run):
    estimates = run.summary["gradcam"]
    assert (estimates["stability"].value, estimates["stability"].low, estimates["stability"].high) == (0.5, 0.2, 0.8) and estimates[
        "iou"
    ].value is None


def test_written_read_and_tabled(run, tmp_path):
    write_trust_run(run, tmp_path)
    (again,) = read_trust_runs(tmp_path)
    assert again.summary["gradcam"]["stability"].value == pytest.approx(run.summary["gradcam"]["stability"].value, abs=1e-3)
    table = trust_table("faithfulness", [again])
    assert str(again.summary["centre"]["faithfulness"]) in table and "Centred Gaussian" in table
    assert "energy_inside" not in trust_readme([again])


def test_damaged_runs_are_one_sentence(run, tmp_path):
    folder = write_trust_run(run, tmp_path)
    with pytest.raises(UnknownNameError):
        read_trust_run("other", tmp_path)
    (folder / "cases.parquet").write_bytes(b"PAR1")
    with pytest.raises(DatasetError, match="damaged"):
        read_trust_run(run.name, tmp_path)
    run.cases.drop(columns="method").to_parquet(folder / "cases.parquet")
    with pytest.raises(DatasetError, match="lack the column method"):
        read_trust_run(run.name, tmp_path)
    (folder / "trust.json").write_text('{"schema": 99}')
    with pytest.raises(DatasetError, match="another schema"):
        read_trust_run(run.name, tmp_path)
    assert list_trust_runs(tmp_path) == [run.name]


def test_a_run_without_a_measure_is_not_damaged(run, tmp_path):
    """As all stored runs are when a measure is added."""
    write_trust_run(TrustRun(run.name, run.facts, run.cases.drop(columns=["iou", "faithfulness"])), tmp_path)
    again = read_trust_run(run.name, tmp_path)
    assert again.summary["gradcam"]["iou"].value is None and again.summary["gradcam"]["faithfulness"].value is None
    assert again.summary["gradcam"]["stability"].value == run.summary["gradcam"]["stability"].value
    assert "| `net`" not in trust_table("faithfulness", [again])


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda t: t.assign(method=[["a"]] * len(t)), "no text"),
        (lambda t: t.assign(method=3), "no text"),
        (lambda t: t.assign(group=[["g"]] * len(t)), "no text"),
        (lambda t: t.assign(method="![x](http://y)"), "a case twice for one method, or an odd method"),
        (lambda t: pd.concat([t, t]), "a case twice"),
        (lambda t: t.assign(stability=True), "no numbers from -1 to 1"),
        (lambda t: t.assign(stability=1e300), "no numbers from -1 to 1"),
        (lambda t: t.assign(probability="x"), "probability that is none"),
        (lambda t: t.assign(probability=7.0), "probability that is none"),
        (lambda t: t.assign(probability=np.nan), "probability that is none"),
    ],
)
def test_cases_that_must_not_be_averaged(run, tmp_path, change, word):
    folder = write_trust_run(run, tmp_path)
    change(run.cases).to_parquet(folder / "cases.parquet")
    with pytest.raises(DatasetError, match=word) as fault:
        read_trust_run(run.name, tmp_path)
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize(
    "changed", [{"n": True}, {"n": -1}, {"model": "![x](http://y)"}, {"notes": [1]}, {"skipped": [{}]}, {"data": None}]
)
def test_facts_that_are_not_what_they_should_be(run, tmp_path, changed):
    write_trust_run(TrustRun(run.name, run.facts | changed, run.cases), tmp_path)
    with pytest.raises(DatasetError, match=f"lacks {next(iter(changed))}, or it is not"):
        read_trust_run(run.name, tmp_path)
