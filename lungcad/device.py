"""Where and how networks run: the only module that names a device, a precision or a thread count."""

import contextlib
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

import torch
from torch import Tensor, device, dtype, memory_format, nn

from lungcad.allocator import tune_allocator

M = TypeVar("M", bound=nn.Module)


@dataclass(frozen=True)
class Device:
    """A torch device with the precision and memory layout that are fastest on it.

    ``autocast`` is the reduced precision of the convolutional features, or None for float32.
    Heads, losses and attributions are always computed in float32.
    """

    torch: device
    autocast: dtype | None

    @property
    def memory_format(self) -> memory_format:
        """Channels last: what convolutions are fastest in."""
        return torch.channels_last

    @property
    def is_accelerator(self) -> bool:
        """Whether it computes beside the CPU, not on it."""
        return self.torch.type != "cpu"

    @property
    def count(self) -> int:
        """How many of its kind this machine has; the CPU is one."""
        return torch.cuda.device_count() if self.torch.type == "cuda" else 1

    @property
    def has_onednn_bfloat16(self) -> bool:
        """Whether oneDNN's fused bfloat16 convolutions run here."""
        return not self.is_accelerator and self.autocast is torch.bfloat16 and hasattr(torch.ops.mkldnn, "_convolution_pointwise")

    @property
    def has_slow_depthwise_gradient(self) -> bool:
        """Whether the reduced precision makes the backward pass of depthwise convolutions slow (oneDNN's bfloat16)."""
        return not self.is_accelerator and self.autocast is torch.bfloat16

    @property
    def precision(self) -> str:
        """Name of the precision of the features, for cards and runs."""
        return "float32" if self.autocast is None else str(self.autocast).removeprefix("torch.")

    @property
    def lightning_precision(self) -> Literal["32-true", "bf16-mixed", "16-mixed"]:
        """The name Lightning gives this precision."""
        if self.autocast is None:
            return "32-true"
        return "bf16-mixed" if self.autocast is torch.bfloat16 else "16-mixed"

    def features_context(self) -> contextlib.AbstractContextManager[object]:
        """Context manager for the forward pass of a backbone."""
        if self.autocast is None:
            return contextlib.nullcontext()
        return torch.autocast(self.torch.type, self.autocast)

    def put(self, module: M) -> M:
        """Move a module here, in this device's memory layout."""
        # torch names no such overload
        return module.to(device=self.torch, memory_format=self.memory_format)  # type: ignore[call-overload, no-any-return]

    def put_inputs(self, inputs: Tensor) -> Tensor:
        """Move a batch (N, C, H, W) here, in the layout and precision in which a backbone reads it; to CUDA from pinned memory, beside the computation."""
        if self.torch.type == "cuda" and inputs.device.type == "cpu":
            pinned = inputs.to(self.autocast or inputs.dtype, memory_format=self.memory_format).pin_memory()
            return pinned.to(self.torch, non_blocking=True)
        return inputs.to(self.torch, self.autocast or inputs.dtype, memory_format=self.memory_format)


@functools.cache
def best_device() -> Device:
    """CUDA, else Apple's MPS, else the CPU; bfloat16 where the hardware has it.

    What precision, memory layout and allocator bring together: ``lungcad bench --only forward_vs_default``.
    """
    tune_allocator()
    if torch.cuda.is_available():
        return Device(torch.device("cuda"), torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16)
    if torch.backends.mps.is_available():
        return Device(torch.device("mps"), None)
    return Device(torch.device("cpu"), torch.bfloat16 if _cpu_has_bfloat16() else None)


def in_halves(run: Callable[[Tensor], Tensor], inputs: Tensor) -> Tensor:
    """``run`` of a batch (N, ...); where an accelerator's memory does not hold it, of its halves, and of theirs.

    Raises ``torch.OutOfMemoryError`` where not even one image fits.
    """
    try:
        return run(inputs)
    except torch.OutOfMemoryError:
        if len(inputs) < 2:
            raise
    if torch.cuda.is_available():  # outside the except: what the fault holds on to is free by now
        torch.cuda.empty_cache()
    return torch.cat([in_halves(run, half) for half in inputs.tensor_split(2)])


def plain_cpu() -> Device:
    """The CPU in float32, whatever else there is."""
    return Device(torch.device("cpu"), None)


def threads() -> int:
    """How many threads a network may take on the CPU; other runtimes than torch take as many."""
    return torch.get_num_threads()


def _cpu_has_bfloat16() -> bool:
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, check, lambda: False)() for check in checks)
