"""The answers of several networks to one image: a row a class, a column a network; what each costs."""

import streamlit as st

from lungcad.app import session, store
from lungcad.app.components.layout import markdown_table
from lungcad.app.components.literal import literal
from lungcad.app.components.text import accuracy_text, class_text
from lungcad.app.latency import measure_again, milliseconds
from lungcad.app.predict.gate import warnings_left
from lungcad.imaging import CTImage
from lungcad.models.complexity import complexity_of

MARKED_DIFFERENCE = 0.1
"""Probabilities that differ by this much or more are marked."""
DIFFERENCE = "largest difference"


def show_answers(image: CTImage, names: list[str]) -> None:
    """What speaks against the answers, each once; probabilities by class, the answer in bold and differences marked; then what each network costs."""
    cards = {name: store.cards()[name] for name in names}
    results = {name: session.result(image, name, None, None) for name in names}
    predictions = {name: result.prediction for name, result in results.items() if not result.is_hidden}
    answers = {class_text(prediction.label) for prediction in predictions.values()}
    same_classes = len({card.classes for card in cards.values()}) == 1
    if same_classes and len(predictions) > 1:
        st.markdown(
            f"{'Both' if len(predictions) == 2 else f'All {len(predictions)}'} "
            f"{'that answer ' if len(predictions) < len(names) else ''}answer **{answers.pop()}**."
            if len(answers) == 1
            else f"They disagree: **{'**, **'.join(sorted(answers))}**."
        )
    if warnings := dict.fromkeys(sentence for result in results.values() for sentence in warnings_left(result)):
        st.warning("  \n".join(map(literal, warnings)), icon=":material/info:")
    rows: dict[str, dict[str, object]] = {}
    for label in dict.fromkeys(label for card in cards.values() for label in card.classes):
        values = {name: prediction.probabilities.get(label) for name, prediction in predictions.items()}
        rows[class_text(label)] = {
            name: _cell(values.get(name), name not in predictions, is_answer=name in predictions and predictions[name].label == label)
            for name in names
        }
        if same_classes:
            rows[class_text(label)][DIFFERENCE] = _difference([value for value in values.values() if value is not None])
    empty: dict[str, object] = {DIFFERENCE: ""} if same_classes else {}
    costs = {name: complexity_of(card) for name, card in cards.items()}
    rows["test accuracy"] = {name: accuracy_text(card).removeprefix("test accuracy ") for name, card in cards.items()} | empty
    rows["attention"] = {
        name: "none"
        if card.attention == "none"
        else f"{card.attention}, adds {costs[name].added_parameters:+.1%} parameters and {costs[name].added_flops:+.1%} FLOPs"
        for name, card in cards.items()
    } | empty
    rows["size"] = {
        name: f"{cost.parameters / 1e6:.2f} M parameters, {cost.flops / 1e9:.2f} GFLOPs" for name, cost in costs.items()
    } | empty
    rows["one prediction, here"] = {name: f"{milliseconds(name):.0f} ms" for name in names} | empty
    markdown_table(rows)
    if not same_classes:
        st.caption("These networks predict different classes; do not compare their probabilities.")
    measure_again(names, key="measure_again")


def _difference(probabilities: list[float]) -> str:
    """Empty where fewer than two networks answer."""
    if len(probabilities) < 2:
        return ""
    difference = max(probabilities) - min(probabilities)
    return f"{100 * difference:.1f} points" + (" :orange-badge[differs]" if difference >= MARKED_DIFFERENCE else "")


def _cell(value: float | None, is_hidden: bool, *, is_answer: bool) -> str:
    if is_hidden:
        return "declined"
    return "–" if value is None else f"**{value:.1%}**" if is_answer else f"{value:.1%}"
