"""What a network's repetitions under other seeds reach on the same test part: the spread that training alone makes."""

from collections.abc import Sequence
from pathlib import Path

from lungcad.evaluate.metric_table import summarise
from lungcad.evaluate.scoring import tested_cases
from lungcad.evaluate.stores.runs import Run, list_runs, read_seeds
from lungcad.models.card import ModelCard
from lungcad.paths import RUNS


def with_seeds(card: ModelCard, runs: Path = RUNS) -> ModelCard:
    """The card with the test metrics of every seed, its own among them; without, where its run has no repetition."""
    seeds = read_seeds(card.name, runs) if card.name in list_runs(runs) else []
    found = {str(run.facts["seed"]): _values(run) for run in seeds} if len(seeds) > 1 else {}
    return card.model_copy(update={"test_by_seed": found})


def _values(run: Run) -> dict[str, float | None]:
    tested = tested_cases(run)
    result = summarise(run.labels(tested), run.probabilities(tested), run.classes, groups=tested.group.to_numpy())
    return {name: estimate.value for name, estimate in result.metrics_by_key.items()}


def seeds_table(cards: Sequence[ModelCard]) -> str:
    """Markdown table: of each network with repetitions every seed's metrics, that of the shipped one in bold."""
    names = list(dict.fromkeys(name for card in cards for values in card.test_by_seed.values() for name in values))
    lines = [f"| network | seeds | {' | '.join(names)} |", "|---" * (len(names) + 2) + "|"]
    for card in cards:
        if card.test_by_seed:
            cells = [
                ", ".join(_cell(values.get(name), is_shipped=seed == str(card.seed)) for seed, values in card.test_by_seed.items())
                for name in names
            ]
            lines.append(f"| `{card.name}` | {', '.join(card.test_by_seed)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(value: float | None, *, is_shipped: bool) -> str:
    text = "–" if value is None else f"{value:.3f}"
    return f"**{text}**" if is_shipped else text
