"""Processes that are killed at a chosen place: forked from one that has loaded what they need, so that a hundred of them cost little."""

import os
import signal
import traceback
from collections.abc import Callable

STEPS = ("fsync", "replace", "rename", "unlink", "mkdir", "rmdir")
"""What a writer asks of the disk, by its names in :mod:`os`."""


def forked(task: Callable[[], object]) -> bool:
    """Whether the task ended by itself; False where it was killed. Raises RuntimeError where it failed."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            task()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return False
    if os.WEXITSTATUS(status):
        raise RuntimeError("a process failed by itself; standard error says how")
    return True


def die_at_step(step: int) -> None:
    """From now on: this process gets SIGKILL instead of its ``step``-th step on the disk, from 0."""
    left = [step]
    for name in STEPS:
        _die_in(os, name, left)


def die_at_call(owner: object, name: str, call: int) -> None:
    """From now on: this process gets SIGKILL instead of that call of a function, from 0."""
    _die_in(owner, name, [call])


def _die_in(owner: object, name: str, left: list[int]) -> None:
    honest = getattr(owner, name)

    def counted(*arguments, **options):
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return honest(*arguments, **options)

    setattr(owner, name, counted)
