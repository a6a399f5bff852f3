"""``weights/README.md``, generated from the cards: never edit it by hand."""

from pathlib import Path

from lungcad.datasets import is_made
from lungcad.evaluate.metric import Level
from lungcad.evaluate.metric_table import metrics_of
from lungcad.files import write_whole
from lungcad.models.card import Inputs, ModelCard
from lungcad.models.complexity import complexity_of
from lungcad.publish.seeds import seeds_table

_HEAD = """# Weights

Generated from the model cards (`*.json`) by `lungcad train` and by `python -m lungcad models --write-readme`; do not edit.

Each network is three files: `NAME.safetensors` (float16), `NAME.json` (its card) and `NAME.yaml` (the recipe that trained it:
`python -m lungcad train weights/NAME.yaml --data FOLDER`). The predictions behind the numbers are in `data/runs/NAME/`.

"""

_MADE = """## Networks of known truth

Trained on made-up slices, some of them to cheat. What they use is known, so methods and checks are marked on them
([`data/truth/README.md`](../data/truth/README.md)). Numbers on test slices made like those of their training: a cheater's are high. They answer made-up slices only.

"""

_SEEDS = "Test metrics of the same recipe under each seed; in bold the one that is shipped, seed 0 of every recipe, which was not chosen by its test numbers."

_SHOWN = {
    "photographs in colour", "photographs in grey", "photographs in grey, 128×128", "white noise", "black, white, one grey", "text", "nodule crops",
    "whole CT slices", "whole slices reduced to 128×128", "LC25000 tiles", "CT slices and crops", "phantoms made by lungcad",
    "own test images, turned by 90°", "the other set of CT slices",
}  # fmt: skip
"""Kinds of pictures in the table of gates."""

_FIELDS = """
## What a card says

- `backbone`, `attention`, `inputs`, `classes`, `preprocess`: all that is needed to run the network as it was trained.
- `complexity`: parameters, FLOPs of one forward pass of one image, and the shares that attention adds (counted by `torch.utils.flop_counter`).
- `base`: where the file holds only what was trained, the package or shipped network that carries the rest, and the sha256 of that (checked on every load).
- `swapped_surroundings`: share of the augmented training images whose lungs were put into the surroundings of another class's patient.
- `shortcut`: planted in one class of its (made-up) training set, so that it learnt to cheat by it.
- `concepts`: what its head rates in the readers' words; its answer is their sum (`python -m lungcad concepts` holds them to the readers).
- `initialised_with`, `dataset`, `task`, `protocol`, `split`, `n_train`, `n_valid`, `seed`, `epochs_trained`, `best_epoch` (best on validation, by the
  recipe's `monitor`).
- `temperature`: divides the logits; fitted on validation (Guo et al., 2017). Probabilities shown are softmax at it;
  `bias`: added to the scaled logits, the log of the classes' prior where training balanced them.
- `operating_point`: threshold on one minus the probability of the negative class, by Youden's J on validation; `sensitive_point`: the highest threshold
  whose sensitivity on validation is still 0.95.
- `test`: accuracy, macro F1, macro one-against-rest ROC-AUC and recall of each class on the test part of the card's split, each with a 95 % percentile
  bootstrap interval over groups (patients, or their best proxy; `python -m lungcad data info NAME` says which).
- `test_without_copies`: the same without the test images of which the publisher's training part holds a copy, where there are such.
- `test_by_seed`: the same metrics of the trainings under other seeds (`lungcad train … --seed 1`), whose runs are kept and whose weights are not.
- `without`: accuracy on the same test images with the lungs (of a nodule crop: the nodule) taken away, with nothing else left, and as they are, under the fill
  that is least strange to the network (`python -m lungcad regions`); `most_frequent`: the share of the commonest class.
- `aim`: by how much an aim was missed and what was tried, where one was.
- `gate`: what the network's gate keeps of its own test images and declines of other kinds of pictures (`python -m lungcad gate fit`).
- `limits`, `licence`, `trained_on`, `run`, `sha256` (checked on every load).
"""


def results_table(cards: list[ModelCard]) -> str:
    """Markdown table: one row a network, values with 95 % intervals."""
    names = [metric.name for metric in metrics_of(Level.SUMMARY)]
    lines = [
        f"| network | data set | attention | test {' | '.join(names)} | accuracy without copies | without the lungs (LIDC: nodule) | lungs (nodule) alone | "
        "started from |",
        "|---" * (7 + len(names)) + "|",
    ]
    for card in cards:
        tested, kept = card.test, card.test_without_copies
        cells = [str(tested.metrics.get(name, "–")) if tested else "–" for name in names]
        cells.append(str(kept.accuracy) if kept else "none found")
        cells += [str(card.without.without), str(card.without.alone)] if card.without else ["–", "–"]
        lines.append(
            f"| `{card.name}` | {card.dataset} | {card.attention} | {' | '.join(cells)} | {card.initialised_with.split(' (')[0]} |"
        )
    return "\n".join(lines)


def costs_table(cards: list[ModelCard]) -> str:
    """Markdown table: parameters and FLOPs of one image, and the share that attention adds to the same network without it."""
    lines = ["| network | input | parameters | added by attention | FLOPs | added by attention |", "|---|---|---|---|---|---|"]
    for card in cards:
        cost = complexity_of(card)
        size = f"{card.preprocess.size[0]}×{card.preprocess.size[1]}" + (", and close-up" if card.inputs is Inputs.SLICE_AND_CROP else "")
        added = [_share(share) if card.attention != "none" else "–" for share in (cost.added_parameters, cost.added_flops)]
        lines.append(f"| `{card.name}` | {size} | {cost.parameters / 1e6:.2f} M | {added[0]} | {cost.flops / 1e9:.3f} G | {added[1]} |")
    return "\n".join(lines)


def recall_table(cards: list[ModelCard]) -> str:
    """Markdown table: recall of each class on the test part; the cards share their classes."""
    classes = cards[0].classes
    lines = [f"| network | {' | '.join(classes)} |", "|---" * (len(classes) + 1) + "|"]
    lines += [f"| `{card.name}` | {' | '.join(str(card.test.recall.get(name, '–')) for name in classes)} |" for card in cards if card.test]
    return "\n".join(lines)


def gates_table(cards: list[ModelCard]) -> str:
    """Markdown table: share of its own test images that each network's gate keeps, and of some other kinds of pictures that it declines."""
    titles = list(dict.fromkeys(title for card in cards if card.gate for title in card.gate.declined if title in _SHOWN))
    lines = [f"| network | own test images kept | {' | '.join(titles)} |", "|---" * (len(titles) + 2) + "|"]
    for card in cards:
        cells = [f"{card.gate.declined[title]:.2f}" if card.gate and title in card.gate.declined else "" for title in titles]
        lines.append(f"| `{card.name}` | {card.gate.kept if card.gate else 'no gate fitted'} | {' | '.join(cells)} |")
    return "\n".join(lines)


def write_readme(folder: Path, cards: list[ModelCard]) -> None:
    """Write ``README.md`` into the folder of the weights."""
    write_whole(folder / "README.md", readme(cards))


def readme(cards: list[ModelCard]) -> str:
    """``weights/README.md``: results, costs, recalls and missed aims of all networks."""
    of_patients, made = [card for card in cards if not is_made(card.dataset)], [card for card in cards if is_made(card.dataset)]
    by_classes: dict[tuple[str, ...], list[ModelCard]] = {}
    for card in cards:
        by_classes.setdefault(card.classes, []).append(card)
    recalls = "\n\n".join(f"{same[0].dataset}:\n\n{recall_table(same)}" for same in by_classes.values())
    gates = (
        "Own test images answered, with or without a warning [95 % interval over groups], and the share declined of other pictures. "
        "All kinds, and what the gates were fitted on: [`data/gate/README.md`](../data/gate/README.md).\n\n" + gates_table(of_patients)
    )
    missed = "\n".join(f"- `{card.name}`: {card.aim}" for card in cards if card.aim)
    return (
        f"{_HEAD}{results_table(of_patients)}\n\n{_MADE}{results_table(made)}\n\n## What they cost\n\n{costs_table(cards)}\n\n"
        f"## Recall on the test part\n\n{recalls}\n\n"
        f"## Under other seeds\n\n{_SEEDS}\n\n{seeds_table(cards)}\n\n"
        f"## When they do not answer\n\n{gates}\n"
        f"{f'{chr(10)}## Aims that were missed{chr(10)}{chr(10)}{missed}{chr(10)}' if missed else ''}{_FIELDS}"
    )


def _share(share: float) -> str:
    return f"{share:+.2%}"
