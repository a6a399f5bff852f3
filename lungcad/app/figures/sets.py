"""How often sets of classes hold the truth, against how often they should."""

from collections.abc import Sequence
from itertools import cycle

import plotly.graph_objects as go

from lungcad.app.components.text import class_label
from lungcad.app.figures.style import COLOURS, GREY, with_axes
from lungcad.estimate import Estimate
from lungcad.evaluate.set_coverage import SetsOnTest

ALL = "all test cases"
APART = 0.005
"""Between the series of a level, in units of the axis."""


def coverage_by_level(by_level: Sequence[SetsOnTest]) -> go.Figure:
    """A point with its interval for each level: over all test cases, and for each class; the dashed line is the level itself.

    Levels at which every set holds every class, for want of groups, are left out.
    """
    by_level = [sets for sets in by_level if any(rule.is_possible for rule in sets.rules)]
    levels = [sets.level for sets in by_level]
    series = {ALL: {sets.level: sets.coverage for sets in by_level}}
    for name in by_level[0].by_class if by_level else ():
        series[class_label(name)] = {sets.level: sets.by_class[name].coverage for sets in by_level}
    figure = go.Figure(go.Scatter(x=[0.75, 1], y=[0.75, 1], name="as promised", mode="lines", line={"color": GREY, "dash": "dash"}))
    for place, ((name, estimates), colour) in enumerate(zip(series.items(), cycle(COLOURS))):
        _add_points(figure, name, estimates, colour, APART * (place - (len(series) - 1) / 2), is_all=name == ALL)
    figure = with_axes(figure, "level: share of sets that should hold the truth", "share that does (groups alike)", height=400, unit=False)
    figure.update_xaxes(range=[0.765, 1.01], tickvals=levels, tickformat=".0%")
    return figure.update_yaxes(tickformat=".0%", rangemode="normal")


def _add_points(figure: go.Figure, name: str, estimates: dict[float, Estimate], colour: str, offset: float, *, is_all: bool) -> None:
    points = [(level, found) for level, found in estimates.items() if found.value is not None]
    figure.add_trace(
        go.Scatter(
            x=[level + offset for level, _ in points], y=[found.value for _, found in points], name=name, mode="markers",
            marker={"size": 12 if is_all else 9, "color": colour, "symbol": "circle" if is_all else "diamond-open"},
            error_y={
                "type": "data", "symmetric": False, "color": colour, "width": 3,
                "array": [found.above for _, found in points], "arrayminus": [found.below for _, found in points],
            },
            text=[f"{level:.0%}: {found}" for level, found in points], hovertemplate="%{text}<extra>%{fullData.name}</extra>",
        )
    )  # fmt: skip
