"""``weights/README.md``, generated from the cards: never edit it by hand."""

from pathlib import Path

from lungcad.models.card import Estimate, ModelCard

_HEAD = """# Weights

Generated from the model cards (`*.json`) by `lungcad train` and by `python -m lungcad models --write-readme`; do not edit.

Each network is three files: `NAME.safetensors` (float16), `NAME.json` (its card) and `NAME.yaml` (the recipe that trained it:
`python -m lungcad train weights/NAME.yaml --data FOLDER`). The predictions behind the numbers are in `data/runs/NAME/`.

"""

_FIELDS = """
## What a card says

- `backbone`, `attention`, `classes`, `preprocess`: all that is needed to run the network as it was trained.
- `initialised_with`, `dataset`, `split`, `n_train`, `n_valid`, `seed`, `epochs_trained`, `best_epoch` (lowest validation loss).
- `temperature`: divides the logits; fitted on validation (Guo et al., 2017). Probabilities shown are softmax at it.
- `operating_point`: threshold on one minus the probability of the negative class, by Youden's J on validation.
- `test`: accuracy, macro F1, macro one-against-rest ROC-AUC and recall of each class on the published test part, each with
  a 95 % percentile bootstrap interval over images. There are no patient ids, so slices of one patient count as independent and the
  intervals are too narrow.
- `test_without_copies`: the same without the test images of which the published training part holds a copy.
- `limits`, `licence`, `trained_on`, `run`, `sha256` (checked on every load).
"""


def results_table(cards: list[ModelCard]) -> str:
    """Markdown table: one row a network, values with 95 % intervals."""
    lines = [
        "| network | attention | test accuracy | macro F1 | ROC-AUC | accuracy without copies | started from |",
        "|---|---|---|---|---|---|---|",
    ]
    for card in cards:
        tested, kept = card.test, card.test_without_copies
        cells = [_cell(tested.accuracy), _cell(tested.macro_f1), _cell(tested.auc), _cell(kept.accuracy)] if tested and kept else ["–"] * 4
        lines.append(f"| `{card.name}` | {card.attention} | {' | '.join(cells)} | {card.initialised_with.split(' (')[0]} |")
    return "\n".join(lines)


def recall_table(cards: list[ModelCard]) -> str:
    """Markdown table: recall of each class on the published test part."""
    classes = cards[0].classes
    lines = [f"| network | {' | '.join(classes)} |", "|---" * (len(classes) + 1) + "|"]
    for card in cards:
        if card.test and card.classes == classes:
            lines.append(f"| `{card.name}` | {' | '.join(_cell(card.test.recall[name]) for name in classes)} |")
    return "\n".join(lines)


def write_readme(folder: Path, cards: list[ModelCard]) -> None:
    (folder / "README.md").write_text(readme(cards), "utf-8")


def readme(cards: list[ModelCard]) -> str:
    return f"{_HEAD}{results_table(cards)}\n\nRecall on the published test part:\n\n{recall_table(cards)}\n{_FIELDS}"


def _cell(estimate: Estimate) -> str:
    return "–" if estimate.value is None else f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"
