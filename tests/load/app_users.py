"""Users of the page Predict: each drops slices of its own and changes the network, and every answer is held against the slice it was asked about."""

import asyncio
import hashlib
import json
import random
import re
import statistics
import time
from collections import defaultdict
from dataclasses import dataclass, field

from lungcad.analysis import analyse
from lungcad.imaging import read_image
from lungcad.imaging.phantom import make_phantom
from lungcad.models import load_model
from tests.load.percentiles import percentiles
from tests.load.visitor import Visitor, visiting

NETWORKS = ("phantom-honest-taught", "phantom-honest", "phantom-honest-gate")
PATIENCE = 300.0
TOLERANCE = 0.3
"""Percentage points; the bars are rounded to 0.1, and threads sum in another order."""
PARTS = ("bars", "map", "checks")
BARS, VALUE = "Calibrated probability of each class", re.compile(r"<td>([\d.]+)%</td>")
SLOWER = "Run the slower checks"
"""The button below the last check."""


@dataclass(frozen=True)
class View:
    """What one user saw of one slice: seconds from the click to each part, and the probabilities on the bars, per cent. offered: what the page's own
    file says of slice and network, where the user stayed until the last check. was_told: that others were before him.
    """

    user: int
    data: bytes
    network: str
    seconds: dict[str, float]
    bars: tuple[float, ...]
    offered: dict[str, str]
    was_told: bool


@dataclass
class Figures:
    """views of all users; faults: what must not happen, a sentence each."""

    views: list[View] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def answered(self) -> int:
        """Views that were looked at."""
        return len(self.views)

    def summary(self) -> dict[str, object]:
        """Plain data."""
        by_user = defaultdict(list)
        for view in self.views:
            by_user[view.user].append(view.seconds.get("checks", view.seconds.get("bars", 0.0)))
        medians = [statistics.median(times) for times in by_user.values()]
        return {
            "views": len(self.views),
            **{part: percentiles([view.seconds[part] for view in self.views if part in view.seconds]) for part in PARTS},
            "slowest_user_over_fastest": round(max(medians) / min(medians), 2) if medians else None,
            "views_told_how_many_are_before": sum(view.was_told for view in self.views),
            "faults": self.faults,
        }

    def wrong_answers(self) -> list[str]:
        """A sentence for each view whose bars are not this slice's and network's, or whose file is another's; computed anew here, without the server."""
        faults, models = [], {name: load_model(name) for name in NETWORKS}
        for view in self.views:
            answer = analyse(read_image(view.data), models[view.network], methods=()).prediction
            expected = tuple(100 * value for value in answer.probabilities.values())
            if len(view.bars) != len(expected) or any(abs(a - b) > TOLERANCE for a, b in zip(view.bars, expected, strict=True)):
                faults.append(f"user {view.user} saw {view.bars} where {view.network} says {expected}")
            if view.offered and view.offered != {"image_sha256": hashlib.sha256(view.data).hexdigest(), "model": view.network}:
                faults.append(f"user {view.user} was offered the file of another slice or network")
        return faults


async def warm_up(base: str) -> None:
    """One user looks at a slice with each network: all are loaded."""
    figures = Figures()
    async with visiting(base, "Predict", f"model={NETWORKS[0]}&method=gradcam") as visitor:
        async for _ in visitor.rerun():
            pass
        await visitor.upload("Drop CT slices", data := _slice(-1, 0))
        for network in NETWORKS:
            visitor.choose("Network", network)
            await _look(visitor, -1, data, network, figures, goes_early=True)
    if faults := figures.faults + figures.wrong_answers():
        raise RuntimeError(f"Not even one user is served: {faults[0]}")


async def many_users(base: str, *, users: int, seconds: float, leave: float = 0.0) -> Figures:
    """leave: share of views whose user goes on as soon as the map is there."""
    figures = Figures()
    async with asyncio.TaskGroup() as group:
        for user in range(users):
            group.create_task(_use(base, user, seconds, leave, figures))
    return figures


async def _use(base: str, user: int, seconds: float, leave: float, figures: Figures) -> None:
    rng = random.Random(user)  # noqa: S311  when users click is no secret
    network, number = NETWORKS[0], 0
    try:
        async with visiting(base, "Predict", f"model={network}&method=gradcam") as visitor:
            async for _ in visitor.rerun():
                pass
            await asyncio.sleep(rng.uniform(0, 2))
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                if number % 4 == 3:  # another network, the same slice
                    network = NETWORKS[(NETWORKS.index(network) + 1) % len(NETWORKS)]
                    visitor.choose("Network", network)
                else:
                    data = await asyncio.to_thread(_slice, user, number)
                    await visitor.upload("Drop CT slices", data)
                number += 1
                async with asyncio.timeout(PATIENCE):
                    await _look(visitor, user, data, network, figures, goes_early=rng.random() < leave)
                await asyncio.sleep(rng.uniform(1, 2))
    except TimeoutError:
        figures.faults.append(f"user {user}: a page was not done after {PATIENCE:.0f} s")
    except Exception as error:  # whatever one user meets is a fault of the server, and the others go on
        figures.faults.append(f"user {user}: {type(error).__name__}: {error}")


def _slice(user: int, number: int) -> bytes:
    """Nobody else has it."""
    return make_phantom(1000 * (user + 1) + number, size=256).png()


async def _look(visitor: Visitor, user: int, data: bytes, network: str, figures: Figures, *, goes_early: bool) -> None:
    """One view: from the click until the last check."""
    seconds: dict[str, float] = {}
    bars: tuple[float, ...] = ()
    was_told, url = False, ""
    async for arrived in visitor.rerun():
        element = arrived.element
        if arrived.kind == "html" and BARS in element.body:
            seconds.setdefault("bars", arrived.seconds)
            bars = tuple(map(float, VALUE.findall(element.body)))
        elif arrived.kind == "bidi_component" and "viewer-values-maps-" in element.id and "bars" in seconds:
            seconds.setdefault("map", arrived.seconds)
        elif arrived.kind == "markdown":
            was_told |= "before you" in element.body
        elif arrived.kind == "button" and element.label == SLOWER:
            seconds["checks"] = arrived.seconds
        elif arrived.kind == "download_button" and element.label == "Result (JSON)":
            url = element.url
        elif arrived.kind == "exception":
            figures.faults.append(f"user {user}: an exception on the page: {element.type}")
        if goes_early and "map" in seconds:
            break
    if missing := [part for part in PARTS if part not in seconds and not (goes_early and part == "checks")]:
        figures.faults.append(f"user {user}: a page came without its {', '.join(missing)}")
    offered = {}
    if url and not goes_early:
        found = json.loads(await asyncio.to_thread(visitor.get, url))
        offered = {name: found[name] for name in ("image_sha256", "model")}
    figures.views.append(View(user, data, network, seconds, bars, offered, was_told))
