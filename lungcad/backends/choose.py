"""Which runtime a network's forward passes go through."""

from collections.abc import Callable, Sequence

from lungcad.backends.features import through_torch
from lungcad.backends.stored import Record, records_of
from lungcad.backends.table import BACKENDS
from lungcad.errors import LungcadError, UnknownNameError
from lungcad.models import TrainedModel

AUTO, TORCH = "auto", "torch"
NOISE = 1.05
"""A runtime is taken where it is faster than torch by more than this factor, and nowhere slower by more."""

Say = Callable[[str], object]


def with_backend(
    model: TrainedModel, name: str = AUTO, *, passes: int | None = None, batched: bool = False, on_message: Say = lambda _: None
) -> TrainedModel:
    """The network with its forward passes through a runtime; :attr:`~lungcad.models.TrainedModel.backend` of the result says which.

    name: torch, onnxruntime, onnxruntime-int8, openvino; several with commas between are tried in that order; or auto: the fastest that is installed, agrees with
    torch within 1e-3 and was measured here (``lungcad backends --measure``), torch until then and on an accelerator. passes: about how many forward
    passes the work has (None: it goes on, as in the app), against which auto weighs how long a runtime takes to load; batched: many at a time.
    on_message: is told, in a sentence, what is written once and what was tried in vain. Raises :class:`ModelError` where none of those named works.
    """
    usual = through_torch(model)
    names = [each.strip() for each in name.split(",")]
    choices = (AUTO, TORCH, *BACKENDS)
    if unknown := [each for each in names if each not in choices]:
        raise UnknownNameError("backend", unknown[0], choices)
    for each in names:
        try:
            return _with_one(model, _fastest_here(usual, passes, batched=batched) if each == AUTO else each, on_message)
        except LungcadError as error:
            if each == names[-1] and each != AUTO:
                raise
            on_message(str(error))
    return usual


def _with_one(model: TrainedModel, name: str, on_message: Say) -> TrainedModel:
    if name == model.backend:
        return model
    if name == TORCH:
        return through_torch(model)
    from lungcad.backends.make import opened  # brings all that writes networks

    return opened(through_torch(model), BACKENDS[name], on_message)


def _fastest_here(model: TrainedModel, passes: int | None, *, batched: bool) -> str:
    records = [] if model.device.is_accelerator else records_of(model)
    return fastest([record for record in records if record.agrees and record.is_of_here], passes, batched=batched)


def fastest(records: Sequence[Record], passes: int | None = None, *, batched: bool = False) -> str:
    """The runtime whose work is done first by what was measured; torch where none is faster, or none was measured.

    Of work without end: the one that is fastest on one image and in batches together, if it is slower in neither.
    """
    best, least = TORCH, 1 / NOISE
    for record in records:
        if record.speed is None or record.torch is None:
            continue
        single, batch = record.speed.single_ms / record.torch.single_ms, record.speed.batch_ms / record.torch.batch_ms
        if passes is None:
            share = (single * batch) ** 0.5 if max(single, batch) <= NOISE else float("inf")
        else:
            usual = passes * (record.torch.batch_ms if batched else record.torch.single_ms)
            share = (1e3 * record.speed.load_s + passes * (record.speed.batch_ms if batched else record.speed.single_ms)) / max(usual, 1e-9)
        if share < least:
            best, least = record.backend, share
    return best


def installed() -> list[str]:
    """Names that can be asked for here."""
    return [TORCH, *(name for name, backend in BACKENDS.items() if backend.is_installed)]
