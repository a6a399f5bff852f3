import re

import pytest

from lungcad.evaluate.stores.runs import write_run
from lungcad.publish.run_tables import gain_table, protocols_table
from tests.evaluate.sample_runs import make_run


@pytest.fixture
def root(tmp_path):
    """A pair under two seeds, and the baseline under the published protocol."""
    for name, attention, protocol, seed, shift in (
        ("net", "none", "grouped", 0, 0.0),
        ("net-seed1", "none", "grouped", 1, 0.0),
        ("net-soft", "soft", "grouped", 0, 1.0),
        ("net-soft-seed1", "soft", "grouped", 1, 1.0),
        ("net-published", "none", "published", 0, 2.0),
    ):
        made = make_run(name, shift=shift, seed=seed)
        facts = made.facts | {
            "classes": list(made.classes),
            "network": name,
            "attention": attention,
            "protocol": protocol,
            "backbone": "resnet18",
        }
        trivial = made.predictions[["case"]].assign(baseline="grey histogram", **{"p:benign": 0.9, "p:malignant": 0.1})
        write_run(tmp_path / name, facts | {"seed": seed}, made.predictions, trivial)
    return tmp_path


def test_one_row_a_run_without_repetitions(root):
    lines = protocols_table(root).splitlines()[2:]
    assert [re.findall(r"`([^`]+)` \| (\w+)", line)[0] for line in lines] == [
        ("net", "grouped"),
        ("net", "published"),
        ("net-soft", "grouped"),
    ]
    assert all("(grey histogram)" in line and "60 (20)" in line for line in lines)


def test_a_pair_is_compared_over_the_seeds_it_shares(root):
    (line,) = gain_table(root).splitlines()[2:]
    assert line.startswith("| `net` | `net-soft` | grouped | 2 | +0.") and line.count("[") == 3


def test_no_runs_make_empty_tables(tmp_path):
    assert len(protocols_table(tmp_path).splitlines()) == 2 and len(gain_table(tmp_path).splitlines()) == 2
