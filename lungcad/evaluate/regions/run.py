"""A network over a data set with regions taken away, fill by fill: a row a case and changed image."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

import lungcad
from lungcad.datasets import DATASETS, Case, Split
from lungcad.errors import DatasetError, ImageError, LungcadError, ModelError, lookup
from lungcad.evaluate.regions.marked import Donors, content_of, marked_image
from lungcad.evaluate.stores.region_runs import ALL, SCHEMA, RegionRun
from lungcad.evaluate.trust import test_cases
from lungcad.explain.neighbours import embed
from lungcad.gate.decide import head_logits
from lungcad.gate.stored import FittedGate
from lungcad.imaging.fills import FILLS
from lungcad.imaging.regions import REGIONS, Content, regions_of
from lungcad.models import TrainedModel, features
from lungcad.models.predict import calibrated
from lungcad.preprocess import normalise, to_grey
from lungcad.progress import Progress

BATCH = 64


def run_regions(
    model: TrainedModel, data: Path, layout: str, *, n: int | None = None, regions: Sequence[str] | None = None,
    fills: Sequence[str] | None = None, seed: int = 0, parts: Mapping[str, Split] | None = None, on_progress: Progress | None = None,
) -> RegionRun:  # fmt: skip
    """On the network's test cases (:func:`~lungcad.evaluate.trust.test_cases`), or ``n`` of them drawn with ``seed``.

    Every changed image is seen through the crop of the whole one. Slices whose lung field is not to be trusted, and images in which a region is empty, are
    left out and counted. regions, fills: by default all that suit the data. Raises :class:`DatasetError` where nothing can be taken away.
    """
    content = content_of(lookup(DATASETS, layout, "layout"))
    regions, fills = _chosen(regions, content), list(fills or FILLS)
    for fill in fills:
        lookup(FILLS, fill, "fill")
    cases = test_cases(model, data, layout, parts)
    if n is not None and n < len(cases):
        cases = [cases[i] for i in sorted(np.random.default_rng(seed).choice(len(cases), n, replace=False))]
    changed = _Changed(model, regions, fills, Donors(cases, content, seed))
    for index, case in enumerate(cases):
        changed.add(index, case, content)
        if on_progress:
            on_progress(index + 1, len(cases))
    table = changed.table()
    if not len(table) or (table.region == ALL).all():
        raise DatasetError(_nothing(content, changed.left_out, len(cases)))
    facts = {
        "schema": SCHEMA, "model": model.card.name, "weights_sha256": model.card.sha256, "data": layout, "classes": list(model.card.classes),
        "n": int(table.case.nunique()), "seed": seed, "regions": regions, "fills": fills, "left_out": changed.counted(),
        "distance_warns_from": None if changed.gate is None else round(changed.gate.distance_warn, 4), "notes": _notes(table, fills, changed.gate),
        "code": lungcad.__version__, "precision": model.device.precision, "date": datetime.now(UTC).date().isoformat(),
    }  # fmt: skip
    return RegionRun(f"{model.card.name}--{layout}", facts, table)


class _Changed:
    """Collects changed images, asks the network in batches, and counts what is left out."""

    def __init__(self, model: TrainedModel, regions: Sequence[str], fills: Sequence[str], donors: Donors) -> None:
        self.model, self.regions, self.fills, self.donors = model, regions, fills, donors
        self.left_out: Counter[tuple[str, str]] = Counter()
        try:
            self.gate: FittedGate | None = FittedGate.read(model.card)
        except ModelError:
            self.gate = None
        self._rows: list[dict[str, Any]] = []
        self._waiting: list[np.ndarray] = []
        self._answers: list[np.ndarray] = []
        self._distances: list[np.ndarray] = []

    def add(self, index: int, case: Case, content: Content) -> None:
        """The case as it is, and with each region and fill."""
        try:
            marked = marked_image(case, content)
        except LungcadError as error:
            self.left_out[ALL, _kind(error)] += 1
            return
        config = self.model.card.preprocess
        grey, geometry = to_grey(marked.image, config)
        self._ask(case, ALL, "", "", grey)
        donor = self.donors.of(index) if any(FILLS[fill].needs_donor for fill in self.fills) else None
        for region in self.regions:
            try:
                removed = REGIONS[region].removed(marked)
            except ImageError as error:
                self.left_out[region, str(error)] += 1
                continue
            for name, fill in ((name, FILLS[name]) for name in self.fills):
                try:
                    changed = fill.over(marked, removed, donor[1] if donor else None)
                except ImageError as error:
                    self.left_out[region, str(error)] += 1
                    continue
                put_in = donor[0].label if donor and fill.needs_donor else ""
                self._ask(case, region, name, put_in, to_grey(changed, config, seen_as=geometry)[0])

    def _ask(self, case: Case, region: str, fill: str, donor: str, grey: np.ndarray) -> None:
        self._rows.append(
            {"case": case.id, "group": case.group or case.id, "label": case.label, "region": region, "fill": fill, "donor": donor}
        )
        self._waiting.append(grey)
        if len(self._waiting) == BATCH:
            self._answer()

    def _answer(self) -> None:
        maps = features(self.model, normalise(torch.from_numpy(np.stack(self._waiting)), self.model.card.preprocess))
        self._waiting.clear()
        with torch.no_grad():
            logits, _ = self.model.network.classify(maps)
        self._answers.append(calibrated(self.model, logits).cpu().numpy())
        embeddings = embed(self.model, maps)
        self._distances.append(
            np.full(len(maps), np.nan) if self.gate is None else self.gate.distances(embeddings, head_logits(self.model, embeddings))
        )

    def table(self) -> pd.DataFrame:
        """Columns: case, group, label, region, fill, donor (class of the image put in), p:CLASS, distance (of the gate; NaN without one)."""
        if self._waiting:
            self._answer()
        table = pd.DataFrame(self._rows)
        if len(table):
            answers = np.concatenate(self._answers)
            for column, name in enumerate(self.model.card.classes):
                table[f"p:{name}"] = answers[:, column].astype(np.float32)
            table["distance"] = np.concatenate(self._distances).astype(np.float32)
        return table

    def counted(self) -> list[dict[str, Any]]:
        """region ("all": the image altogether), why, n."""
        return [{"region": region, "why": why, "n": n} for (region, why), n in sorted(self.left_out.items())]


def _chosen(regions: Sequence[str] | None, content: Content) -> list[str]:
    if not regions:
        return regions_of(content)
    for name in regions:
        if lookup(REGIONS, name, "region").content is not content:
            raise DatasetError(
                f"The region {name} is of a {REGIONS[name].content}, and these are not; choose one of: {', '.join(regions_of(content))}."
            )
    return list(regions)


def _kind(error: LungcadError) -> str:
    """The sentence, without the share of the body that is another on every image."""
    sentence = str(error)
    return "The lungs take an unusual share of the body." if sentence.startswith("The lungs take") else sentence


def _nothing(content: Content, left_out: Mapping[tuple[str, str], int], n: int) -> str:
    why = "; ".join(f"{count}: {sentence}" for (_, sentence), count in sorted(left_out.items(), key=lambda each: -each[1])[:3])
    if any(region != ALL for region, _ in left_out):
        return f"From not one of the {n} images could anything be taken away ({why}). Choose another region or fill."
    what = "a lung field that can be trusted" if content is Content.SLICE else "a readable picture"
    return f"Not one of the {n} images has {what}, so there is nothing to take away ({why}). Check that these are axial chest slices."


def _notes(table: pd.DataFrame, fills: Sequence[str], gate: FittedGate | None) -> list[str]:
    notes = []
    if gate is None:
        notes.append("The network has no fitted gate, so how strange the changed images are to it is not known.")
    if table.label.nunique() < 2:
        notes.append("All images are of one class, so nothing of another class could be put in, and macro F1 says little.")
    return notes
