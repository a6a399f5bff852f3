"""Whether ordinary nodule networks depend on the readers' concepts, as a table, from ``data/concepts/tcav`` alone."""

from collections.abc import Mapping
from typing import Any

from lungcad.datasets.concepts import CONCEPTS
from lungcad.estimate import Estimate
from lungcad.explain.concept_vectors import ConceptVectors

Facts = Mapping[str, Any]
_SHOULD = {1: "rise", -1: "fall", 0: "either way"}


def tcav_table(facts: Facts) -> str:
    """Markdown: a row a concept, the random control last."""
    lines = [
        "| towards the concept | score | random control | p | the answer should | what is found | found again |",
        "|---|---|---|---|---|---|---|",
    ]
    control = range_of(facts["control"])
    for row in facts["concepts"]:
        p = "< 0.001" if row["p"] < 0.001 else f"{row['p']:.3f}"
        lines.append(
            f"| {CONCEPTS[row['concept']].title} | {range_of(row)} | {control} | {p} | {_SHOULD[row['direction']]} | {finding(row, facts)} | "
            f"{row['accuracy']:.0%} |"
        )
    return "\n".join(lines)


def finding(row: Facts, facts: Facts) -> str:
    """In words: whether the concept beats its control, and whether the answer goes the way it should."""
    if not row["beats_control"]:
        return "does not beat its control"
    rises = row["score"] > facts["control"]["score"]
    if not row["direction"]:
        return f"depends on it: {'rises' if rises else 'falls'}"
    return "depends on it, as it should" if rises == (row["direction"] > 0) else "depends on it, the other way"


def tcav_words(facts: Facts) -> str:
    """What the table says and how it was made; what the check of a single nodule makes of it, and how often that is right."""
    vectors = ConceptVectors.of(facts)
    asked_of = ", ".join(CONCEPTS[name].title.lower() for name in vectors.expected) or "none"
    return (
        f"Score: share of the {facts['n_scored']} {facts['classes'][1]} test nodules whose log-odds of {facts['classes'][1]} rise when the network's inner "
        f"numbers move towards the concept; mean over {facts['repeats']} directions [range of 95 % of them], each fitted to {facts['examples']} training "
        "patients with the concept (the quarter with the highest mean rating) and as many random ones. Control: as many directions between two random draws. "
        f"p: Welch's test of the two, times {len(facts['concepts'])} concepts. Found again: examples left out of the fit that the direction tells from random "
        "ones (50 % by chance). A spiculated nodule is also a large one: a direction may carry what goes with its concept. "
        f"The check of a single nodule on Predict asks of concepts that beat their control on validation nodules ({asked_of}). {vectors.record}"
    )


def range_of(row: Facts) -> Estimate:
    """The mean score, with the range of 95 % of the repeats."""
    return Estimate(value=row["score"], low=row["score_range"][0], high=row["score_range"][1])
