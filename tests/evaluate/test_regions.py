"""Regions taken away from a network's pictures: on networks that read one place of a phantom and nothing else."""

import json

import numpy as np
import pandas as pd
import pytest

from lungcad.datasets.phantoms.make import make_phantoms
from lungcad.errors import DatasetError, UnknownNameError
from lungcad.evaluate.regions.rows import ALL, region_rows
from lungcad.evaluate.regions.run import run_regions
from lungcad.evaluate.stores.region_runs import read_region_run, read_region_runs, write_region_run
from lungcad.imaging.fills import FILLS
from lungcad.imaging.regions import REGIONS
from lungcad.publish.region_tables import headline_table, least_strange, region_table, regions_readme
from tests.evaluate.readers import LEFT_LUNG, MARKER, SIDE, reader


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory):
    return make_phantoms(tmp_path_factory.mktemp("data") / "phantoms", 48, shortcut="marker", size=SIDE)


@pytest.fixture(scope="module")
def run(phantoms):
    return run_regions(reader(MARKER), phantoms, "phantoms")


def rows_of(run, fill="median"):
    return {row["region"]: row for row in run.rows if row["fill"] in ("", fill)}


@pytest.mark.parametrize("fill", ["median", "smooth"])
def test_a_network_that_reads_the_marker_keeps_everything_without_the_lungs_and_loses_everything_without_the_marker(run, fill):
    rows = rows_of(run, fill)
    assert rows[ALL]["accuracy"] > 0.85 and rows[ALL]["n"] == run.facts["n"] == 12
    for region in ("no-lungs", "no-chest", "outline"):
        assert rows[region]["answers_kept"] == 1.0 and rows[region]["difference"]["accuracy"] == 0.0
    for region in ("lungs", "body"):
        assert rows[region]["recall"] == {"lesion": 0.0, "none": 1.0}
        assert rows[region]["difference_intervals"]["accuracy"][1] < 0


def test_a_network_that_reads_a_lung_keeps_everything_with_the_lungs_alone(phantoms):
    run = run_regions(reader(LEFT_LUNG, level=0.5), phantoms, "phantoms", fills=["median"])
    rows = rows_of(run)
    for region in ("lungs", "body"):
        assert rows[region]["answers_kept"] == 1.0
    changed = run.cases[run.cases.region == "no-lungs"].set_index("case")["p:lesion"]
    assert changed.nunique() == 1 and rows["no-lungs"]["answers_kept"] < 1.0  # one flat grey: every answer is the same


def test_another_classs_tissue_is_put_in_from_another_patient(run):
    put_in = run.cases[run.cases.fill == "other"]
    assert set(put_in.donor) == {"lesion", "none"} and (put_in.donor != put_in.label).all()
    assert rows_of(run, "other")["no-lungs"]["answers_follow"] == pytest.approx(0.0, abs=0.2)  # it follows the corner, not the lungs


def test_empty_regions_are_left_out_and_counted(run):
    with_marker = (run.cases[run.cases.region == ALL].set_index("case")["p:lesion"] > 0.5).sum()
    assert rows_of(run)["text"]["n"] == with_marker
    assert {"region": "text", "why": REGIONS["text"].missing, "n": 12 - with_marker} in run.facts["left_out"]


def test_rows_name_the_least_strange_fill_and_leave_undefined_numbers_out():
    rng = np.random.default_rng(0)
    cases = [
        {"case": f"c{i}", "group": f"g{i % 5}", "label": "ab"[i % 2], "region": region, "fill": fill, "donor": "", "distance": distance + rng.uniform(0, 0.1)}
        for i in range(20)
        for region, fill, distance in ((ALL, "", 1.0), ("no-lungs", "median", 9.0), ("no-lungs", "smooth", 2.0))
    ]  # fmt: skip
    table = pd.DataFrame(cases).assign(**{"p:a": lambda t: (t.label == "a") * 0.8 + 0.1, "p:b": lambda t: 0.9 - (t.label == "a") * 0.8})
    rows = region_rows(table, ("a", "b"), 3.0)
    assert [(row["fill"], row["least_strange"], row["unlike"]) for row in rows] == [
        ("", False, 0.0),
        ("median", False, 1.0),
        ("smooth", True, 0.0),
    ]
    assert rows[1]["accuracy"] == 1.0 and rows[1]["answers_follow"] is None and rows[0]["difference"] == {}
    unknown = region_rows(table.assign(distance=np.nan), ("a", "b"), None)
    assert all(row["unlike"] is None and row["distance"] is None and not row["least_strange"] for row in unknown)


def test_a_run_comes_back_from_disk_as_it_was(run, tmp_path):
    write_region_run(run, tmp_path)
    again = read_region_run(run.name, tmp_path)
    assert again.rows == run.rows
    values = again.to_dict()
    json.dumps(values, allow_nan=False)
    assert {"rows", "left_out"} <= set(values) and {"region", "fill", "n", "accuracy", "macro_f1", "answers_kept", "intervals"} <= set(
        values["rows"][0]
    )
    (tmp_path / run.name / "cases.parquet").write_bytes(b"nothing")
    with pytest.raises(DatasetError, match="damaged"):
        read_region_run(run.name, tmp_path)
    told = []
    assert read_region_runs(tmp_path, on_fault=told.append) == [] and len(told) == 1
    with pytest.raises(UnknownNameError):
        read_region_run("nowhere", tmp_path)


def test_tables_are_made_of_the_run(run):
    assert len(region_table(run).splitlines()) == 2 + len(run.rows)
    assert least_strange(run, "no-lungs")["fill"] == next(iter(FILLS))  # no gate: the first
    assert f"`{run.facts['model']}`" in headline_table([run])
    assert "no burnt-in text" in regions_readme([run]).lower() and "LC25000 has no table" in regions_readme([run])


def test_bad_input_is_a_sentence(phantoms, tmp_path, toy):
    model = reader(MARKER)
    with pytest.raises(UnknownNameError, match="no-lungs"):
        run_regions(model, phantoms, "phantoms", regions=["everything"])
    with pytest.raises(DatasetError, match="crop around a nodule"):
        run_regions(model, phantoms, "phantoms", regions=["nodule"])
    with pytest.raises(DatasetError, match="microscope tiles"):
        run_regions(model, phantoms, "lc25000")
    flat = make_phantoms(tmp_path / "flat", 24, size=SIDE)
    for path in flat.glob("test/*/*.png"):
        path.write_bytes((phantoms / "masks" / next(iter((phantoms / "masks").iterdir())).name).read_bytes())
    with pytest.raises(DatasetError, match="Not one of the 6 images has a lung field"):
        run_regions(model, flat, "phantoms")


def test_one_class_only_is_said(phantoms):
    from lungcad.datasets import DATASETS

    assert len({case.label for case in DATASETS["phantoms"].read(phantoms)}) == 2
    only = phantoms.parent / "one-class"
    only.mkdir()
    for name in ("test", "masks", "shortcuts"):
        (only / name).symlink_to(phantoms / name)
    table = pd.read_csv(phantoms / "phantoms.csv", keep_default_na=False)
    table[(table.part == "test") & (table.label == "none")].to_csv(only / "phantoms.csv", index=False)
    run = run_regions(reader(MARKER), only, "phantoms", regions=["no-lungs"])
    assert any("of one class" in note for note in run.facts["notes"])
    assert {row["fill"] for row in run.rows} == {"", *(name for name, fill in FILLS.items() if not fill.needs_donor)}
    assert {"region": "no-lungs", "why": "There is no image of another class to put in.", "n": run.facts["n"]} in run.facts["left_out"]
    with pytest.raises(DatasetError, match="could anything be taken away"):
        run_regions(reader(MARKER), only, "phantoms", regions=["no-lungs"], fills=["other"])
