"""Cases chosen from a plot: a cell of the confusion matrix, a band of scores, a region of a map. As text they fit into a link."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import pandas as pd

MOST_CORNERS = 40
"""Of a region: a lasso has hundreds, which no link needs."""


@dataclass(frozen=True)
class Cell:
    """Cases of true class ``label`` that were predicted as ``answer``."""

    label: str
    answer: str


@dataclass(frozen=True)
class Band:
    """Cases whose probability of ``label`` lies in [low, high)."""

    label: str
    low: float
    high: float


@dataclass(frozen=True)
class Region:
    """Cases that lie inside a polygon on the embedding of that name (UMAP, PCA)."""

    embedding: str
    corners: tuple[tuple[float, float], ...]

    @classmethod
    def of(cls, embedding: str, x: Sequence[float], y: Sequence[float]) -> "Region":
        """From a polygon, or from the two opposite corners of a box; thinned and rounded for a link."""
        corners = list(zip(x, y, strict=True)) if len(x) > 2 else [(x[0], y[0]), (x[1], y[0]), (x[1], y[1]), (x[0], y[1])]
        thinned = corners[:: -(-len(corners) // MOST_CORNERS)]
        return cls(embedding, tuple((round(float(a), 2), round(float(b), 2)) for a, b in thinned))


Selection = Cell | Band | Region


def to_text(selection: Selection) -> str:
    """For a link; :func:`from_text` reads it."""
    match selection:
        case Cell(label, answer):
            return f"cell~{label}~{answer}"
        case Band(label, low, high):
            return f"band~{label}~{low:g}~{high:g}"
        case Region(embedding, corners):
            return f"region~{embedding}~" + "~".join(f"{x:g},{y:g}" for x, y in corners)


def from_text(text: str, classes: Sequence[str], embeddings: Sequence[str]) -> Selection | None:
    """None for what names no class or map that is there, or is no selection at all."""
    kind, *parts = text.split("~")
    try:
        if kind == "cell" and len(parts) == 2 and set(parts) <= set(classes):
            return Cell(*parts)
        if kind == "band" and len(parts) == 3 and parts[0] in classes:
            low, high = float(parts[1]), float(parts[2])
            return Band(parts[0], low, high) if low < high else None
        if kind == "region" and 4 <= len(parts) <= MOST_CORNERS + 1 and parts[0] in embeddings:
            corners = [(float(x), float(y)) for x, y in (corner.split(",") for corner in parts[1:])]
            if np.isfinite(corners).all():
                return Region(parts[0], tuple(corners))
    except ValueError:
        pass
    return None


def selected_rows(selection: Selection, table: pd.DataFrame, embeddings: Mapping[str, np.ndarray]) -> np.ndarray:
    """Bool (n,): the rows of ``table`` (columns label, answer, p:CLASS) that are selected.

    embeddings: name -> (n, 2), NaN for a case that is not on it.
    """
    match selection:
        case Cell(label, answer):
            return ((table.label == label) & (table.answer == answer)).to_numpy()
        case Band(label, low, high):
            scores = table[f"p:{label}"].to_numpy(np.float64)
            return (scores >= low) & ((scores < high) | (high >= 1))
        case Region(embedding, corners):
            if embedding not in embeddings:
                return np.zeros(len(table), bool)
            outline = np.array(corners, np.float32)
            inside = [
                np.isfinite(xy).all() and cv2.pointPolygonTest(outline, tuple(map(float, xy)), False) >= 0 for xy in embeddings[embedding]
            ]
            return np.array(inside, bool)
