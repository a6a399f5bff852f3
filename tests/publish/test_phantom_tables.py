"""Which synthetic lesions a network finds: on a made-up network of which it is known."""

import numpy as np
import pandas as pd

from lungcad.datasets import Split
from lungcad.datasets.phantoms.draw import draw_patient
from lungcad.datasets.phantoms.make import plan
from lungcad.evaluate.stores.runs import Run
from lungcad.publish.phantom_tables import found_lesions_table


def test_a_network_that_sees_large_lesions_only_finds_those():
    cases = [case for case in plan() if case.split is Split.TEST][:80]
    lesions = [draw_patient(case.seed, case.label).lesion for case in cases]
    p = np.array([0.9 if lesion and lesion.diameter_mm >= 15 else 0.1 for lesion in lesions])
    table = pd.DataFrame(
        {
            "case": [f"test/{case.label}/{case.name}" for case in cases], "group": [case.name for case in cases], "split": "test",
            "label": ["lesion" if lesion else "none" for lesion in lesions], "copy_of_training": False, "p:lesion": p, "p:none": 1 - p,
        }
    )  # fmt: skip
    shown = found_lesions_table([Run("toy", {"classes": ["lesion", "none"]}, table, None, None)])
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in shown.splitlines()]
    by_kind = {row[0]: row[1:] for row in rows[2:]}
    assert by_kind["25–40 mm"][1:] == ["1.000 [1.000, 1.000]"] * 2
    assert by_kind["4–8 mm"][1:] == ["0.000 [0.000, 0.000]", "0.500 [0.500, 0.500]"]
    n = {kind: int(cells[0]) for kind, cells in by_kind.items()}
    sizes, contrasts = ("4–8 mm", "8–15 mm", "15–25 mm", "25–40 mm"), ("ground glass", "part solid", "solid")
    assert n["all"] == sum(n[size] for size in sizes) == sum(n[contrast] for contrast in contrasts) == sum(map(bool, lesions))
    assert n["15–25 mm"] == sum(n.get(f"15–25 mm, {contrast}", 0) for contrast in contrasts)
