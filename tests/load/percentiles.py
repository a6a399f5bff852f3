"""Seconds in short."""

import statistics
from collections.abc import Sequence


def percentiles(seconds: Sequence[float]) -> dict[str, float | int | None]:
    """n, median and 95th percentile; None where there are none."""
    if len(seconds) < 2:
        only = round(seconds[0], 3) if seconds else None
        return {"n": len(seconds), "p50": only, "p95": only}
    cuts = statistics.quantiles(seconds, n=20, method="inclusive")
    return {"n": len(seconds), "p50": round(cuts[9], 3), "p95": round(cuts[18], 3)}
