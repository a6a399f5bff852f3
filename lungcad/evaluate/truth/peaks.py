"""Where the heat maps of cheaters peak: on the mark that they follow, in the lesion beside it, or elsewhere."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd
from scipy import ndimage

from lungcad.evaluate.truth.counterfactuals import LESION, mean_of
from lungcad.evaluate.truth.networks import KnownNetwork
from lungcad.evaluate.truth.scenes import Shown, image_of
from lungcad.explain import Attribution, Options, PreparedInput, explain
from lungcad.models import TrainedModel


class PeakPlace(StrEnum):
    """On what a map's peak lies, or within one cell of the network's grid of it; the nearer where both are."""

    ON_MARK = "on_mark"
    IN_LESION = "in_lesion"
    ELSEWHERE = "elsewhere"  # or nowhere: a map without positive evidence


def peaks(model: TrainedModel, known: KnownNetwork, pictures: Sequence[Shown], methods: Sequence[str]) -> pd.DataFrame:
    """A row a picture and method, for the class lesion, on those pictures where both could be pointed at or the mark has no place.

    Columns: network, role, shortcut, case, method, peak (:class:`PeakPlace`), and on_mark_by_chance, in_lesion_by_chance: share of the grid's cells
    whose centre would count as such.
    """
    target = model.card.classes.index(LESION)
    rows = []
    for shown in pictures:
        if not shown.picture.lesion.any():
            continue
        prepared = PreparedInput.of(model, image_of(shown.picture))
        cells = prepared.features.shape[-2:]
        centres = _centres(prepared, *cells)
        places = nearest_place(centres, _cell_side(prepared), shown.picture.shortcut, shown.picture.lesion)
        chance = {f"{place}_by_chance": float((places == place).mean()) for place in (PeakPlace.ON_MARK, PeakPlace.IN_LESION)}
        for method in methods:
            peak = peak_of(explain(model, prepared, method, target, Options(seed=shown.scene.patient.seed)), prepared)
            place = PeakPlace.ELSEWHERE
            if peak is not None:
                place = nearest_place(peak[None], _cell_side(prepared), shown.picture.shortcut, shown.picture.lesion)[0]
            facts = {"network": known.name, "role": str(known.role), "shortcut": known.shortcut or "", "case": shown.scene.name}
            rows.append({**facts, "method": method, "peak": str(place), **chance})
    return pd.DataFrame(rows)


def peak_of(attribution: Attribution, prepared: PreparedInput) -> np.ndarray | None:
    """(row, column) in the image, pixels, of the centre of the cell with the largest value; None for a map without positive evidence."""
    grid = attribution.grid
    if not grid.max() > 0:
        return None
    return np.asarray(_centres(prepared, *grid.shape)[int(grid.argmax())])


def nearest_place(points: np.ndarray, reach: float, mark: np.ndarray | None, lesion: np.ndarray) -> np.ndarray:
    """(n,) what each point (n, 2: row, column, pixels) lies on, at most ``reach`` pixels away. mark, lesion: bool masks on the image's grid."""
    rows, columns = np.clip(points.astype(int), 0, np.array(lesion.shape) - 1).T
    to_lesion = ndimage.distance_transform_edt(~lesion)[rows, columns]
    to_mark = np.full(len(points), np.inf) if mark is None else ndimage.distance_transform_edt(~mark)[rows, columns]
    places = np.where(to_mark <= to_lesion, PeakPlace.ON_MARK, PeakPlace.IN_LESION).astype(object)
    places[np.minimum(to_mark, to_lesion) > reach] = PeakPlace.ELSEWHERE
    return places


def peak_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of network, role, shortcut, method, n and the shares on_mark, in_lesion, elsewhere with their 95 % intervals over patients."""
    rows = []
    for (network, role, shortcut, method), cases in table.groupby(["network", "role", "shortcut", "method"], sort=False):
        shares = {str(place): mean_of((cases.peak == place).to_numpy(), cases.case) for place in PeakPlace}
        rows.append(
            {
                "network": network, "role": role, "shortcut": shortcut, "method": method, "n": len(cases),
                **{place: share.value for place, share in shares.items()},
                **{name: round(float(cases[name].mean()), 4) for name in ("on_mark_by_chance", "in_lesion_by_chance")},
                "intervals": {place: [share.low, share.high] for place, share in shares.items()},
            }
        )  # fmt: skip
    return rows


def _cell_side(prepared: PreparedInput) -> float:
    """Of the network's grid, in pixels of the image; the longer side."""
    top, left, bottom, right = prepared.geometry.box
    rows, columns = prepared.features.shape[-2:]
    return max((bottom - top) / rows, (right - left) / columns)


def _centres(prepared: PreparedInput, rows: int, columns: int) -> np.ndarray:
    """(rows * columns, 2) centres of a grid's cells in the image, pixels."""
    top, left, bottom, right = prepared.geometry.box
    down = top + (np.arange(rows) + 0.5) * (bottom - top) / rows
    across = left + (np.arange(columns) + 0.5) * (right - left) / columns
    return np.stack(np.meshgrid(down, across, indexing="ij"), -1).reshape(-1, 2)
