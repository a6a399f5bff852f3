"""What a format of the table is, and what reads a file of it back."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from torch import Tensor

from lungcad.errors import ModelError
from lungcad.export.network import Exportable
from lungcad.registry import Registry


@dataclass(frozen=True)
class Runner:
    """A file of some format, opened by that format's own library. facts: the text stored in it. run: (N, C, H, W) -> the
    file's first output, float32: the probabilities (N, K) of a whole network. Threads may call it at the same time.
    """

    facts: str
    run: Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class ExportFormat:
    """suffix: of the file. beside: suffixes of what must lie beside it. packages: what writing and reading it takes beyond lungcad's own requirements;
    install: the command that brings them. batch: how many images its files take at once, as their facts say it.

    write: takes the network, example inputs (2, C, H, W), the facts as text and the path. read: opens what it wrote.
    """

    name: str
    title: str
    suffix: str
    packages: tuple[str, ...]
    write: Callable[[Exportable, Tensor, str, Path], None]
    read: Callable[[Path], Runner]
    beside: tuple[str, ...] = ()
    batch: int | Literal["batch"] = "batch"
    install: str = "pip install 'lungcad[export]'"

    def check_installed(self) -> None:
        """Raises :class:`ModelError` where a package is missing, with the command that installs them."""
        missing = [name for name in self.packages if importlib.util.find_spec(name) is None]
        if missing:
            raise ModelError(
                f"Exporting to {self.name} needs {' and '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not installed; "
                f"run: {self.install}"
            )


def first_of(outputs: Tensor | tuple[Tensor, ...]) -> Tensor:
    """Of a module with one output or several."""
    return outputs if isinstance(outputs, Tensor) else outputs[0]


FORMATS: Registry[ExportFormat] = Registry("export format")
