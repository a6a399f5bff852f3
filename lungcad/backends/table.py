"""The runtimes beside torch: each is a format of :mod:`lungcad.export` that is opened by its own library."""

import importlib.metadata
import importlib.util
from dataclasses import dataclass

from lungcad.registry import Registry


@dataclass(frozen=True)
class Backend:
    """format_name: of :data:`lungcad.export.FORMATS`. package: runs it. packages: write it too.

    is_exact: its answers are torch's but for rounding. One that is not, in eight-bit integers, is taken only where it is asked for.
    """

    name: str
    title: str
    format_name: str
    package: str
    packages: tuple[str, ...]
    is_exact: bool = True

    @property
    def is_installed(self) -> bool:
        """Whether all packages are there; none is imported."""
        return all(importlib.util.find_spec(name) is not None for name in self.packages)

    @property
    def version(self) -> str:
        """Of the installed package."""
        return importlib.metadata.version(self.package)

    @property
    def files(self) -> tuple[str, ...]:
        """Names of a network's files in the cache, that which is opened first."""
        from lungcad.export import FORMATS  # brings all that writes networks

        export_format = FORMATS[self.format_name]
        return tuple(self.name + suffix for suffix in (export_format.suffix, *export_format.beside))


BACKENDS: Registry[Backend] = Registry("backend")
for _backend in (
    Backend("onnxruntime", "ONNX Runtime", "onnx", "onnxruntime", ("onnx", "onnxscript", "onnxruntime")),
    Backend("openvino", "OpenVINO", "openvino", "openvino", ("openvino",)),
    Backend("onnxruntime-int8", "ONNX Runtime in int8", "onnx", "onnxruntime", ("onnx", "onnxscript", "onnxruntime"), is_exact=False),
):
    BACKENDS.add(_backend.name, _backend)
