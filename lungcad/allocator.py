"""What the process does with memory that it has freed."""

import ctypes
import functools
import platform
import sys

ONE_HEAP = {"MALLOC_ARENA_MAX": "1"}
"""Environment of a process that has one heap from its first thread on (:func:`tune_allocator`); other libraries than glibc do not know it."""


@functools.cache
def tune_allocator() -> bool:
    """Keep freed memory in the process (glibc only): returning it after every batch costs more than a small forward.

    Up to 1 GiB of free heap is kept, and big blocks come from the heap instead of a fresh mmap each time. All threads share one heap: with one for each,
    as glibc has it, every thread that ever computed keeps the memory of its largest batch, and maps blocks of more than 64 MiB anew each time. Heaps
    that are there before the first call stay, and later threads share those too, so a server calls this before it starts any. True if it took effect.
    """
    if not _has_glibc():
        return False
    m_trim_threshold, m_mmap_max, m_arena_max, keep = -1, -4, -8, 1 << 30  # names and numbers of <malloc.h>
    libc = ctypes.CDLL(None)
    return bool(libc.mallopt(m_trim_threshold, keep) and libc.mallopt(m_mmap_max, 0) and libc.mallopt(m_arena_max, 1))


def give_back() -> bool:
    """What is kept goes back to the machine (glibc only); for when nothing is computed. True if there was any."""
    return _has_glibc() and bool(ctypes.CDLL(None).malloc_trim(0))


def _has_glibc() -> bool:
    return sys.platform.startswith("linux") and platform.libc_ver()[0] == "glibc"
