import numpy as np
import pandas as pd
import pytest

from lungcad.evaluate.selection import MOST_CORNERS, Band, Cell, Region, from_text, selected_rows, to_text

CLASSES = ("a", "squamous.cell")
TABLE = pd.DataFrame(
    {
        "label": ["a", "a", "squamous.cell"],
        "answer": ["a", "squamous.cell", "a"],
        "p:a": [0.9, 0.2, 1.0],
        "p:squamous.cell": [0.1, 0.8, 0.0],
    }
)
EMBEDDINGS = {"PCA": np.array([[0.5, 0.5], [2.0, 2.0], [np.nan, np.nan]])}


@pytest.mark.parametrize(
    ("selection", "rows"),
    [
        (Cell("a", "squamous.cell"), [False, True, False]),
        (Band("a", 0.9, 1.0), [True, False, True]),
        (Band("a", 0.2, 0.9), [False, True, False]),
        (Region("PCA", ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))), [True, False, False]),
        (Region("UMAP", ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0))), [False, False, False]),
    ],
)
def test_a_selection_chooses_its_cases_and_survives_a_link(selection, rows):
    assert selected_rows(selection, TABLE, EMBEDDINGS).tolist() == rows
    assert from_text(to_text(selection), CLASSES, ["PCA", "UMAP"]) == selection


def test_a_box_is_a_rectangle_and_a_lasso_is_thinned():
    assert Region.of("PCA", [1, 0], [0, 1]).corners == ((1, 0), (0, 0), (0, 1), (1, 1))
    angle = np.linspace(0, 2 * np.pi, 500)
    lasso = Region.of("PCA", list(np.cos(angle)), list(np.sin(angle)))
    assert 3 <= len(lasso.corners) <= MOST_CORNERS and selected_rows(lasso, TABLE, EMBEDDINGS).tolist() == [True, False, False]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cell",
        "cell~a",
        "cell~a~nothing",
        "band~a~0.5",
        "band~a~x~1",
        "band~a~1~0.5",
        "region~nowhere~0,0~1,0~1,1",
        "region~PCA~0,0~1,0",
        "region~PCA~0,0~1~1,1",
        "region~PCA~0,0~nan,0~1,1",
        "region~PCA~" + "~".join(["0,0"] * 60),
    ],
)
def test_a_link_that_makes_no_sense_selects_nothing(text):
    assert from_text(text, CLASSES, ["PCA"]) is None
