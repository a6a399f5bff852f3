"""A network's card and its data set's in short."""

from lungcad.datasets import DATASETS
from lungcad.errors import LungcadError
from lungcad.models.card import Complexity, ModelCard
from lungcad.report.document import Block, Facts, Text, Tone


def network_card(card: ModelCard) -> list[Block]:
    """What it is, what it was trained on, how good it is, what it missed, what it cannot say."""
    rows = [
        ("Network", f"{card.name}: {card.backbone}, attention {card.attention}, looks at the {card.inputs.value}"),
        *([("Size", _size(card.complexity))] if card.complexity else []),
        (
            "Trained on",
            f"{card.n_train} images of {card.dataset}, {card.n_valid} for validation; seed {card.seed}; from {card.initialised_with}",
        ),
        ("Machine", card.trained_on),
        ("Split", f"{card.protocol}: {card.split}"),
        ("Test part", _test(card)),
        *([("Without copies of training images", _test(card, without_copies=True))] if card.test_without_copies else []),
        ("Calibration", f"temperature {card.temperature:.3f}" + ("" if card.bias is None else ", with the classes' prior")),
        ("Licence", card.licence),
    ]
    blocks: list[Block] = [Facts(rows), Text(f"Limits: {card.limits}", Tone.WARNING)]
    return [*blocks, *([Text(f"Aims: {card.aim}", Tone.NOTE)] if card.aim else [])]


def data_card(card: ModelCard) -> list[Block]:
    """Publisher, licence, what groups are, what the audit found; empty for a data set that lungcad does not know."""
    dataset = DATASETS.get(card.dataset)
    if dataset is None:
        return []
    rows = [
        ("Data set", f"{dataset.title}, {dataset.publisher}"),
        ("Licence", dataset.licence),
        ("Cite", dataset.citation),
        ("Groups", dataset.grouping),
    ]
    return [Facts(rows), Text(f"Limits: {dataset.limits}", Tone.WARNING), *_audit(card.dataset)]


def _audit(name: str) -> list[Block]:
    from lungcad.datasets.stored_audits import read_stored_audit  # scikit-learn comes with it

    try:
        stored = read_stored_audit(DATASETS[name])
    except LungcadError as error:
        return [Text(str(error), Tone.NOTE)]
    if stored is None:
        return []
    return [Text(f"Audit of {stored.date}, {stored.audit.n_images} images: {'; '.join(stored.audit.sentences())}.", Tone.NOTE)]


def _size(cost: Complexity) -> str:
    return f"{cost.parameters / 1e6:.2f} million weights, {cost.flops / 1e9:.2f} GFLOPs an image"


def _test(card: ModelCard, *, without_copies: bool = False) -> str:
    result = card.test_without_copies if without_copies else card.test
    if result is None:
        return "not tested"
    return f"{result.n} images: " + "; ".join(f"{name} {value}" for name, value in result.metrics.items()) + " (95 % interval over groups)"
