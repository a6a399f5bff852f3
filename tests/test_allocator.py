"""What the process keeps of memory that it has freed: that of one thread, however many took turns, until it is given back."""

import subprocess
import sys

import pytest

from lungcad.allocator import tune_allocator

THREADS, MIB = 12, 50
SCRIPT = f"""
import threading
import psutil
from lungcad.allocator import give_back, tune_allocator

def resident():
    return psutil.Process().memory_info().rss / 2**20

def compute():
    with turn:
        blocks = [bytearray(b"x") * 2**20 for _ in range({MIB})]
        del blocks
    all_done.wait()

tune_allocator()
turn, all_done, before = threading.Lock(), threading.Barrier({THREADS} + 1), resident()
threads = [threading.Thread(target=compute) for _ in range({THREADS})]
for thread in threads:
    thread.start()
all_done.wait()
kept = resident() - before
give_back()
print(kept, resident() - before)
"""


@pytest.mark.skipif(not tune_allocator(), reason="glibc only")
def test_threads_that_take_turns_keep_the_memory_of_one_until_it_is_given_back():
    ran = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=120)
    kept, left = map(float, ran.stdout.split())
    assert 0.5 * MIB < kept < 2 * MIB and left < 0.2 * MIB
