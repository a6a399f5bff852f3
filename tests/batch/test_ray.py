"""The engine ray: a cluster of two nodes on this machine, a worker of which is killed; and a machine without Ray."""

import os
import signal
import socket
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import psutil
import pytest

from lungcad.batch import ENGINES, Pool, run_batch
from lungcad.batch.plan import ROWS
from lungcad.errors import LungcadError
from lungcad.files import STAGING
from tests.batch.conftest import N_FAULTS, N_IMAGES


def test_without_ray_one_sentence_says_how_to_get_it(question, tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, "lungcad.batch.on_ray", raising=False)
    monkeypatch.setitem(sys.modules, "ray", None)  # as where it is not installed
    with pytest.raises(LungcadError, match=r"pip install 'lungcad\[ray\]'"):
        list(ENGINES["ray"](tmp_path, [0], Pool()))


@pytest.fixture
def cluster():
    """Two nodes of one CPU each."""
    pytest.importorskip("ray", reason="Ray is not installed (the extra ray)")
    from tests.batch.two_nodes import two_nodes

    with two_nodes():
        yield


def workers():
    """Processes that hold a network."""
    return [process for process in psutil.Process().children(recursive=True) if "RayWorker" in " ".join(process.cmdline())]


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_the_rows_are_those_of_local_although_a_worker_is_killed(question, slices, tmp_path, cluster):
    question = replace(question, shard_size=1)
    run_batch(question, tmp_path / "local")
    killed = []

    def kill_one(done, total):
        if done and not killed:
            killed.append(workers()[0].pid)
            os.kill(killed[0], signal.SIGKILL)

    summary = run_batch(question, tmp_path / "ray", engine="ray", pool=Pool(workers=2), on_progress=kill_one)
    assert killed and (summary.counts.images, summary.counts.faults) == (N_IMAGES, N_FAULTS)
    local, ray = (pd.read_parquet(tmp_path / name / ROWS) for name in ("local", "ray"))
    pd.testing.assert_frame_equal(ray, local, check_exact=True)
    assert sorted(path.name for path in (tmp_path / "ray" / ROWS).iterdir()) == [f"{shard:06d}.parquet" for shard in range(N_IMAGES)]
    for make, methods in (("trust", ("gradcam",)), ("index", ())):  # of one patient
        one = replace(question, source=str(slices / "patient-0"), shard_size=3, make=make, methods=methods)
        results = [run_batch(one, tmp_path / f"{engine}-{make}", engine=engine, pool=Pool(workers=1)).result for engine in ("local", "ray")]
        assert results[0] == results[1]
        local, ray = (pd.read_parquet(tmp_path / f"{engine}-{make}" / ROWS) for engine in ("local", "ray"))
        pd.testing.assert_frame_equal(ray, local, check_exact=True)


def test_a_shard_that_brings_its_worker_down_again_and_again_ends_the_run(question, tmp_path):
    pytest.importorskip("ray", reason="Ray is not installed (the extra ray)")
    from lungcad.batch.on_ray import TRIES, RayWorker

    out = tmp_path / "out"
    run_batch(question, out)
    (out / ROWS / "000001.parquet").unlink()
    mark = out / ROWS / f"{STAGING}try-000001"
    mark.write_bytes(b"." * (TRIES - 1))  # as many workers died of it
    assert RayWorker(out)({"shard": np.array([1])})["sentence"] == [""] and not mark.exists()
    mark.write_bytes(b"." * TRIES)
    [sentence] = RayWorker(out)({"shard": np.array([1])})["sentence"]
    assert sentence.startswith(f"The worker of shard 1 died {TRIES} times") and "--resume" in sentence


@pytest.mark.parametrize("address", ["127.0.0.1:{port}", "ray://127.0.0.1:{port}", "127.0.0.1:99999"])
def test_a_cluster_that_does_not_answer_is_one_sentence(address, tmp_path):
    pytest.importorskip("ray", reason="Ray is not installed (the extra ray)")
    from lungcad.batch.on_ray import on_ray

    with socket.socket() as closed:  # nobody listens at the port that it holds
        closed.bind(("127.0.0.1", 0))
        address = address.format(port=closed.getsockname()[1])
        with pytest.raises(LungcadError, match=f"No Ray cluster answers at {address} "):
            list(on_ray(tmp_path, [0], Pool(address=address)))
