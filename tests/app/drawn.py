"""What the browser is told to draw, and whether a table holds the same."""

import base64
import json
import re

import numpy as np
import pandas as pd
from streamlit.testing.v1 import AppTest


def charts_of(page: AppTest) -> dict[str, list[dict]]:
    """Key, as the file is named -> the traces that the browser is told to draw."""
    found = {}
    for element in page.get("plotly_chart"):
        key = re.fullmatch(r"\$\$ID-[0-9a-f]+-(.+)", element.proto.id)[1]
        found[key.replace("_", "-")] = json.loads(element.proto.spec)["data"]
    return found


def numbers(values) -> np.ndarray:
    """A trace's values in the figure's JSON, where Plotly packs numbers in base64."""
    if not isinstance(values, dict):
        return np.asarray(values)
    unpacked = np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"])
    return unpacked.reshape([int(side) for side in values["shape"].split(",")]) if "shape" in values else unpacked


def same_as_drawn(table: pd.DataFrame, traces: list[dict]) -> None:
    """Trace by trace: the points, the ends of their bars, and what stands beside a point under the pointer."""
    start = 0
    for trace in traces:
        if trace["type"] == "heatmap":
            drawn = {"value": numbers(trace["z"]).ravel()}
        elif "y" not in trace:
            continue
        else:
            drawn = {"y": numbers(trace["y"])} | ({"x": numbers(trace["x"])} if "x" in trace else {})
            for axis, bars in (("x", trace.get("error_x")), ("y", trace.get("error_y"))):
                if bars:
                    drawn |= {"low": drawn[axis] - numbers(bars["arrayminus"]), "high": drawn[axis] + numbers(bars["array"])}
            if "customdata" in trace:
                drawn[trace["meta"]] = numbers(trace["customdata"])
            if points := trace.get("text", trace.get("hovertext")):
                drawn["point"] = numbers(points)
        rows = table.iloc[start : start + len(next(iter(drawn.values())))]
        start += len(rows)
        assert set(rows.series.fillna("")) <= {trace.get("name", "")}
        for column, values in drawn.items():
            if values.dtype.kind in "fiub":
                np.testing.assert_allclose(rows[column].astype(float), values, rtol=1e-6, atol=1e-9)
            else:
                assert list(rows[column].fillna("").astype(str)) == [str(each) for each in values]
    assert start == len(table)
