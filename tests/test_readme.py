"""What the README says is what the files say."""

import json
import re
from pathlib import Path

import numpy as np

from lungcad.bench import ENTRIES, table
from lungcad.evaluate.tables import gain_table, protocols_table
from lungcad.evaluate.trust_tables import read_all, trust_readme, trust_table
from lungcad.models import list_cards
from lungcad.models.cards_readme import readme, results_table

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")


def test_the_tables_are_generated():
    assert results_table(list_cards()) in README
    assert protocols_table() in README and gain_table() in README
    assert table(json.loads((ROOT / "data" / "bench.json").read_text())) in README
    assert (ROOT / "weights" / "README.md").read_text("utf-8") == readme(list_cards())


def test_the_trust_tables_are_generated_from_the_runs():
    runs = read_all()
    for measure in ("faithfulness", "sanity", "energy_inside"):
        assert trust_table(measure, runs) in README
    assert (ROOT / "data" / "trust" / "README.md").read_text("utf-8") == trust_readme(runs)


def test_every_shipped_network_has_a_trust_run_of_a_hundred_cases_and_an_index():
    of = {(run.facts["model"], run.facts["data"]): run for run in read_all()}
    for card in list_cards():
        run = of[card.name, card.dataset]
        assert run.facts["n"] >= 100 and run.facts["weights_sha256"] == card.sha256 and {"random", "centre"} <= set(run.facts["methods"])
        with np.load(ROOT / "data" / "index" / f"{card.name}.npz", allow_pickle=False) as index:
            assert str(index["weights_sha256"]) == card.sha256 and len(index["cases"]) == card.n_train


def test_the_kept_benchmark_is_complete():
    rows = json.loads((ROOT / "data" / "bench.json").read_text())
    assert [row["name"] for row in rows] == list(ENTRIES)
    assert all({"name", "ours", "plain", "ratio", "unit"} <= set(row) for row in rows)


def test_exactly_two_commands_and_ci_runs_the_second():
    commands = re.findall(r"```bash\n(.*?)\n```", README, flags=re.DOTALL)
    assert len(commands) == 2
    assert "pip install -r requirements.txt" in commands[0] and "streamlit run streamlit_app.py" in commands[0]
    assert "pip install -r requirements-dev.txt" in commands[1] and commands[1].endswith("pytest")
    assert "README.md" in (ROOT / ".ci" / "run").read_text()


def test_pictures_and_files_named_in_the_readme_exist():
    for path in re.findall(r"\]\((?!http)([^)]+)\)", README):
        assert (ROOT / path).exists(), path


def test_requirements_are_pinned_and_read_by_pyproject():
    lines = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9\-]+==[\w.]+", line) for line in lines)
    assert 'file = ["requirements.txt"]' in (ROOT / "pyproject.toml").read_text()
    assert not any(line.startswith("opencv-python==") for line in lines)
