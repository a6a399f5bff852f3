"""Which images are one picture?"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lungcad.datasets.audit.check import AuditCheck
from lungcad.datasets.audit.subject import AuditSubject
from lungcad.datasets.copies import Kind
from lungcad.datasets.copies.verify import COPY, NEIGHBOUR
from lungcad.datasets.duplicates import MAX_BITS, MIN_CORRELATION


def _find(subject: AuditSubject) -> dict[str, Any]:
    groups = _groups(subject.cluster)
    ids = [case.id for case in subject.cases]
    return {
        "duplicate_groups": [[ids[i] for i in group] for group in groups],
        "exact_groups": sum(len({subject.prints[i].sha256 for i in group}) < len(group) for group in groups),
        "copy_pairs": [
            {
                "first": ids[pair.first], "second": ids[pair.second], "kind": str(pair.kind), "transform": pair.alignment.transform,
                "mirrored": pair.alignment.mirrored, "angle": pair.alignment.angle, "zoom": pair.alignment.zoom, "overlap": pair.alignment.overlap,
                "correlation": pair.alignment.correlation, "counts_as_leak": pair.is_leak,
            }
            for pair in subject.pairs
        ],
    }  # fmt: skip


def _groups(cluster: np.ndarray) -> list[list[int]]:
    """Clusters of more than one image."""
    order = np.argsort(cluster, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(cluster[order])) + 1) if len(order) else []
    return [sorted(part.tolist()) for part in parts if len(part) > 1]


def _score(finding: Mapping[str, Any]) -> float:
    """Share of the images in groups that a data set without copies would not have."""
    in_groups = sum(map(len, finding["duplicate_groups"]))
    return 1 - len(finding["duplicate_groups"]) / in_groups if in_groups else 0.0


def _say(finding: Mapping[str, Any]) -> list[str]:
    pairs = finding["copy_pairs"]
    copies = [pair for pair in pairs if pair["kind"] == Kind.COPY]
    turned = sum(pair["transform"] != "as it is" for pair in copies)
    return [
        f"{len(finding['duplicate_groups'])} groups of copies and near-identical slices, {finding['exact_groups']} of them with equal pixels: "
        f"{len(copies)} pairs of one picture, {turned} of them turned, mirrored or zoomed; {len(pairs) - len(copies)} pairs of neighbours"
    ]


COPIES = AuditCheck(
    "copies",
    "Which images are one picture, however it was turned?",
    ("duplicate_groups", "exact_groups", "copy_pairs"),
    _find,
    _score,
    _say,
    {"max_bits": MAX_BITS, "min_correlation": MIN_CORRELATION, "copy_detail_correlation": COPY, "neighbour_detail_correlation": NEIGHBOUR},
)
