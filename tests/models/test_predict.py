"""Forward passes where an accelerator's memory is short, faked on the CPU."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from lungcad.device import plain_cpu
from lungcad.models import create_model, features, predict_batch
from lungcad.models.weights import ready
from tests.conftest import CLASSES, make_card


class Small(nn.Module):
    """A backbone whose memory holds so many images."""

    def __init__(self, backbone, holds):
        super().__init__()
        self.backbone, self.holds, self.asked = backbone, holds, []

    def forward(self, x):
        self.asked.append(len(x))
        if len(x) > self.holds:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return self.backbone(x)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return ready(create_model("custom_cnn", "gate", len(CLASSES)), make_card("toy", "custom_cnn", "gate", "0" * 64), plain_cpu())


def test_out_of_memory_halves_the_batch_and_goes_on(model):
    batch = torch.rand(7, 3, 64, 64)
    expected, expected_maps = predict_batch(model, batch), features(model, batch)
    model.network.features = small = Small(model.network.features, holds=2)
    torch.testing.assert_close(predict_batch(model, batch), expected, atol=1e-6, rtol=1e-5)
    assert small.asked == [7, 4, 2, 2, 3, 2, 1]
    torch.testing.assert_close(features(model, batch), expected_maps, atol=1e-5, rtol=1e-5)


def test_one_image_that_does_not_fit_is_not_tried_for_ever(model):
    model.network.features = small = Small(model.network.features, holds=0)
    with pytest.raises(torch.OutOfMemoryError):
        predict_batch(model, torch.rand(2, 3, 64, 64))
    assert small.asked == [2, 1]


def test_another_fault_is_not_taken_for_want_of_memory(model):
    with pytest.raises(RuntimeError, match=r"size of tensor|channels"):
        predict_batch(model, torch.rand(2, 5, 64, 64))


def test_inputs_go_to_cuda_from_pinned_memory_in_the_devices_precision_and_layout(monkeypatch):
    moves, to = [], torch.Tensor.to

    def recorded(tensor, *args, **options):
        if args and getattr(args[0], "type", "") == "cuda":
            moves.append((tensor.dtype, tensor.is_contiguous(memory_format=torch.channels_last), options))
            return tensor
        return to(tensor, *args, **options)

    monkeypatch.setattr(torch.Tensor, "to", recorded)
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor: moves.append("pinned") or tensor)
    cuda = replace(plain_cpu(), torch=torch.device("cuda"), autocast=torch.float16)
    cuda.put_inputs(torch.rand(2, 3, 8, 8))
    assert moves == ["pinned", (torch.float16, True, {"non_blocking": True})]
