"""Sets of classes: how often they hold the truth, how large they are, by level and by class."""

import streamlit as st

from lungcad.app import run_store
from lungcad.app.components.chart import chart_with_csv
from lungcad.app.components.literal import literal
from lungcad.app.components.pickers import set_level_picker
from lungcad.app.components.text import class_label
from lungcad.app.figures.sets import coverage_by_level
from lungcad.app.navigation import plain_errors
from lungcad.evaluate.conformal import LEVELS
from lungcad.evaluate.set_coverage import SetsOnTest, missed_level
from lungcad.evaluate.stores.runs import Run

MOST_SETS = 3
"""Different sets of a class that its row names."""


@st.fragment
@plain_errors()
def show_sets(run: Run, *, without_copies: bool) -> None:
    """Coverage and size on the test cases: a plot and a table by level, a table by class at one level."""
    by_level = [run_store.sets_of(run.name, without_copies, level) for level in LEVELS]
    st.caption(
        "Beside its class, a network gives a set of classes: the most probable ones until together they exceed a threshold, which was chosen on validation so that "
        f"the set of an image from a new group holds the truth as often as the level says (conformal prediction; {literal(run.facts.get('grouping') or 'groups')}). "
        "That is a promise for the mean over groups, not for a class, and only if new groups are like those of validation; the validation part also chose the "
        "epoch and the temperature, which makes it a little too optimistic."
    )
    chart_with_csv(
        coverage_by_level(by_level),
        key="coverage_of_sets",
        alt="Share of sets that hold the truth against the level, over all test cases and by class; table below.",
    )
    st.dataframe(
        [
            {
                "level": f"{sets.level:.0%}",
                "holds the truth (groups alike)": str(sets.coverage),
                "holds the truth (images alike)": str(sets.coverage_of_images),
                "classes in a set, mean": str(sets.size),
                "sets of one class": str(sets.single),
                "validation groups": ", ".join(str(rule.groups) for rule in sets.rules),
                "threshold": ", ".join(f"{rule.threshold:.3f}" if rule.is_possible else "none" for rule in sets.rules),
            }
            for sets in by_level
        ],
        hide_index=True,
        alt="By level: share of the sets that hold the truth, mean number of classes, validation groups and threshold.",
    )
    st.caption(
        f"{len(by_level[0].cases)} test cases; value [95 % bootstrap interval over groups]. A share of exactly 1 has no such interval, which is no certainty. "
        "A threshold of 0: the most probable class alone is right often enough."
    )
    for sets in by_level:
        _say_what_limits(sets)
    level = set_level_picker()
    _show_classes(by_level[LEVELS.index(level)])


def _say_what_limits(sets: SetsOnTest) -> None:
    shortages = [rule.shortage for rule in sets.rules if rule.shortage]
    if shortages:
        folds = f" ({len(shortages)} of {len(sets.rules)} folds)" if len(sets.rules) > 1 else ""
        st.info(f"**Level {sets.level:.0%}**{folds}: {shortages[0]}", icon=":material/info:")
    if missed := missed_level(sets):
        st.warning(f"**Level {sets.level:.0%}**: {missed}", icon=":material/warning:")


def _show_classes(sets: SetsOnTest) -> None:
    """A row a true class: coverage, size and the sets that its cases have."""
    st.dataframe(
        [
            {
                "true class": class_label(name),
                "cases": found.n,
                "groups": found.groups,
                "holds the truth": str(found.coverage),
                "classes in a set, mean": str(found.size),
                "its commonest sets": " · ".join(f"{', '.join(map(class_label, held))}: {n}" for held, n in found.commonest[:MOST_SETS]),
            }
            for name, found in sets.by_class.items()
        ],
        hide_index=True,
        column_config={"its commonest sets": st.column_config.TextColumn(width="large")},
        alt="By true class: share of sets that hold it, mean number of classes, and the commonest sets.",
    )
    below = [
        f"{class_label(name)} ({found.coverage.value:.0%} [{found.coverage.low:.0%}–{found.coverage.high:.0%}])"
        for name, found in sets.by_class.items()
        if found.coverage.high is not None and found.coverage.high < sets.level
    ]
    if below:
        st.warning(
            f"At {sets.level:.0%} the sets miss some classes more often than they miss all together: {literal('; '.join(below))}. Only the mean over "
            "groups is promised.",
            icon=":material/warning:",
        )
