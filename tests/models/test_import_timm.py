"""timm comes without torch's compiler, and leaves no stand-in behind."""

import subprocess
import sys

SCRIPT = """
import sys
from lungcad.models.import_timm import timm
assert "torch._dynamo" not in sys.modules, "the compiler was imported"
import torch
network = timm.create_model("resnet18", num_classes=2).eval()
x = torch.rand(1, 3, 64, 64)
compiled = torch.compile(network, backend="eager")
with torch.no_grad():
    torch.testing.assert_close(compiled(x), network(x))
from torchvision.ops import roi_align
torch.use_deterministic_algorithms(True)
pooled = roi_align(x, torch.tensor([[0.0, 0.0, 0.0, 32.0, 32.0]]), 4)
assert pooled.shape == (1, 3, 4, 4) and sys.modules["torch._dynamo"].__file__
"""


def test_the_real_compiler_is_there_for_those_who_ask_for_it():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
