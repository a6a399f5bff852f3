"""What the README says is what the files say."""

import re
from pathlib import Path

import numpy as np
from packaging.requirements import Requirement

from lungcad.bench.report import bench_readme
from lungcad.bench.run import read_rows
from lungcad.bench.table import ENTRIES
from lungcad.cli.taught import measured
from lungcad.datasets import CHEST_CT_SCAN, IQ_OTH_NCCD, LC25000, is_made
from lungcad.datasets.stored_audits import read_stored_audit
from lungcad.evaluate.copy_marks import accuracy_by_copies
from lungcad.evaluate.scoring import report
from lungcad.evaluate.stores.gates import read_gate_tests
from lungcad.evaluate.stores.inside_marks import read_marks
from lungcad.evaluate.stores.known_without import list_known
from lungcad.evaluate.stores.mended import list_mended
from lungcad.evaluate.stores.region_runs import read_region_runs
from lungcad.evaluate.stores.runs import read_run
from lungcad.evaluate.stores.trained_without import list_trained
from lungcad.evaluate.stores.trust_runs import read_trust_runs
from lungcad.evaluate.stores.truth import read_truth
from lungcad.evaluate.truth.networks import KNOWN_NETWORKS
from lungcad.explain import METHODS
from lungcad.explain.trust.thresholds import thresholds_in_use
from lungcad.models import list_cards
from lungcad.models.partner import partner_of
from lungcad.paths import RUNS, TAUGHT
from lungcad.publish.cards_readme import readme, results_table
from lungcad.publish.gate_tables import gate_readme, with_gate
from lungcad.publish.interval_text import with_interval
from lungcad.publish.region_tables import regions_readme, with_regions
from lungcad.publish.run_tables import runs_readme
from lungcad.publish.taught_tables import taught_readme
from lungcad.publish.trust_tables import trust_readme
from lungcad.publish.truth_tables import truth_readme

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")


def of_patients():
    """The networks of known truth, trained on made-up slices, are marked in data/truth instead; their gate needs no fit."""
    return [card for card in list_cards() if not is_made(card.dataset)]


def test_the_tables_are_generated():
    assert results_table(of_patients()) in README
    assert (ROOT / "data" / "runs" / "README.md").read_text("utf-8") == runs_readme()
    assert (ROOT / "data" / "bench.md").read_text("utf-8") == bench_readme(read_rows(ROOT / "data" / "bench.json"))
    assert len(README.splitlines()) <= 150
    assert (ROOT / "weights" / "README.md").read_text("utf-8") == readme(list_cards())


def test_what_the_readme_says_of_turned_copies_follows_from_the_audit_and_the_runs():
    found = read_stored_audit(LC25000).audit
    tiles = sum(map(len, found.duplicate_groups))
    assert f"of {found.n_images} tiles" in README
    assert f"now finds {len(found.copy_pairs)}, with {tiles} tiles in {len(found.duplicate_groups)} groups" in README
    parts = [accuracy_by_copies(read_run(name)) for name in ("lc-efficientnet-lite0-unturned", "lc-efficientnet-lite0-soft-unturned")]
    (copies, others) = ([part[name] for part in parts] for name in ("copies of training images", "the others"))
    assert f"{copies[0][0]} of its {copies[0][0] + others[0][0]} test tiles" in README and f"the other {others[0][0]} tiles" in README
    for side in (copies, others):
        assert f"{side[0][1].value:.3f} and {side[1][1].value:.3f}" in README
    for name in ("lc-efficientnet-lite0", "lc-efficientnet-lite0-soft"):
        run = read_run(name)
        assert (
            not run.test.copy_of_training.any()
            and str(report(run)["accuracy"]) in README.partition("trained anew on groups of all copies")[2]
        )


def test_what_the_readme_says_of_leaks_follows_from_the_audits_the_run_and_the_index():
    found, name = read_stored_audit(CHEST_CT_SCAN).audit, "chest-efficientnet-lite0"
    tested = read_run(name).test
    with np.load(ROOT / "data" / "index" / f"{name}.npz", allow_pickle=False) as index:
        trained = set(map(str, index["cases"]))
    pairs = [(pair["first"], pair["second"]) for pair in found.copy_pairs if pair["counts_as_leak"]]
    copies = {one for pair in pairs for one, other in (pair, pair[::-1]) if other in trained}
    of_class = tested[tested.case.isin(copies)].label.value_counts()
    assert (
        f"{of_class.sum()} of its {len(tested)} test slices ({of_class['normal']} normal, {of_class['large.cell.carcinoma']} large cell, "
        f"{of_class['squamous.cell.carcinoma']} squamous, {of_class['adenocarcinoma']} adenocarcinoma) have one" in README
    )
    n_copies = int(tested.copy_of_training.sum())
    assert f"; {n_copies}, not 37, copy the published training part" in README and f"leaves all {n_copies} out" in README
    normal = next(leak.share for leak in found.leaks if (leak.split, leak.label) == ("test", "normal"))
    assert round(10 * normal) == 9 and "nine in ten normal test slices are copies of training slices" in README
    assert 0.8 < read_stored_audit(IQ_OTH_NCCD).audit.leak_share["test"] < 0.9 and "more than four in five test slices" in README


def test_the_trust_tables_are_generated_from_the_runs():
    runs = read_trust_runs()
    assert (ROOT / "data" / "trust" / "README.md").read_text("utf-8") == trust_readme(runs, [card.name for card in of_patients()])


def test_the_tables_of_taught_attention_are_generated_from_its_rows_and_runs():
    assert (TAUGHT / "README.md").read_text("utf-8") == taught_readme(*measured(TAUGHT, RUNS))


def test_the_tables_of_the_gates_are_generated_from_their_tests():
    assert (ROOT / "data" / "gate" / "README.md").read_text("utf-8") == gate_readme(read_gate_tests())
    assert all(card == with_gate(card) and card.gate for card in of_patients())


TAUGHT_GATE = "lidc-efficientnet-lite0-taught"


def test_what_the_readme_says_of_the_heat_maps_follows_from_the_runs():
    """The bullets of CONTRIBUTING on heat maps. Clear: the interval lies wholly above the other's."""

    def clear(one, other) -> bool:
        return one.low > other.high

    runs = {(run.facts["model"], run.facts["data"]): run.summary for run in read_trust_runs()}
    faithful = {key: {method: values["faithfulness"] for method, values in found.items()} for key, found in runs.items()}
    cams = [name for name, entry in METHODS.items() if name.endswith(("cam", "cam++")) and "layer" in entry.takes]
    masks = []
    for card in (card for card in of_patients() if (card.name, card.dataset) in runs):
        found, sane = faithful[card.name, card.dataset], runs[card.name, card.dataset]
        if card.dataset == "iq-oth-nccd":
            assert not any(clear(found[cam], found["centre"]) for cam in cams if cam in found)
        else:
            assert all(clear(found[method], found["random"]) for method in ("gradcam", "hirescam"))
            assert clear(found["centre"], found["random"]) == (card.dataset != "lc25000")
            assert sane["gradcam"]["sanity"].value < 0.3 and sane["gradcam++"]["sanity"].value > 0.4
        if card.attention != "none":
            partner = faithful.get((partner_of(card, list_cards()).name, card.dataset))
            assert partner is None or not clear(found["gradcam"], partner["gradcam"])
            masks += [card.name] * clear(found["attention"], found["gradcam"])
        if card.dataset == "lidc-nodules":
            inside = {method: values["energy_inside"].value for method, values in sane.items()}
            most = "attention" if card.name == TAUGHT_GATE else "integrated-gradients"
            assert max(inside, key=inside.get) == most and all(inside[cam] < 0.1 for cam in cams if cam in inside)
    assert masks == ["iq-mobilenetv2-soft"]
    taught = faithful[TAUGHT_GATE, "lidc-nodules"]
    assert clear(taught["attention"], taught["random"])
    losses = [row for row in measured(TAUGHT, RUNS)[0]["differences"] if row["second"] == "taught gate" and row["metric"] == "ROC-AUC"]
    assert len(losses) == 2 and all(abs(row["difference"]) < 0.002 and row["low"] < 0 < row["high"] for row in losses)
    soft = faithful["iq-mobilenetv2-soft", "iq-oth-nccd"]
    assert not any(clear(value, soft["random"]) for value in soft.values())
    lidc = faithful["lidc-efficientnet-lite0-soft", "lidc-nodules"]
    assert clear(lidc["random"], lidc["attention"])
    slices = [found for (_, data), found in runs.items() if data == "lidc-dicom"]
    assert len(slices) == 12
    for found in slices:
        inside = {method: values["energy_inside"] for method, values in found.items()}
        assert not any(clear(value, inside["random"]) and clear(value, inside["centre"]) for value in inside.values())


def test_what_is_left_without_the_lungs_is_generated_from_the_runs():
    runs = read_region_runs()
    assert (ROOT / "data" / "regions" / "README.md").read_text("utf-8") == regions_readme(
        runs, list_known(), list_mended(), list_trained(), list_cards(), read_marks()
    )
    cards = {card.name: card for card in of_patients()}
    assert all(card == with_regions(card, runs) for card in cards.values())
    assert all(run.facts["weights_sha256"] == cards[run.facts["model"]].sha256 for run in runs)
    said = README.partition("be told without a lung in the picture")[2].partition("\n")[0]
    for name in ("iq-efficientnet-lite0-soft", "chest-efficientnet-lite0", "lidc-efficientnet-lite0"):
        found = cards[name].without
        assert f"`{name}`" in said and all(str(value) in said for value in (found.without, found.whole))
        assert f"{found.most_frequent:.3f}" in said
        if cards[name].dataset == "lidc-nodules":  # no better than the commonest class without the nodule
            assert found.without.low <= found.most_frequent
        else:  # far better than the commonest class without a lung
            assert found.without.low > found.most_frequent
    trained = next(each for each in list_trained() if each.facts["dataset"] == "chest-ct-scan")
    assert all(with_interval(row, "accuracy") in said for row in trained.rows) and f"of {trained.rows[0]['n']} such test slices" in said
    assert ("one seed" in said) == (len(trained.facts["seeds"]) == 1)


def test_every_shipped_network_has_an_index_and_a_trust_run_of_a_hundred_cases_or_is_said_to_have_none():
    of = {(run.facts["model"], run.facts["data"]): run for run in read_trust_runs()}
    not_measured = (ROOT / "data" / "trust" / "README.md").read_text("utf-8").partition("Not measured yet:")[2].partition("\n")[0]
    for card in of_patients():
        run = of.get((card.name, card.dataset))
        assert (run is None) == (f"`{card.name}`" in not_measured)
        assert run is None or (
            run.facts["n"] >= 100 and run.facts["weights_sha256"] == card.sha256 and {"random", "centre"} <= set(run.facts["methods"])
        )
        with np.load(ROOT / "data" / "index" / f"{card.name}.npz", allow_pickle=False) as index:
            assert str(index["weights_sha256"]) == card.sha256 and len(index["cases"]) == card.n_train


def test_the_kept_benchmark_is_complete_or_says_what_is_missing():
    """What has not been measured is said."""
    measured = [row["name"] for row in read_rows(ROOT / "data" / "bench.json")]
    missing = [name for name in ENTRIES if name not in measured]
    assert measured == [name for name in ENTRIES if name in measured]
    assert all(f"`{name}`" in (ROOT / "data" / "bench.md").read_text("utf-8").partition("Not measured yet")[2] for name in missing)


def test_exactly_two_commands_and_ci_runs_the_second():
    commands = re.findall(r"```bash\n(.*?)\n```", README, flags=re.DOTALL)
    assert len(commands) == 2
    assert "pip install -r requirements.txt" in commands[0] and "streamlit run streamlit_app.py" in commands[0]
    assert "pip install -r requirements-dev.txt" in commands[1] and " -m pytest" in commands[1]
    assert "README.md" in (ROOT / ".ci" / "run").read_text()


def test_pictures_and_files_named_in_the_readme_exist():
    for path in re.findall(r"\]\((?!http)([^)]+)\)", README):
        assert (ROOT / path).exists(), path


def test_the_cpu_build_is_of_the_versions_that_are_required():
    command = re.search(r"pip install (torch\S+) (torchvision\S+) --index-url https://download\.pytorch\.org/whl/cpu", README)
    required = (ROOT / "requirements.txt").read_text().splitlines()
    assert command and set(command.groups()) <= set(required)
    for pinned in command.groups():  # pip takes the CPU build, say 2.14.1+cpu, for what is asked for
        requirement = Requirement(pinned)
        assert requirement.specifier.contains(f"{requirement.specifier}+cpu".removeprefix("=="))


def test_requirements_are_pinned_and_read_by_pyproject():
    lines = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9\-]+==[\w.]+", line) for line in lines)
    assert 'file = ["requirements.txt"]' in (ROOT / "pyproject.toml").read_text()
    assert not any(line.startswith("opencv-python==") for line in lines)


def test_the_marks_of_the_checks_are_generated_and_of_the_weights_that_are_shipped():
    facts = read_truth()
    assert (ROOT / "data" / "truth" / "README.md").read_text("utf-8") == truth_readme(facts)
    shipped = {card.name: card.sha256 for card in list_cards() if is_made(card.dataset)}
    assert facts["weights_sha256"] == shipped and facts["n"] >= 200 and set(shipped) == set(KNOWN_NETWORKS)
    assert facts["thresholds"] == thresholds_in_use()
    assert {card.name: card.shortcut for card in list_cards() if is_made(card.dataset)} == {
        name: known.shortcut for name, known in KNOWN_NETWORKS.items()
    }
    sizes = sum((ROOT / "weights" / f"{name}.safetensors").stat().st_size for name in shipped)
    assert sizes < 40e6
