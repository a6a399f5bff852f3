"""Commands about what was measured: runs, trust."""

import json

from lungcad.evaluate.stores.runs import write_run
from tests.cli.conftest import MODEL
from tests.conftest import CLASSES


def test_runs_are_listed_shown_and_compared(run, tmp_path):
    from tests.evaluate.sample_runs import make_run

    for name, shift in (("plain", 0.0), ("attended", 2.0)):
        made = make_run(name, shift=shift, seed=len(name))
        write_run(tmp_path / name, made.facts | {"classes": list(made.classes), "protocol": "grouped", "network": name}, made.predictions)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_text("{")
    status, out, err = run("runs", "list", "--runs", tmp_path, "--json")
    assert status == 0 and [row["run"] for row in json.loads(out)] == ["attended", "plain"] and "broken is damaged" in err
    status, out, _ = run("runs", "show", "plain", "--runs", tmp_path, "--json")
    values = json.loads(out)
    assert status == 0 and values["metrics"]["accuracy"]["low"] <= values["metrics"]["accuracy"]["value"] and len(values["confusion"]) == 2
    status, out, _ = run("runs", "compare", "plain", "attended", "--runs", tmp_path, "--json")
    assert status == 0 and json.loads(out)[0]["metric"] == "accuracy" and json.loads(out)[0]["difference"] > 0
    assert run("runs", "gain", "plain", "attended", "--runs", tmp_path)[0] == 0
    assert (
        "ROC-AUC" in run("runs", "show", "plain", "--runs", tmp_path)[1]
        and "DeLong" in run("runs", "compare", "plain", "attended", "--runs", tmp_path)[1]
    )


def test_trust_prints_the_promised_json_and_keeps_a_run(run, png, tmp_path):
    for label in CLASSES:
        place = tmp_path / "data" / "test" / label
        place.mkdir(parents=True)
        (place / "a.png").write_bytes(png.read_bytes())
    common = ("trust", "--model", MODEL, "--data", tmp_path / "data", "--n", 2, "--out", tmp_path / "trust", "--methods")
    status, out, _ = run(*common, "gradcam,random", "--json")
    found = json.loads(out)
    wanted = {"method", "pointing_game", "energy_inside", "iou", "deletion_auc", "insertion_auc", "stability", "in_lung"}
    assert status == 0 and found["model"] == MODEL and found["n"] == 2 and wanted <= set(found["methods"][0])
    assert (tmp_path / "trust" / f"{MODEL}--chest-ct-scan" / "cases.parquet").exists()
    assert "2 cases" in run(*common, "random")[1]
    assert "Random map" in run("trust-tables", "--runs", tmp_path / "trust", "--write")[1] and (tmp_path / "trust" / "README.md").exists()
    assert run("trust-tables", "--runs", tmp_path / "trust", "--measure", "beauty")[0] == 2
