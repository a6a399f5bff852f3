"""timm without torch's compiler, which it names while it is imported and which takes longer to import than timm and torchvision together.

``torchvision.ops.roi_align`` asks it whether a device can be compiled for, and one of timm's models, which lungcad does not use, takes a method out of
compilation. Neither matters before something is compiled, and lungcad compiles nothing. So two stand-ins answer while timm is imported, and are gone afterwards:
whoever asks for the compiler then gets the real one. ``lungcad bench --only cold_start`` shows what it brings.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import torch  # noqa: F401  first: the stand-ins below stand in the finished package

COMPILER, UTILITIES = "torch._dynamo", "torch._dynamo.utils"
_LOCK = threading.Lock()


class _Compiler(ModuleType):
    """What timm asks of ``torch._dynamo``."""

    __path__: list[str] = []  # noqa: RUF012  a package, to the import system

    @staticmethod
    def disable(function: Any = None, *_: object, **__: object) -> Any:
        return function if function is not None else _Compiler.disable


class _Utilities(ModuleType):
    """What torchvision asks of ``torch._dynamo.utils``."""

    @staticmethod
    def is_compile_supported(device_type: str) -> bool:
        from torch._dynamo.utils import is_compile_supported as of_the_real_one

        answer: Callable[[str], bool] = of_the_real_one
        return answer(device_type)


@contextmanager
def _without_compiler() -> Iterator[None]:
    with _LOCK:
        if COMPILER in sys.modules or "timm" in sys.modules:
            yield
            return
        sys.modules |= {COMPILER: _Compiler(COMPILER), UTILITIES: _Utilities(UTILITIES)}
        try:
            yield
        finally:
            del sys.modules[COMPILER], sys.modules[UTILITIES]


with _without_compiler():
    import timm
    from timm.layers.conv2d_same import Conv2dSame
    from timm.layers.padding import pad_same
    from timm.models import register_model

__all__ = ["Conv2dSame", "pad_same", "register_model", "timm"]
