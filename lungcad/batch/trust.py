"""A trust run: what every check measures of every image's heat maps, a row a method, and the means over all images."""

from dataclasses import replace
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lungcad.batch.plan import Plan, Question, hash_of
from lungcad.batch.work import WORK, Asked, Row, Work
from lungcad.datasets import DATASETS
from lungcad.evaluate.stores.trust_runs import TrustRun
from lungcad.evaluate.trust import SANITY_CASES, measures_of, suited_methods
from lungcad.explain.neighbours import embed
from lungcad.explain.trust import MEASURES
from lungcad.gate import decide
from lungcad.models import ModelCard, TrainedModel


def _columns(card: ModelCard) -> list[tuple[str, pa.DataType]]:
    """As the cases of a trust run (:class:`~lungcad.evaluate.stores.trust_runs.TrustRun`). Null where the gate declined."""
    texts = [(name, pa.string()) for name in ("method", "target")]
    return [*texts, ("probability", pa.float32()), *((name, pa.float32()) for name in MEASURES)]


def _rows(asked: Asked) -> list[Row]:
    """The seed is the image's own, so that it does not matter who is asked before it; nothing is known of contours."""
    gate = decide(asked.image, asked.model, embed(asked.model, asked.prepared.features)[0])
    if gate.is_declined and not asked.question.show_anyway:
        return [asked.facts(gate)]
    measures = measures_of(
        asked.model,
        asked.image,
        asked.question.methods,
        seed=(asked.question.seed + hash_of(asked.source.id)) % 2**31,
        with_sanity=asked.position < SANITY_CASES,
        has_lungs=DATASETS[asked.model.card.dataset].is_of_slices,
    )
    return [asked.facts(gate) | row for row in measures]


def _settled(question: Question, model: TrainedModel) -> Question:
    return replace(question, methods=tuple(suited_methods(model.card, question.methods)))


def _result(plan: Plan, card: ModelCard) -> dict[str, Any] | None:
    """Means with intervals over groups (images, where the list has none), as ``lungcad trust`` prints them."""
    tables, has_groups = [], False
    for shard in range(plan.shards):
        groups = {source.id: source.group or source.id for source in plan.sources(shard)}
        table = pq.read_table(plan.rows_file(shard), columns=["id", "method", *MEASURES]).to_pandas()
        table = table[table.method.notna()].rename(columns={"id": "case"})
        tables.append(table.assign(group=table.case.map(groups)))
        has_groups = has_groups or bool((tables[-1].group != tables[-1].case).any())
    cases = pd.concat(tables, ignore_index=True)
    if not len(cases):
        return None
    notes = [f"Of the sanity of maps only the first {SANITY_CASES} images of the source say something; of contours nothing is known."]
    if not has_groups:
        notes.append("The list has no groups, so images of one patient count as independent, and the intervals may be too narrow.")
    facts = {"model": card.name, "data": plan.question.source, "n": int(cases.case.nunique()), "skipped": [], "notes": notes}
    found = TrustRun(card.name, facts, cases).to_dict()
    return {name: found[name] for name in ("n", "methods", "notes")}


def _told(result: dict[str, Any]) -> list[str]:
    means = [
        ", ".join([method["method"], *(f"{MEASURES[name]} {method[name]:.3f}" for name in MEASURES if method[name] is not None)])
        for method in result["methods"]
    ]
    return [f"Means over {result['n']:,} images:", *means]


WORK.add("trust", Work("trust", _columns, _rows, _settled, _result, _told))
