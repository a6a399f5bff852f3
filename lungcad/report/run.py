"""One page about an evaluation run that an author can attach to a paper, and a reader can repeat by the commands printed on it."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from lungcad.datasets import DATASETS, class_title
from lungcad.evaluate.curves import reliability, roc
from lungcad.evaluate.metric import Level
from lungcad.evaluate.metric_table import metrics_of
from lungcad.evaluate.scoring import ScoredCases, baselines, flags, operating_points, report
from lungcad.evaluate.stores.known_without import read_known
from lungcad.evaluate.stores.runs import Run
from lungcad.names import printable
from lungcad.paths import WEIGHTS
from lungcad.publish.region_tables import no_lung_seen
from lungcad.report.document import Block, Code, Document, Facts, Picture, Pictures, Section, Table, Text, Tone
from lungcad.report.pictures import figure_png
from lungcad.report.provenance import today, versions
from lungcad.train.recipe import Recipe

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Okabe & Ito's, told apart by the colour-blind."""


RATES = ("sensitivity", "specificity", "PPV", "NPV")


def run_document(run: Run, *, date: str | None = None) -> Document:
    """Every number is computed from the run's stored predictions. Raises :class:`LungcadError` for a run whose cases cannot be scored."""
    scored = ScoredCases(run)
    flagged = flags(scored)
    opening: list[Block] = [Text(f"Before the numbers: {'; '.join(flagged)}.", Tone.WARNING)] if flagged else []
    sections = [
        Section("Metrics on the test part", _metrics(run, scored)),
        Section("Curves and errors", [_curves(run, scored), _confusion(run, scored), *_operating_points(run)]),
        Section("How it was made", [Facts(_facts(run))]),
        Section("How to repeat this", [Code(_commands(run))]),
    ]
    facts = run.facts
    subtitle = f"{facts['dataset']}, {facts.get('protocol')} protocol · {len(scored.labels)} test cases in {scored.n_groups} groups"
    return Document(f"Evaluation run {printable(run.name)}", subtitle, date or today(), sections, opening, one_page=True)


def _metrics(run: Run, scored: ScoredCases) -> list[Block]:
    columns: dict[str, Mapping[str, object]] = {"this run": scored.report}
    copies = run.test.copy_of_training
    if copies.any() and not copies.all():
        columns["without copies"] = report(run, without_copies=True)
    columns |= {f"trivial: {name}": values for name, values in baselines(run).items()}
    unseen = no_lung_seen(read_known(run.facts["dataset"]) if run.facts["dataset"] in DATASETS else None, run.classes)
    if unseen:
        columns["trivial: no lung seen"] = unseen
    rows = [
        (metric.name, *(str(values[metric.name]) if metric.name in values else "–" for values in columns.values()))
        for metric in metrics_of(Level.HEADLINE)
        if metric.name in scored.report
    ]
    note = (
        "Value [95 % bootstrap interval over groups]. Trivial baselines answer the same cases without looking at the disease; without "
        "copies: test images that copy a training image are left out."
    )
    if unseen:
        note += " No lung seen: a small head trained and tested on this set's slices without the lungs, on a split of its own."
    return [Table(("", *columns), rows, (1.3, *[1.5] * len(columns)), dense=True), Text(note, Tone.NOTE)]


def _curves(run: Run, scored: ScoredCases) -> Pictures:
    figure = Figure(figsize=(7.2, 2.2), dpi=200)
    left, right = figure.subplots(1, 2)
    for index, name in enumerate(run.classes):
        curve = roc(scored.labels == index, scored.probabilities[:, index])
        if curve is not None:
            left.plot(curve.x, curve.y, color=COLOURS[index % len(COLOURS)], linewidth=1.2, label=class_title(name))
    left.set(xlabel="1 - specificity", ylabel="sensitivity", title="ROC, each class against the rest")
    left.legend(fontsize=6, frameon=False)
    confidence, accuracy, _ = reliability(scored.labels, scored.probabilities)
    right.plot(confidence, accuracy, "o-", color=COLOURS[0], markersize=3, linewidth=1.2)
    right.set(xlabel="mean probability of the predicted class", ylabel="share answered rightly", title="Calibration")
    for axes in (left, right):
        axes.plot([0, 1], [0, 1], color="#8a8f94", linewidth=0.6, linestyle=":")
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
        axes.tick_params(labelsize=6)
        for text in (axes.xaxis.label, axes.yaxis.label, axes.title):
            text.set_fontsize(7)
    figure.tight_layout()
    return Pictures([Picture(figure_png(figure), "", "ROC curve of each class, and calibration of the most probable class")])


def _confusion(run: Run, scored: ScoredCases) -> Table:
    titles = [class_title(name) for name in run.classes]
    rows = [(f"truly {title}", *map(str, row)) for title, row in zip(titles, scored.counts, strict=True)]
    return Table(("answered:", *titles), rows, dense=True)


def _operating_points(run: Run) -> list[Block]:
    return [
        Text(
            f"{point['name']} (threshold {point['threshold']:.3f} on the probability of any class but {class_title(point['negative_class'])}, "
            f"chosen on validation): {', '.join(f'{metric} {value}' for metric, value in point['test'].items() if metric in RATES)}.",
            Tone.NOTE,
        )
        for point in operating_points(run)
    ]


def _facts(run: Run) -> Sequence[tuple[str, str]]:
    facts, dataset = run.facts, DATASETS.get(run.facts["dataset"])
    trained_on = f"seed {facts.get('seed')}" + (f", {facts['folds']} folds" if facts.get("folds") else "")
    if facts.get("n_train"):
        trained_on = f"{facts['n_train']} images, {trained_on}"
    rows = [
        ("Network", f"{facts.get('network')}: {facts.get('backbone')}, attention {facts.get('attention')}"),
        ("Data set", f"{dataset.title}, {dataset.publisher}, {dataset.licence}" if dataset else str(facts["dataset"])),
        ("Split", f"{facts.get('split')}"),
        ("Trained on", trained_on),
        ("Weights (SHA-256)", str(facts.get("weights_sha256") or "one network a fold; none is kept")),
        ("Made", f"{facts.get('date')}, lungcad {facts.get('code')}, {facts.get('machine')}"),
        ("This page", versions()),
    ]
    return [(name, printable(value)) for name, value in rows]


def _commands(run: Run) -> str:
    """What trains and tests it again, and what computes these numbers from the stored predictions."""
    name, recipe = printable(run.name), WEIGHTS / f"{run.recipe}.yaml"
    again = [f"python -m lungcad report run {name} --out FOLDER"]
    if recipe.is_file():
        words = [f"python -m lungcad train weights/{run.recipe}.yaml --data FOLDER"]
        plan = Recipe.read(recipe)
        if run.facts.get("folds"):
            words.append(f"--folds {run.facts['folds']}")
        if str(run.facts.get("protocol")) != str(plan.protocol):
            words.append(f"--protocol {run.facts['protocol']}")
        if run.facts.get("seed") not in (None, plan.seed):
            words.append(f"--seed {run.facts['seed']}")
        again.insert(0, " ".join(words))
    return "\n".join(again)
