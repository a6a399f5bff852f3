"""Which networks are worth their cost."""

from collections.abc import Sequence


def pareto_front(costs: Sequence[float], values: Sequence[float]) -> list[int]:
    """Indices, by cost, of those that no other equals or beats in both cost and value and beats in one."""

    def beaten(i: int) -> bool:
        return any(
            cost <= costs[i] and value >= values[i] and (cost, value) != (costs[i], values[i])
            for cost, value in zip(costs, values, strict=True)
        )

    return sorted((i for i in range(len(costs)) if not beaten(i)), key=lambda i: costs[i])
