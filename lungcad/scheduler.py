"""Who computes next: one queue for the whole process, under pages, API and jobs.

Answers first, then maps, then checks, then jobs; within a kind the user whose last turn is longest ago. Work stays in the thread of whoever asks for it;
it only waits there for its turn, and lets others pass between its steps. One slot is kept for answers and maps, so these never wait for a check to end.
"""

import functools
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, TypeVar

from lungcad.progress import Progress

T = TypeVar("T")
Waiting = Callable[[int], None]
"""Called again and again while work waits, with the number of those before it; whatever it raises takes the work out of the queue."""


class Kind(IntEnum):
    """What waits; a lower number goes first."""

    ANSWER = 0
    MAP = 1
    CHECKS = 2
    JOB = 3


LOOK = 0.2
"""Seconds between two calls of :data:`Waiting`."""
QUANTUM = 2.0
"""Seconds of a job after which a waiting job of another user takes its place."""


@dataclass(eq=False)
class _Ticket:
    kind: Kind
    owner: Hashable
    number: int
    changed: threading.Condition
    is_running: bool = False
    is_paused: bool = False
    begun: float = 0.0


@dataclass(eq=False)
class _Shared:
    """Work that several wait for."""

    is_over: threading.Event = field(default_factory=threading.Event)
    has_result: bool = False
    result: Any = None
    ticket: "_Ticket | None" = None
    kind: Kind = Kind.JOB


class Scheduler:
    """slots: what is computed at the same time; answers and maps have one more."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self._lock = threading.Lock()
        self._tickets: list[_Ticket] = []
        self._served: dict[Hashable, int] = defaultdict(int)
        self._numbers = 0
        self._shared: dict[Hashable, _Shared] = {}
        self._mine = threading.local()
        self.idle_since: float | None = None
        """When the last work ended (``time.monotonic``); None while there is some, and before the first."""

    @contextmanager
    def turn(self, kind: Kind, owner: Hashable, waiting: Waiting | None = None, shared: _Shared | None = None) -> Iterator["Turn"]:
        """A turn, once it has come; within the turn of the same thread there is no other. shared: work whose most urgent asker lends it his kind."""
        if (mine := getattr(self._mine, "turn", None)) is not None:
            yield mine
            return
        with self._lock:
            ticket = _Ticket(min(kind, shared.kind) if shared else kind, owner, self._next_number(), threading.Condition(self._lock))
            if shared:
                shared.ticket = ticket
            self._tickets.append(ticket)
            self.idle_since = None
            self._grant()
        turn = Turn(self, ticket, waiting)
        try:
            self._wait(ticket, waiting)
            self._mine.turn = turn
            yield turn
        finally:
            self._mine.turn = None
            with self._lock:
                self._tickets.remove(ticket)
                self.idle_since = None if self._tickets else time.monotonic()
                self._forget_long_gone()
                self._grant()

    def once(self, key: Hashable, kind: Kind, owner: Hashable, compute: Callable[["Turn"], T], waiting: Waiting | None = None) -> T:
        """What ``compute`` gives in its turn; whoever asks for the same key meanwhile waits for the same result.

        Where the first leaves or fails, the next computes it. key: names the content; nothing is kept once it is done. Within a turn of the same thread it is
        computed at once: whoever has a turn never waits for another, who may be waiting for that very turn to end.
        """
        if (mine := getattr(self._mine, "turn", None)) is not None:
            return compute(mine)
        while True:
            with self._lock:
                if is_first := key not in self._shared:
                    self._shared[key] = _Shared()
                shared = self._shared[key]
                self._hurry(shared, kind)
            if not is_first:
                while not shared.is_over.wait(LOOK):
                    if waiting:
                        waiting(0)
                if shared.has_result:
                    return shared.result  # type: ignore[no-any-return]
                continue
            try:
                with self.turn(kind, owner, waiting, shared) as turn:
                    shared.result = result = compute(turn)
                shared.has_result = True
                return result
            finally:
                with self._lock:
                    del self._shared[key]
                shared.is_over.set()

    def _hurry(self, shared: _Shared, kind: Kind) -> None:
        """Who asks for the same work more urgently takes it forward with him; under the lock."""
        shared.kind = min(shared.kind, kind)
        if shared.ticket and shared.kind < shared.ticket.kind:
            shared.ticket.kind = shared.kind
            self._grant()

    def before(self, ticket: _Ticket) -> int:
        """How many go before it: those that run, and those that wait for a turn that comes earlier."""
        with self._lock:
            return sum(other.is_running or self._order(other) < self._order(ticket) for other in self._tickets if other is not ticket)

    def pause(self, ticket: _Ticket, waiting: Waiting | None) -> None:
        """Between two steps: let pass whoever goes first."""
        with self._lock:
            first = [other.kind for other in self._tickets if not other.is_running and self._goes_before(other, ticket)]
            if not first:
                return
            ticket.is_running, ticket.is_paused = False, min(first) < ticket.kind
            self._grant()
        self._wait(ticket, waiting)

    def _goes_before(self, other: _Ticket, ticket: _Ticket) -> bool:
        if other.kind < ticket.kind:
            return True
        is_long = ticket.kind is Kind.JOB and time.monotonic() - ticket.begun > QUANTUM
        return other.kind is ticket.kind and is_long and other.owner != ticket.owner

    def _wait(self, ticket: _Ticket, waiting: Waiting | None) -> None:
        while True:
            with self._lock:
                if not ticket.is_running:
                    ticket.changed.wait(LOOK)
                if ticket.is_running:
                    return
            if waiting:
                waiting(self.before(ticket))

    def _order(self, ticket: _Ticket) -> tuple[int, int, int]:
        """What was interrupted goes on before anything of its kind begins."""
        return ticket.kind, 0 if ticket.is_paused else self._served[ticket.owner], ticket.number

    def _grant(self) -> None:
        """Begin whatever may begin; under the lock."""
        for ticket in sorted((ticket for ticket in self._tickets if not ticket.is_running), key=self._order):
            running = [other.kind for other in self._tickets if other.is_running]
            is_quick = ticket.kind in (Kind.ANSWER, Kind.MAP)
            if len(running) >= self.slots + is_quick:
                continue
            if ticket.kind is Kind.JOB and running.count(Kind.JOB) >= max(self.slots - 1, 1):
                continue  # one slot is left for checks
            ticket.is_running, ticket.is_paused, ticket.begun = True, False, time.monotonic()
            self._served[ticket.owner] = self._next_number()
            ticket.changed.notify()

    def _next_number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _forget_long_gone(self) -> None:
        """Owners who wait for nothing, when there are very many; under the lock."""
        if len(self._served) > 1000:
            waiting = {ticket.owner for ticket in self._tickets}
            self._served = defaultdict(int, {owner: number for owner, number in self._served.items() if owner in waiting})


@dataclass(frozen=True)
class Turn:
    """One's turn. :meth:`step` between two steps of the work."""

    scheduler: Scheduler
    ticket: _Ticket
    waiting: Waiting | None

    def step(self) -> None:
        """Lets pass whoever goes first."""
        self.scheduler.pause(self.ticket, self.waiting)

    def with_steps(self, on_progress: Progress | None = None) -> Progress:
        """The same progress, with a step behind each report."""

        def report(done: int, total: int) -> None:
            if on_progress:
                on_progress(done, total)
            self.step()

        return report


@functools.cache
def scheduler() -> Scheduler:
    """The one of this process: a computation at a time for every four cores, each of which torch spreads over all that are free."""
    return Scheduler(max((os.cpu_count() or 1) // 4, 1))
