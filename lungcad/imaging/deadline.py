"""An end to reading: no file, however made, holds a thread for longer than a stated time."""

import ctypes
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class TimeIsUp(BaseException):  # not an Exception, so that no library's "except Exception" swallows it
    """Raised inside the thread whose time is up."""


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Raise :class:`TimeIsUp` in this thread when the block runs longer. Python code ends at once, one call into C when it returns.

    By CPython's PyThreadState_SetAsyncExc, since readers run in threads of Streamlit and of pools, where signals do not reach.
    """
    thread, lock, done, fired = threading.get_ident(), threading.Lock(), False, False

    def fire() -> None:
        nonlocal fired
        with lock:
            if not done:
                fired = True
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(TimeIsUp))

    timer = threading.Timer(seconds, fire)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        with lock:
            done = True
        while fired:  # on its way: it must not arrive after the block
            fired = False
            for _ in range(100):
                time.sleep(0)
