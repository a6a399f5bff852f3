"""Images of several requests that wait for the same network go through it together.

Nobody waits for others to come: whatever has come while the network was busy is its next batch.
"""

import threading
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field

from lungcad.explain import PreparedInput
from lungcad.imaging import CTImage
from lungcad.models import TrainedModel


@dataclass(frozen=True, eq=False)
class _Waiting:
    model: TrainedModel
    image: CTImage
    future: "Future[PreparedInput]" = field(default_factory=Future)


class Batcher:
    """One thread that runs the forward passes. largest: images in one of them. sizes: of the batches so far, newest last."""

    def __init__(self, largest: int) -> None:
        self.largest = largest
        self.sizes: deque[int] = deque(maxlen=1000)
        self._waiting: deque[_Waiting] = deque()
        self._changed = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="lungcad-batches", daemon=True)
        self._thread.start()

    def prepare(self, model: TrainedModel, image: CTImage) -> PreparedInput:
        """As :meth:`PreparedInput.of`; blocks until its batch is done."""
        waiting = _Waiting(model, image)
        with self._changed:
            if self._stopped:
                raise RuntimeError("The server is stopping.")
            self._waiting.append(waiting)
            self._changed.notify()
        return waiting.future.result()

    def stop(self) -> None:
        """Finish what waits, then end."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        self._thread.join()

    def _next(self) -> list[_Waiting]:
        """The images of the network that has waited longest; none when there is nothing more to do."""
        with self._changed:
            while not self._waiting and not self._stopped:
                self._changed.wait()
            if not self._waiting:
                return []
            model = self._waiting[0].model
            batch = [waiting for waiting in self._waiting if waiting.model is model][: self.largest]
            self._waiting = deque(waiting for waiting in self._waiting if waiting not in batch)
            return batch

    def _run(self) -> None:
        while batch := self._next():
            self.sizes.append(len(batch))
            self._answer(batch)
            batch.clear()  # while it waits for the next one, nothing of these images is kept

    def _answer(self, batch: list[_Waiting]) -> None:
        """Each image gets its result or its fault, and only once: a thread that ended here would leave every later caller waiting."""
        try:
            prepared = PreparedInput.several(batch[0].model, [waiting.image for waiting in batch])
            answers = list(zip(batch, prepared, strict=True))
        except Exception:  # one image or the memory spoils a batch with an error of any type
            self._one_by_one(batch)
            return
        for waiting, each in answers:
            waiting.future.set_result(each)

    @staticmethod
    def _one_by_one(batch: list[_Waiting]) -> None:
        """What spoils a batch is told to the one whose image it was."""
        for waiting in batch:
            try:
                prepared = PreparedInput.of(waiting.model, waiting.image)
            except Exception as error:  # of any type; it is raised again in the caller's thread
                waiting.future.set_exception(error)
            else:
                waiting.future.set_result(prepared)
