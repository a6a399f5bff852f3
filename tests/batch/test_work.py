"""What a batch can make beside answers: metrics, trust runs, indexes."""

import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from sklearn.metrics.pairwise import cosine_distances

from lungcad.batch import WORK, run_batch
from lungcad.batch.index import nearest
from lungcad.batch.plan import RESULT, ROWS, hash_of
from lungcad.errors import DatasetError, LungcadError, OutputError
from lungcad.evaluate.metric_table import summarise
from lungcad.evaluate.trust import measures_of
from lungcad.explain import PreparedInput
from lungcad.explain.neighbours import embed
from lungcad.explain.trust import MEASURES
from lungcad.imaging import read_image
from lungcad.imaging.phantom import make_phantom
from lungcad.models import load_model
from tests.batch.conftest import MODEL, N_FAULTS, N_IMAGES, rows
from tests.calls import caller

N = 7
"""Images of the list, two of them faults."""


@pytest.fixture(autouse=True)
def sanity_of_one(monkeypatch):
    """Dozens of maps each."""
    monkeypatch.setattr("lungcad.batch.trust.SANITY_CASES", 1)


@pytest.fixture
def labelled(slices, tmp_path):
    """Five phantoms and the two faults in a list, every image but the last labelled, of several patients."""
    phantoms = [slices / f"patient-{number % 3}" / f"{number:02d}.png" for number in range(5)]
    paths = [phantoms[0], slices / "cut.png", *phantoms[1:4], slices / "none.png", phantoms[4]]
    labels = [("lesion", "none")[index % 2] for index in range(len(paths) - 1)]
    table = {
        "path": map(str, paths),
        "id": [path.name for path in paths],
        "label": [*labels, None],
        "group": [path.parent.name for path in paths],
    }
    pd.DataFrame(table).to_parquet(tmp_path / "list.parquet")
    return tmp_path / "list.parquet"


@pytest.mark.parametrize("make", WORK)
def test_shards_of_any_size_hold_the_same_rows_and_going_on_changes_none(make, question, labelled, tmp_path):
    question = replace(question, source=str(labelled), make=make, methods=("gradcam",) if make == "trust" else ())
    summary = run_batch(question, tmp_path / "out")
    assert (summary.counts.images, summary.counts.faults) == (N, N_FAULTS)
    whole, result = rows(tmp_path / "out"), (tmp_path / "out" / RESULT).read_bytes()
    assert list(dict.fromkeys(whole.id)) == [*pd.read_parquet(labelled).id] and json.loads(result) == summary.result
    faulty = whole[whole.fault.notna()]
    assert len(faulty) == N_FAULTS and faulty.drop(columns=["id", "fault"]).isna().all(axis=None)
    (tmp_path / "out" / ROWS / "000001.parquet").unlink()
    (tmp_path / "out" / RESULT).unlink()
    assert run_batch(question, tmp_path / "out", resume=True).answered_now == 2
    pd.testing.assert_frame_equal(rows(tmp_path / "out"), whole, check_exact=True)
    assert (tmp_path / "out" / RESULT).read_bytes() == result
    other = {name: name for name in WORK if name != make}
    with pytest.raises(OutputError, match="begun with another make"):
        run_batch(replace(question, make=min(other), methods=()), tmp_path / "out", resume=True)


def test_labels_give_the_metrics_of_the_rows(question, labelled, tmp_path):
    question = replace(question, source=str(labelled))
    found = run_batch(question, tmp_path / "out").result
    table, listed = rows(tmp_path / "out").set_index("id"), pd.read_parquet(labelled).set_index("id")
    counted = table[table["class"].notna() & listed.label.notna()]
    classes = load_model(MODEL).card.classes
    labels = np.array([classes.index(label) for label in listed.label[counted.index]])
    alone = summarise(labels, counted[[f"p:{name}" for name in classes]].to_numpy(), classes, groups=listed.group[counted.index].to_numpy())
    assert {name: found[name] for name in alone.to_dict()} == alone.to_dict() and found["accuracy"] == (
        counted["class"] == listed.label[counted.index]
    ).mean()
    assert found["n"] == len(counted) and found["labelled"] == N - 1 and found["seen_in_training"] == 0
    [left_out] = found["notes"]
    assert left_out.startswith(f"{N - 1 - len(counted)} labelled images count in no metric")


def test_without_groups_the_intervals_are_said_to_be_over_images(question, labelled, tmp_path):
    pd.read_parquet(labelled).drop(columns="group").to_parquet(labelled)
    notes = run_batch(replace(question, source=str(labelled)), tmp_path / "out").result["notes"]
    assert any("no groups" in note and "too narrow" in note for note in notes)


def test_labels_of_which_none_is_answered_give_no_metric(question, slices, tmp_path):
    pd.DataFrame({"path": [str(slices / "cut.png")], "label": ["lesion"]}).to_parquet(tmp_path / "list.parquet")
    found = run_batch(replace(question, source=str(tmp_path / "list.parquet")), tmp_path / "out").result
    assert (found["n"], found["labelled"]) == (0, 1) and "accuracy" not in found


def test_a_label_that_the_network_does_not_know_is_refused_before_any_work(question, slices, tmp_path):
    pd.DataFrame({"path": [str(slices / "cut.png")], "label": ["Lesion"]}).to_parquet(tmp_path / "list.parquet")
    with pytest.raises(DatasetError, match="has the label 'Lesion', which the network does not know; its classes are "):
        run_batch(replace(question, source=str(tmp_path / "list.parquet")), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_trust_run_holds_the_measures_of_each_image_alone(question, labelled, tmp_path):
    question = replace(question, source=str(labelled), make="trust", methods=("gradcam", "random"), seed=7)
    found, table = run_batch(question, tmp_path / "out").result, rows(tmp_path / "out")
    measured = table[table.method.notna()]
    assert measured.groupby("id").method.apply(list).tolist() == [["gradcam", "random"]] * (N - N_FAULTS)
    listed = pd.read_parquet(labelled).loc[2]
    [first, second] = table[table.id == listed.id].to_dict("records")
    seed = (7 + hash_of(first["id"])) % 2**31
    alone = measures_of(load_model(MODEL), read_image(listed.path), ("gradcam", "random"), seed=seed, with_sanity=False, has_lungs=True)
    for row, expected in zip((first, second), alone, strict=True):
        for name in MEASURES:
            assert (expected[name] is None and math.isnan(row[name])) or row[name] == pytest.approx(expected[name], abs=1e-6)
    [gradcam, _] = found["methods"]
    assert gradcam["faithfulness"] == pytest.approx(measured[measured.method == "gradcam"].faithfulness.mean(), abs=1e-4)
    assert found["n"] == N - N_FAULTS and gradcam["intervals"]["faithfulness"][0] <= gradcam["faithfulness"]


def test_an_index_finds_the_nearest_by_the_distances_of_sklearn(question, labelled, tmp_path):
    out = tmp_path / "out"
    run_batch(replace(question, source=str(labelled), make="index"), out)
    model, image = load_model(MODEL), make_phantom(99, size=96).image()
    table = rows(out)
    vectors = np.stack(table.embedding[table.embedding.notna()].to_numpy()).astype(np.float64)
    query = embed(model, PreparedInput.of(model, image).features)[0]
    centre = vectors.mean(axis=0)
    distances = pd.Series(cosine_distances((query - centre)[None], vectors - centre)[0], table.id[table.embedding.notna()]).sort_values()
    found = nearest(out, image, model, 5)
    assert [near.id for near in found] == list(distances.index[:5])
    np.testing.assert_allclose([near.distance for near in found], distances[:5], atol=1e-5)
    labels = pd.read_parquet(labelled).set_index("id").label.dropna().to_dict()
    assert [near.label for near in found] == [labels.get(near.id) for near in found]
    [itself, *_] = nearest(out, read_image(pd.read_parquet(labelled).path[0]), model, 1)
    assert itself.id == pd.read_parquet(labelled).id[0] and itself.distance == pytest.approx(0, abs=1e-3)


def test_a_shard_without_any_image_is_passed_over(question, slices, tmp_path):
    run_batch(replace(question, make="index", shard_size=1), tmp_path / "out")  # cut.png and none.png have shards of their own
    found = nearest(tmp_path / "out", read_image(slices / "patient-0" / "00.png"), load_model(MODEL), 20)
    assert len(found) == N_IMAGES - N_FAULTS and found[0].id.endswith("00.png")


def test_what_is_no_finished_index_of_the_network_is_refused(question, labelled, tmp_path):
    image, model = make_phantom(99, size=96).image(), load_model(MODEL)
    run_batch(question, tmp_path / "answers")
    with pytest.raises(OutputError, match="is no index"):
        nearest(tmp_path / "answers", image, model)
    run_batch(replace(question, make="index"), tmp_path / "index")
    with pytest.raises(OutputError, match="made by phantom-honest"):
        nearest(tmp_path / "index", image, load_model("phantom-honest-gate"))
    (tmp_path / "index" / RESULT).unlink()
    with pytest.raises(OutputError, match="is not finished"):
        nearest(tmp_path / "index", image, model)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"make": "dreams"}, "Unknown work of a batch 'dreams'; choose one of: answers, index, trust"),
        ({"make": "answers", "methods": ("gradcam",)}, "are for trust"),
        ({"make": "index", "show_anyway": True}, "leave --show-anyway out"),
        ({"make": "trust", "methods": ("attention",)}, "leave the method attention out"),
        ({"make": "trust", "methods": ("dreams",)}, "Unknown method"),
    ],
)
def test_what_makes_no_sense_is_refused_before_any_work(question, tmp_path, change, sentence):
    with pytest.raises(LungcadError, match=sentence):
        run_batch(replace(question, **change), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_rows_that_were_damaged_since_are_one_sentence(question, labelled, tmp_path):
    question = replace(question, source=str(labelled))
    run_batch(question, tmp_path / "out")
    path = tmp_path / "out" / ROWS / "000000.parquet"
    columns = pq.ParquetFile(path).metadata.row_group(0)
    [place] = [chunk.data_page_offset for chunk in map(columns.column, range(columns.num_columns)) if chunk.path_in_schema == "p:lesion"]
    data = bytearray(path.read_bytes())
    data[place : place + 8] = b"\xff" * 8
    path.write_bytes(data)
    with pytest.raises(OutputError, match=r"A file of rows in .* is damaged; take it out of the folder rows"):
        run_batch(question, tmp_path / "out", resume=True)
    path.unlink()
    assert run_batch(question, tmp_path / "out", resume=True).answered_now == 5


def test_the_commands(question, slices, labelled, tmp_path, monkeypatch, capsys):
    run = caller(monkeypatch, capsys)
    status, told, messages = run("batch", labelled, "--model", MODEL, "--out", tmp_path / "answers")
    assert status == 0 and "accuracy " in told and "labelled images count in no metric" in messages
    status, told, messages = run(
        "batch", labelled, "--model", MODEL, "--out", tmp_path / "trust", "--make", "trust", "--methods", "gradcam"
    )
    assert status == 0 and "gradcam, " in told and "only the first" in messages
    status, told, _ = run("batch", labelled, "--model", MODEL, "--out", tmp_path / "index", "--make", "index")
    assert status == 0 and "batch-nearest" in told
    status, told, _ = run("batch-nearest", slices / "patient-0" / "00.png", "--index", tmp_path / "index", "--n", 2, "--json")
    assert status == 0 and json.loads(told)[0]["id"] == "00.png" and len(json.loads(told)) == 2
    status, _, messages = run("batch-nearest", slices / "cut.png", "--index", tmp_path / "index")
    assert status == 2 and "damaged or cut short" in messages
