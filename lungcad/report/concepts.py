"""What a concept network's answer is made of, for the report of a case."""

from lungcad.datasets import class_title
from lungcad.explain.concepts import ConceptAnswer
from lungcad.report.document import Section, Table, Text, Tone


def concepts_section(answer: ConceptAnswer) -> Section:
    """A row a concept: its rating in the readers' words, and its share of the log-odds."""
    positive = class_title(answer.positive)
    rows = [(rated.concept.title, rated.written, rated.word, f"{rated.share:+.2f}") for rated in answer.concepts.values()]
    rows = [("Average training nodule", "", "", f"{answer.base:+.2f}"), *rows, ("Sum", "", "", f"{answer.log_odds:+.2f}")]
    return Section(
        "What the answer is made of",
        [
            Table(("Concept", "Rating", "In the readers' words", f"Share: for (+) or against (-) {positive}"), rows, (1.4, 1, 1.4, 1.4)),
            Text(
                f"The shares add up to the log-odds of {positive}: {answer.probability:.1%}. Ratings are the network's, not a reader's.",
                Tone.NOTE,
            ),
        ],
    )
