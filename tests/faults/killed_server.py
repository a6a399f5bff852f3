"""The HTTP interface, which kills itself in the middle of its first answer about an image: ``python -m tests.faults.killed_server PORT``."""

import sys

from lungcad.api import batching
from lungcad.cli import main
from tests.faults.forks import die_at_call

if __name__ == "__main__":
    die_at_call(batching.Batcher, "_answer", 0)
    sys.argv = ["lungcad", "serve", "--port", sys.argv[1]]
    main()
