"""Runs on disk for the tests of this room."""

import pandas as pd
import pytest

from lungcad.evaluate.stores.runs import write_run
from tests.evaluate.sample_runs import CLASSES, prediction_table


@pytest.fixture
def runs_folder(tmp_path):
    facts = {"classes": CLASSES, "dataset": "lidc-nodules", "protocol": "grouped", "seed": 0}
    trivial = (
        prediction_table().query("split == 'test'")[["case"]].assign(baseline="majority class", **{"p:benign": 1.0, "p:malignant": 0.0})
    )
    write_run(tmp_path / "one", facts, prediction_table(), trivial, pd.DataFrame({"epoch": [0], "valid_auc": [0.5]}))
    write_run(tmp_path / "one-seed2", facts | {"seed": 2}, prediction_table(seed=2))
    return tmp_path
