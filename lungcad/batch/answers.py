"""Answers: the class and its calibrated probabilities, and, where the list says what is true, how good they are."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lungcad.analysis import analyse
from lungcad.batch.plan import Plan, Question
from lungcad.batch.work import TEXTS, WORK, Asked, Row, Work
from lungcad.errors import LungcadError
from lungcad.evaluate.folder import tested_ids
from lungcad.evaluate.metric_table import summarise
from lungcad.models import ModelCard, TrainedModel


def _columns(card: ModelCard) -> list[tuple[str, pa.DataType]]:
    """p:CLASS: calibrated probabilities. Null where the gate declined."""
    return [("class", pa.string()), *((name, pa.float32()) for name in _probabilities(card)), ("reasons", TEXTS), ("warnings", TEXTS)]


def _probabilities(card: ModelCard) -> list[str]:
    return [f"p:{name}" for name in card.classes]


def _rows(asked: Asked) -> list[Row]:
    answer = analyse(asked.image, asked.model, methods=(), show_anyway=asked.question.show_anyway, prepared=asked.prepared)
    shown = not answer.is_hidden
    return [
        {
            **asked.facts(answer.gate),
            "class": answer.prediction.label if shown else None,
            **{f"p:{name}": value if shown else None for name, value in answer.prediction.probabilities.items()},
            "reasons": list(answer.gate.reasons),
            "warnings": list(answer.other_warnings),
        }
    ]


def _settled(question: Question, model: TrainedModel) -> Question:
    return without_methods(question)


def without_methods(question: Question) -> Question:
    """Raises :class:`LungcadError` where methods or a seed are named that would do nothing."""
    if question != replace(question, methods=(), seed=0):
        raise LungcadError(f"Methods and a seed are for trust; a batch of {question.make} needs none, so leave them out.")
    return question


def _result(plan: Plan, card: ModelCard) -> dict[str, Any] | None:
    """The metrics of ``lungcad evaluate`` over the labelled images that have an answer, and how many have none; None without labels."""
    labels, groups, probabilities, labelled, in_test, has_groups = [], [], [], 0, 0, False
    tested = tested_ids(card)
    for shard in range(plan.shards):
        sources = plan.sources(shard)
        table = pq.read_table(plan.rows_file(shard), columns=_probabilities(card))
        shares = np.column_stack([column.to_numpy(zero_copy_only=False) for column in table.columns]).astype(np.float32)
        truth = np.array([-1 if source.label is None else card.classes.index(source.label) for source in sources], np.int16)
        used = (truth >= 0) & ~np.isnan(shares).any(axis=1)
        labelled += int((truth >= 0).sum())
        counted = [source for source, one in zip(sources, used, strict=True) if one]
        in_test += sum(source.id in (tested or ()) for source in counted)
        has_groups = has_groups or any(source.group is not None for source in counted)
        labels.append(truth[used])
        groups.append(pd.Series([source.group or source.id for source in counted], dtype="str"))
        probabilities.append(shares[used])
    if not labelled:
        return None
    n = sum(map(len, labels))
    facts: dict[str, Any] = {"n": n, "labelled": labelled, "notes": _notes(plan.question, labelled - n, has_groups=has_groups)}
    if not n:
        return facts
    result = summarise(np.concatenate(labels), np.concatenate(probabilities), card.classes, groups=pd.concat(groups, ignore_index=True))
    seen = None if tested is None else n - in_test if in_test else 0
    return facts | result.to_dict() | {"seen_in_training": seen}


def _notes(question: Question, without_answer: int, *, has_groups: bool) -> Sequence[str]:
    notes = []
    if without_answer:
        declined = "declined by the gate or have a fault" if not question.show_anyway else "have a fault"
        notes.append(f"{without_answer:,} labelled images count in no metric, because they were {declined}.")
    if not has_groups:
        notes.append("The list has no groups, so images of one patient count as independent, and the intervals may be too narrow.")
    return notes


def _told(result: dict[str, Any]) -> list[str]:
    intervals = {name: "–" if low is None else f"{low:.3f} to {high:.3f}" for name, (low, high) in result.get("intervals", {}).items()}
    values = result | {f"recall {name}": value for name, value in result.get("recall", {}).items()}
    return [
        f"{result['n']:,} labelled images answered",
        *(f"{name} {values[name]:.3f} [{of}]" for name, of in intervals.items() if values[name]),
    ]


WORK.add("answers", Work("answers", _columns, _rows, _settled, _result, _told))
