"""What is left of the networks' answers without the lungs, as tables, from the runs in ``data/regions`` alone."""

from collections.abc import Mapping, Sequence
from typing import Any

from lungcad.datasets import DATASETS
from lungcad.estimate import Estimate
from lungcad.evaluate.regions.rows import ALL
from lungcad.evaluate.stores.known_without import KnownWithout
from lungcad.evaluate.stores.mended import Mended
from lungcad.evaluate.stores.region_runs import RegionRun
from lungcad.imaging.fills import FILLS
from lungcad.imaging.regions import REGIONS
from lungcad.models.card import ModelCard, WithoutResult
from lungcad.publish.inside_marks import inside_marks_section
from lungcad.publish.interval_text import Row, difference_with_interval, with_interval
from lungcad.publish.mended_tables import mended_section

HEADLINE = {False: ("no-lungs", "no-chest", "lungs", "outline"), True: ("no-nodule", "no-nodule-wide", "nodule", "contour")}
"""Regions of the first table: of slices, and of nodule crops."""
OTHER_SURROUNDINGS = "in another class's surroundings"


def region_title(name: str) -> str:
    """For people."""
    return "as it is" if name == ALL else REGIONS[name].title if name in REGIONS else name


def fill_title(name: str) -> str:
    """For people; nothing for the images as they are."""
    return FILLS[name].title if name in FILLS else name


def least_strange(run: RegionRun, region: str) -> Row | None:
    """The row of the region whose fill is least strange to the network; None where the run lacks it. Without a gate the first fill's."""
    rows = [row for row in run.rows if row["region"] == region]
    return next((row for row in rows if row["least_strange"]), rows[0] if rows else None)


def put_in(run: RegionRun, region: str) -> Row | None:
    """The row of the region with another class's tissue put in; None where the run lacks it."""
    return next((row for row in run.rows if row["region"] == region and row["answers_follow"] is not None), None)


def headline_table(runs: Sequence[RegionRun], *, crops: bool = False) -> str:
    """Markdown: accuracy as it is, under the least strange fill of each region, and with another class's tissue put in, a row a network."""
    names = HEADLINE[crops]
    what = "nodule" if crops else "lungs"
    lines = [
        f"| data set | network | n | as it is | {' | '.join(map(region_title, names))} | with another class's {what} | {OTHER_SURROUNDINGS} | commonest class |",
        "|---" * (7 + len(names)) + "|",
    ]
    for run in runs:
        if is_of_crops(run) is not crops:
            continue
        rows = [run.rows[0], *(least_strange(run, name) for name in names), put_in(run, names[0]), put_in(run, names[2])]
        cells = [with_interval(row, "accuracy") if row else "–" for row in rows]
        lines.append(
            f"| {run.facts['data']} | `{run.facts['model']}` | {run.facts['n']} | {' | '.join(cells)} | {commonest_class(run):.3f} |"
        )
    return "\n".join(lines)


def known_table(known: KnownWithout) -> str:
    """Markdown: what a small head knows of the data set, a row for what it was shown in training and test alike."""
    lines = ["| what is seen | n (groups) | accuracy | macro F1 | macro F1, difference | recall |", "|---" * 6 + "|"]
    for row in known.rows:
        recall = ", ".join(f"{name} {value:.2f}" for name, value in row["recall"].items() if value is not None)
        difference = "" if row is known.rows[0] else difference_with_interval(row, "macro_f1")
        lines.append(
            f"| {region_title(row['seen'])} | {row['n']} ({row['groups']}) | {with_interval(row, 'accuracy')} | {with_interval(row, 'macro_f1')} "
            f"| {difference} | {recall} |"
        )
    return "\n".join(lines)


def trained_words(trained: KnownWithout) -> str:
    """What was trained how, in three sentences."""
    facts, see = trained.facts, trained.rows[-1]["seen"]
    return (
        f"The whole recipe of {facts['recipe'].removesuffix('-' + see)}, trained and tested on slices {region_title(see)}, {_seeds(facts['seeds'])}; "
        f"{facts['how']}; {facts['left_out']} slices left out, whose lungs were not found for certain. As it is: the same recipe on whole slices, "
        f"{_seeds(facts['whole_seeds'])}, asked about the same test cases when it had not trained on them. Numbers of several seeds are their mean; intervals are "
        "over groups of test cases, not over seeds."
    )


def _seeds(seeds: Sequence[int]) -> str:
    return f"seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}"


def trained_section(trained: KnownWithout) -> str:
    """A section of ``data/regions/README.md``."""
    facts = trained.facts
    recipe, folds = facts["recipe"], f" --folds {facts['folds']}" if facts["folds"] else ""
    return (
        f"### With a whole recipe: `{recipe}`\n\n{trained_words(trained)} `python -m lungcad train data/regions/trained/{recipe}.yaml --runs data/regions/trained "
        f"--out runs/{recipe}{folds}` makes it anew, with `--seed SEED` for another seed than the recipe's; as it is: "
        f"{', '.join(f'`data/runs/{name}`' for name in facts['whole_runs'])}.\n\n{known_table(trained)}\n{_by_seed(trained)}"
    )


def _by_seed(trained: KnownWithout) -> str:
    if len(trained.facts["seeds"]) == 1:
        return ""
    words = [f"{region_title(row['seen'])} {', '.join(f'{value:.3f}' for value in row['by_seed']['macro_f1'])}" for row in trained.rows]
    return f"\nMacro F1 by seed: {'; '.join(words)}.\n"


def region_table(run: RegionRun) -> str:
    """Markdown: a row a region and fill of one run."""
    lines = [
        "| what is seen | filled with | n | accuracy | macro F1 | ROC-AUC | macro F1, difference | answers kept | become the class put in | unlike training |",
        "|---" * 10 + "|",
    ]
    for row in run.rows:
        star = " *" if row["least_strange"] else ""
        difference = "" if row["region"] == ALL else difference_with_interval(row, "macro_f1")
        unlike = "–" if row["unlike"] is None else f"{row['unlike']:.2f}"
        cells = [with_interval(row, name) for name in ("accuracy", "macro_f1", "auc")]
        kept, follow = with_interval(row, "answers_kept"), with_interval(row, "answers_follow")
        lines.append(
            f"| {region_title(row['region'])} | {fill_title(row['fill'])}{star} | {row['n']} | {' | '.join(cells)} | {difference} | {kept} | {follow} | {unlike} |"
        )
    return "\n".join(lines)


def left_out(run: RegionRun) -> str:
    """What the run left out, and why; empty where nothing was."""
    return "; ".join(
        f"{each['n']}{'' if each['region'] == ALL else ' of “' + region_title(each['region']) + '”'}: {each['why'].removesuffix('.')}"
        for each in run.facts["left_out"]
    )


def commonest_class(run: RegionRun) -> float:
    """Share of its commonest class: what always naming that would be right on."""
    return float(run.cases[run.cases.region == ALL].label.value_counts(normalize=True).iloc[0])


def no_lung_seen(known: KnownWithout | None, classes: Sequence[str]) -> dict[str, str]:
    """Metric -> what a small head reaches that never saw a lung; empty where that was not measured for these classes."""
    if known is None or sorted(known.facts["classes"]) != sorted(classes):
        return {}
    row = next((row for row in known.rows if row["seen"] == "no-lungs"), None)
    names = {"accuracy": "accuracy", "macro F1": "macro_f1", "ROC-AUC": "auc"}
    return {} if row is None else {title: with_interval(row, name) for title, name in names.items()}


def is_of_crops(run: RegionRun) -> bool:
    """Whether its images are crops around a nodule."""
    dataset = DATASETS.get(run.facts["data"])
    return dataset is not None and dataset.crop_side is not None


def with_regions(card: ModelCard, runs: Sequence[RegionRun]) -> ModelCard:
    """The card with what is left of its accuracy without the lungs; without, where no run with these weights over its own data set is among ``runs``."""
    of_card = {"model": card.name, "data": card.dataset, "weights_sha256": card.sha256}
    run = next((run for run in runs if of_card.items() <= run.facts.items()), None)
    if run is None:
        return card.model_copy(update={"without": None})
    names = ("no-nodule", "nodule") if is_of_crops(run) else ("no-lungs", "lungs")
    rows = [run.rows[0], *(least_strange(run, name) for name in names)]
    if None in rows:
        return card.model_copy(update={"without": None})
    whole, without, alone = (
        Estimate(value=row["accuracy"], low=row["intervals"]["accuracy"][0], high=row["intervals"]["accuracy"][1])
        for row in rows
        if row is not None
    )
    what = "the nodule" if is_of_crops(run) else "the lungs"
    result = WithoutResult(
        n=run.rows[0]["n"], what=what, whole=whole, without=without, alone=alone, most_frequent=round(commonest_class(run), 4)
    )
    return card.model_copy(update={"without": result})


def regions_readme(
    runs: Sequence[RegionRun],
    known: Sequence[KnownWithout] = (),
    mended: Sequence[Mended] = (),
    trained: Sequence[KnownWithout] = (),
    cards: Sequence[ModelCard] = (),
    inside_marks: Mapping[str, Any] | None = None,
) -> str:
    """``data/regions/README.md``. inside_marks: of :mod:`lungcad.publish.inside_marks`."""
    definitions = [f"- **{region.title}** (`{name}`): {region.what}" for name, region in REGIONS.items()]
    fills = [f"- **{fill.title}** (`{name}`): {fill.what}" for name, fill in FILLS.items()]
    parts = [
        "# Without the lungs: what the networks' answers rest on\n\nGenerated by `python -m lungcad regions-tables --write` from the runs in this folder; do not "
        "edit. `python -m lungcad regions --model NAME --data NAME` makes a run anew. The same network, its weights as shipped, on its own test cases with a "
        "region of the picture taken away; value [95 % bootstrap interval over groups].\n",
        f"## Accuracy under the fill that is least strange to the network\n\n{headline_table(runs)}\n\n{headline_table(runs, crops=True)}\n\n"
        "A changed image is a strange image, and a fall may be the network's surprise: compare with “unlike training” below, the share of the images beyond the "
        "distance from which the network's gate warns (5 % of validation images). What does *not* fall needs no such doubt: there the answer did not need what was "
        "taken away. Another class's tissue is evidence of its own, so it is never the least strange fill here and has a column to itself.\n\n"
        "LC25000 has no table: its microscope tiles show neither lungs nor a nodule with something around it, so there is no region to take away.\n",
        *(
            f"## How much of {DATASETS[each.facts['dataset']].title} can be known without the lungs\n\nA logistic regression on frozen ImageNet features "
            f"(EfficientNet-Lite0), trained and tested on what is left of the slices (`python -m lungcad regions-known --data {each.facts['dataset']}`); "
            f"{each.facts['how']}; {each.facts['left_out']} slices left out, whose lung field is not to be trusted. The fit has no random part.\n\n"
            f"{known_table(each)}\n"
            + "".join(f"\n{trained_section(one)}" for one in trained if one.facts["dataset"] == each.facts["dataset"])
            for each in known
        ),
        *(mended_section(each, runs, cards) for each in mended),
        *([inside_marks_section(inside_marks)] if inside_marks else []),
        "## Regions\n\n"
        + "\n".join(definitions)
        + "\n\nSlices whose lung field is not to be trusted are left out and counted. The changed image is seen through "
        "the crop of the whole one.\n\n## Fills\n\n"
        + "\n".join(fills)
        + "\n\n*: the least strange fill of the region, among those that put in nothing of another class.\n",
    ]
    for run in runs:
        drawn = run.facts["n"] + sum(each["n"] for each in run.facts["left_out"] if each["region"] == ALL)
        made = f"`python -m lungcad regions --model {run.facts['model']} --data {run.facts['data']} --n {drawn} --seed {run.facts['seed']}`"
        left = f"Left out: {left_out(run) or 'none'}.".replace("..", ".")
        parts.append(f"## `{run.facts['model']}` on {run.facts['data']}\n\n{region_table(run)}\n\n{left} Made by {made}.\n")
    return "\n".join(parts)
