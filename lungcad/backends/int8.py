"""Eight-bit integers instead of float32: smaller and, on many CPUs, faster, at a loss that has to be measured (``lungcad int8-table``)."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from lungcad.datasets import DATASETS, Split, is_made
from lungcad.errors import DatasetError, ModelError
from lungcad.export.record import own_images
from lungcad.models import TrainedModel
from lungcad.preprocess import normalise, to_grey

N_CALIBRATION, AT_ONCE = 64, 8
"""Training images from which the ranges of the activations are taken; so many in memory."""


def quantise(model: TrainedModel, path: Path) -> None:
    """An ONNX file of the network's features, in place: weights by channel and activations as integers (ONNX Runtime's static quantiser, QDQ, MinMax).

    Both without a sign: with signed weights CPUs without VNNI saturate (ONNX Runtime's documentation). Raises :class:`ModelError` where the network's data
    set, whose training images give the ranges, is not on this machine.
    """
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static

    dataset = DATASETS[model.card.dataset]
    if not is_made(dataset.name):
        try:
            dataset.locate()
        except DatasetError as error:
            raise ModelError(f"For int8 the network {model.card.name} is calibrated on its training images. {error}") from None
    _, images = own_images(model, N_CALIBRATION, Split.TRAIN)
    inputs = normalise(torch.from_numpy(np.stack([to_grey(image, model.card.preprocess)[0] for image in images])), model.card.preprocess)

    class Batches(CalibrationDataReader):  # type: ignore[misc]  # without types of its own
        """The images, a few at a time."""

        def __init__(self) -> None:
            self._batches: Iterator[torch.Tensor] = iter(inputs.split(AT_ONCE))

        def get_next(self) -> dict[str, np.ndarray] | None:
            """None after the last."""
            batch = next(self._batches, None)
            return None if batch is None else {"image": batch.numpy()}

    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / path.name
        quantize_static(path, made, Batches(), per_channel=True, activation_type=QuantType.QUInt8, weight_type=QuantType.QUInt8)
        path.write_bytes(made.read_bytes())
