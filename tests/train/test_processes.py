"""A training in several processes makes the steps that one would make."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from lungcad.datasets.phantoms import make_phantoms
from lungcad.device import plain_cpu
from lungcad.errors import RecipeError
from lungcad.train import fit
from lungcad.train.processes import processes, share_of
from tests.train.in_processes import learning_curves

ROOT = Path(__file__).resolve().parents[2]


def test_two_processes_under_gloo_have_the_learning_curves_of_one(tmp_path, monkeypatch):
    for name in ("best_device", "TrainingModule"):
        monkeypatch.setattr(fit, name, getattr(fit, name))  # put back, whatever learning_curves sets
    data = make_phantoms(tmp_path / "data", 40, size=64)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "tests.train.in_processes"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen([*command, data, tmp_path / "two"], cwd=ROOT, env=environment) as two:
        alone, weights, images = learning_curves(data, tmp_path / "one")
    assert two.returncode == 0
    together = pd.read_json(tmp_path / "two" / "history.json")
    assert len(alone) == 3 and alone.train_loss.nunique() == 3
    pd.testing.assert_frame_equal(together, alone, check_dtype=False, rtol=1e-4, atol=1e-6)
    of_first = json.loads((tmp_path / "two" / "rest.json").read_text())
    torch.testing.assert_close(torch.tensor(of_first["weights"]), weights, rtol=1e-3, atol=1e-5)
    assert 2 * of_first["images"] == images > 0  # the other half was the second one's


def loader(batch_size=4):
    data = TensorDataset(torch.arange(10))
    return DataLoader(data, batch_size, shuffle=True, generator=torch.Generator().manual_seed(0), drop_last=True)


def test_the_shares_are_the_batches():
    whole = [batch.tolist() for (batch,) in loader()]
    shares = [[batch.tolist() for (batch,) in share_of(loader(), rank, 2)] for rank in range(2)]
    assert len(whole) == 2 and [sorted(a + b) for a, b in zip(*shares, strict=True)] == [sorted(batch) for batch in whole]
    assert len(share_of(loader(), 0, 2)) == 2 and share_of(alone := loader(), 0, 1) is alone


def test_a_batch_that_cannot_be_shared_is_refused():
    with pytest.raises(RecipeError, match="A batch of 4 cannot be shared evenly by 3 processes"):
        share_of(loader(), 0, 3)


def test_torchrun_says_how_many(monkeypatch):
    for name in ("LOCAL_WORLD_SIZE", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    assert processes(plain_cpu()) == (1, 1)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    monkeypatch.setenv("WORLD_SIZE", "6")
    assert processes(plain_cpu()) == (2, 3)
