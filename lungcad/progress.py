"""How long work tells how far it is."""

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with (done, total); an exception it raises stops the work."""


class Steps:
    """Counts what is done, over several loops."""

    def __init__(self, total: int, on_progress: Progress | None) -> None:
        self.done, self.total, self.on_progress = 0, total, on_progress

    def __call__(self, n: int = 1) -> None:
        """``n`` more are done."""
        self.done = min(self.done + n, self.total)
        if self.on_progress:
            self.on_progress(self.done, self.total)
