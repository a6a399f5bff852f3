"""Callers of ``POST /v1/predict``: each asks about slices of its own, again as soon as it is answered, and holds every answer against a computation of its own."""

import asyncio
import random
import statistics
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from http import HTTPStatus

import httpx2 as httpx

from lungcad.analysis import analyse
from lungcad.imaging import read_image
from lungcad.imaging.phantom import make_phantom
from lungcad.models import load_model
from tests.load.percentiles import percentiles

NETWORKS = ("phantom-honest-taught", "phantom-honest")
SLICES = 40
"""Different ones; nothing is kept between requests, so each may be asked about again."""
TOLERANCE = 5e-3
"""Of a probability: a batch of another size is summed in another order, in bfloat16 on some CPUs."""


@dataclass
class Figures:
    """Seconds of each answer by its caller, and of each refusal; answers: (slice, network, probabilities that came back)."""

    by_caller: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    refusals: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    answers: list[tuple[int, str, tuple[float, ...]]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def answered(self) -> int:
        return len(self.answers)

    def summary(self) -> dict[str, object]:
        """Plain data."""
        medians = [statistics.median(times) for times in self.by_caller.values()]
        return {
            "answered": self.answered,
            "refused": len(self.refusals),
            "statuses": {str(int(status)): n for status, n in sorted(self.statuses.items())},
            "answer": percentiles([seconds for times in self.by_caller.values() for seconds in times]),
            "refusal": percentiles(self.refusals),
            "callers_answered": len(self.by_caller),
            "slowest_caller_over_fastest": round(max(medians) / min(medians), 2) if medians else None,
            "faults": self.faults,
        }

    def wrong_answers(self) -> list[str]:
        """A sentence for each answer that is not this slice's and network's; computed anew here, without the server."""
        models, known, faults = {name: load_model(name) for name in NETWORKS}, {}, []
        for number, network, probabilities in self.answers:
            if (number, network) not in known:
                answer = analyse(read_image(slice_of(number)), models[network], methods=())
                known[number, network] = tuple(answer.prediction.probabilities.values())
            expected = known[number, network]
            if any(abs(a - b) > TOLERANCE for a, b in zip(probabilities, expected, strict=True)):
                faults.append(f"the answer about slice {number} by {network} was {probabilities}, not {expected}")
        return faults


def slice_of(number: int) -> bytes:
    return make_phantom(5000 + number, size=256).png()


async def warm_up(base: str) -> None:
    """Each network once: it is loaded."""
    async with httpx.AsyncClient(base_url=base, timeout=120) as client:
        for network in NETWORKS:
            (await _ask(client, slice_of(0), network)).raise_for_status()


async def many_callers(base: str, *, users: int, seconds: float) -> Figures:
    """Who is refused waits for as long as he is told, and a little longer."""
    figures, slices = Figures(), [slice_of(number) for number in range(SLICES)]
    until = time.monotonic() + seconds
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(base_url=base, timeout=180, limits=limits) as client, asyncio.TaskGroup() as group:
        for caller in range(users):
            group.create_task(_call(client, caller, slices, until, figures))
    return figures


async def _call(client: httpx.AsyncClient, caller: int, slices: list[bytes], until: float, figures: Figures) -> None:
    rng = random.Random(caller)  # noqa: S311  who asks when is no secret
    await asyncio.sleep(rng.uniform(0, 1))
    while time.monotonic() < until:
        number, network = rng.randrange(len(slices)), rng.choice(NETWORKS)
        begun = time.perf_counter()
        try:
            answer = await _ask(client, slices[number], network)
        except httpx.HTTPError as error:
            figures.faults.append(f"caller {caller}: {type(error).__name__}")
            continue
        seconds = time.perf_counter() - begun
        figures.statuses[answer.status_code] += 1
        if answer.status_code == HTTPStatus.OK:
            figures.by_caller[caller].append(seconds)
            figures.answers.append((number, network, tuple(answer.json()["probabilities"].values())))
        elif answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
            figures.refusals.append(seconds)
            told = float(answer.headers["Retry-After"]) * rng.uniform(1, 1.5)
            await asyncio.sleep(max(0.0, min(told, until - time.monotonic())))
        else:
            figures.faults.append(f"caller {caller}: status {answer.status_code}")


async def _ask(client: httpx.AsyncClient, data: bytes, network: str) -> httpx.Response:
    return await client.post("/v1/predict", files={"image": ("slice.png", data)}, data={"model": network})
