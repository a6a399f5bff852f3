"""A Ray cluster of two nodes, one CPU each, on this machine: two raylets on loopback."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
import ray
from ray.cluster_utils import Cluster

STORE = 100 * 2**20
"""Bytes of each node's object store, through which only numbers of shards go."""


@contextmanager
def two_nodes() -> Iterator[Cluster]:
    """This process has joined it."""
    node = {"num_cpus": 1, "object_store_memory": STORE, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=node)
    try:
        cluster.add_node(num_cpus=1, object_store_memory=STORE)
        cluster.wait_for_nodes()
        ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()
