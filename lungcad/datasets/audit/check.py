"""What a check of the audit is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lungcad.datasets.audit.subject import AuditSubject


@dataclass(frozen=True)
class AuditCheck:
    """One question put to a data set.

    question: what it asks, for people. find: the finding, JSON values by field name; the fields of all checks stand side by side in the JSON of
    ``lungcad audit``. score: of a finding, a number from 0 (nothing found) to 1. say: the finding in sentences, without file names that nobody asked for.
    parameters: thresholds by name, put into the JSON too. fields: the names that ``find`` gives. typed: field -> its value in Python from that in JSON,
    where they differ. Pages draw a finding by a function of their own
    (``lungcad/app/datasets/findings``), else they write its sentences.
    """

    name: str
    question: str
    fields: tuple[str, ...]
    find: Callable[[AuditSubject], dict[str, Any]]
    score: Callable[[Mapping[str, Any]], float]
    say: Callable[[Mapping[str, Any]], list[str]]
    parameters: Mapping[str, float] = field(default_factory=dict)
    typed: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
