"""Who is admitted, and what is dropped: places, threads, time, and callers who have left."""

import asyncio
import math
import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, TypeVar

from starlette.requests import Request

from lungcad.api.problems import Problem
from lungcad.progress import Progress

T = TypeVar("T")


class Dropped(Exception):
    """Raised inside work that nobody waits for any more."""


class Desk:
    """Requests of one kind. places: how many are admitted at once; one more is told at once to come back (503). threads: how many are computed at once.

    All but the work itself runs on the event loop.
    """

    def __init__(self, name: str, *, places: int, threads: int, seconds: float) -> None:
        self.places, self.seconds, self.taken = places, seconds, 0
        self._threads = threads
        self._usual_seconds = 1.0
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=f"lungcad-{name}")

    @asynccontextmanager
    async def place(self) -> AsyncIterator["Place"]:
        """A place for one request until its work has really ended. Raises :class:`Problem` 503 where all are taken, 504 when its time is up."""
        if self.taken >= self.places:
            wait = math.ceil(min(max(self._usual_seconds * self.taken / self._threads, 1), 60))
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE, "overloaded", "Too busy", f"{self.taken} requests are being answered; try again.",
                headers={"Retry-After": str(wait)},
            )  # fmt: skip
        self.taken += 1
        place, begun = Place(self._pool), time.monotonic()
        try:
            async with asyncio.timeout(self.seconds):
                yield place
            self._usual_seconds = 0.8 * self._usual_seconds + 0.2 * (time.monotonic() - begun)
        except TimeoutError:
            detail = f"The answer took longer than {self.seconds:.4g} s and was given up; ask for fewer samples or a faster method."
            raise Problem(HTTPStatus.GATEWAY_TIMEOUT, "timeout", "Took too long", detail) from None
        finally:
            place.leave(asyncio.get_running_loop(), self._release)

    def _release(self) -> None:
        self.taken -= 1

    def close(self) -> None:
        """Stop taking work."""
        self._pool.shutdown(wait=False, cancel_futures=True)


class Place:
    """One request's turn."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool, self._left = pool, threading.Event()
        self._future: Future[Any] | None = None

    async def work(self, request: Request, compute: Callable[[Progress], T]) -> T:
        """``compute`` in a thread; it is dropped when the caller has left or his time is up: before it begins, or at its next step of progress."""

        def checked() -> T:
            self._on_progress(0, 1)
            return compute(self._on_progress)

        future = self._pool.submit(checked)
        self._future = future
        result, gone = asyncio.wrap_future(future), asyncio.ensure_future(_until_gone(request))
        result.add_done_callback(
            lambda done: done.cancelled() or done.exception()
        )  # looked at, or asyncio logs it when nobody waits any more
        try:
            waited: set[asyncio.Future[Any]] = {result, gone}
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if not result.done():
                raise Problem(HTTPStatus.BAD_REQUEST, "disconnected", "Disconnected", "The caller left before the answer.")
            return result.result()
        finally:
            gone.cancel()

    def _on_progress(self, _done: int, _total: int) -> None:
        if self._left.is_set():
            raise Dropped

    def leave(self, loop: asyncio.AbstractEventLoop, release: Callable[[], None]) -> None:
        """The place is free when its work has ended, which may be after its caller has been answered."""
        self._left.set()
        if self._future is None or self._future.done() or self._future.cancel():
            release()
        else:
            self._future.add_done_callback(lambda _: loop.call_soon_threadsafe(release))


async def _until_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
