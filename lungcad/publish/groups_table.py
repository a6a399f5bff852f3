"""Whether groups of explanations find the shortcut of the networks that were made to cheat, as a table, from the shipped runs and indices alone."""

from dataclasses import dataclass
from pathlib import Path

from lungcad.datasets import DATASETS, is_made
from lungcad.datasets.phantoms.make import shortcut_carriers
from lungcad.errors import LungcadError
from lungcad.evaluate.groups_of_explanations import Group, adjusted_rand, groups
from lungcad.evaluate.scoring import ScoredCases
from lungcad.evaluate.stores.runs import list_runs, read_run
from lungcad.explain.neighbours import Index
from lungcad.models import list_cards
from lungcad.models.weights import last_layer
from lungcad.paths import INDEX, RUNS
from lungcad.publish.interval_text import interval_text


@dataclass(frozen=True, eq=False)
class GroupedRun:
    """groups: of the run's test cases. carriers: case -> whether the planted shortcut is in it, None where none is known of."""

    name: str
    shortcut: str | None
    groups: list[Group]
    carriers: dict[str, bool] | None

    @property
    def adjusted_rand(self) -> float | None:
        """Of the groups against the planted shortcut; None where none is known of."""
        return None if self.carriers is None else adjusted_rand(self.groups, self.carriers)

    def share_of_carriers(self, group: Group) -> float | None:
        """Share of the group's cases that carry the shortcut."""
        return None if self.carriers is None else sum(self.carriers[case] for case in group.cases) / len(group.cases)


def grouped_run(name: str, runs: Path = RUNS, index: Path = INDEX) -> GroupedRun:
    """Raises :class:`LungcadError` where the run's network has no index with the same weights."""
    run = read_run(name, runs)
    card = next((card for card in list_cards() if card.name == run.facts["network"]), None)
    if card is None or card.sha256 != run.facts.get("weights_sha256"):
        raise LungcadError(f"The run {name} was made with weights that are not shipped, so its cases cannot be grouped.")
    all_groups = groups(Index.read(card, index), ScoredCases(run).table, last_layer(card))
    shortcut = run.facts.get("shortcut")
    return GroupedRun(name, shortcut, all_groups, shortcut_carriers(run.test.case) if shortcut else None)


def runs_that_cheat(runs: Path = RUNS, index: Path = INDEX) -> list[str]:
    """Those of networks that were made to cheat and have an index."""
    return [name for name in list_runs(runs) if (index / f"{name}.npz").is_file() and read_run(name, runs).facts.get("shortcut")]


def runs_of_data_sets(runs: Path = RUNS, index: Path = INDEX) -> list[str]:
    """Of each data set that was not made up, the plain EfficientNet-Lite0's run: the one with the shortest name, if it has an index."""
    plain = [card for card in list_cards() if (card.backbone, card.attention, card.shortcut) == ("efficientnet_lite0", "none", None)]
    shortest: dict[str, str] = {}
    for card in sorted(plain, key=lambda card: len(card.name)):
        if card.dataset in DATASETS and not is_made(card.dataset):
            shortest.setdefault(card.dataset, card.name)
    there = set(list_runs(runs))
    return [name for name in sorted(shortest.values()) if name in there and (index / f"{name}.npz").is_file()]


def classes_of_groups_table(grouped: list[GroupedRun]) -> str:
    """Markdown: a row a group, with its true classes and how its accuracy differs from that of all other cases."""
    lines = ["| network | cases of the group | true classes | accuracy | less that of the others |", "|---|---|---|---|---|"]
    for each in grouped:
        for group in each.groups:
            classes = ", ".join(f"{name} {share:.0%}" for name, share in group.classes.items())
            accuracy, difference = (
                interval_text(value.value, (value.low, value.high), sign=sign) if value.low is not None and value.high is not None else "–"
                for value, sign in ((group.accuracy, ""), (group.difference, "+"))
            )
            lines.append(f"| `{each.name}` | {len(group.cases)} | {classes} | {accuracy} | {difference} |")
    return "\n".join(lines)


def groups_table(grouped: list[GroupedRun]) -> str:
    """Markdown: a row a run."""
    lines = [
        "| network | cheats by | test cases | groups | share that carries the shortcut, by group | adjusted Rand index |",
        "|---|---|---|---|---|---|",
    ]
    for each in grouped:
        shares = ", ".join(
            f"{len(group.cases)}: –" if (share := each.share_of_carriers(group)) is None else f"{share:.0%} of {len(group.cases)}"
            for group in each.groups
        )
        index = "–" if each.adjusted_rand is None else f"{each.adjusted_rand:.2f}"
        n = sum(len(group.cases) for group in each.groups)
        lines.append(f"| `{each.name}` | {each.shortcut or 'no known shortcut'} | {n} | {len(each.groups)} | {shares} | {index} |")
    return "\n".join(lines)
