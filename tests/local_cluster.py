"""Three Redis masters of this machine as one cluster: killed, emptied, set back, started again one by one, replaced."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import redis
from redis.cluster import RedisCluster
from redis.crc import REDIS_CLUSTER_HASH_SLOTS

from infra.local.ports import HOST, free_port
from infra.local.process import wait_until
from tests.streaming.worker.lazy_redis import LazyRedis

NODES = 3


class ClusterNode(LazyRedis):
    """One master, synced to disk once a second.

    It goes on while another is away (``cluster-require-full-coverage no``): gateways read what is left, and workers,
    which need all masters, wait by themselves.
    """

    def __init__(self, number: int, folder: Path, port: int, bus_port: int) -> None:
        super().__init__(folder / f"redis-{number}", folder / "logs", port)
        self.name = f"redis-{number}"
        self.bus_port = bus_port

    def client(self) -> redis.Redis:
        """A client of this node alone."""
        return redis.Redis(host=HOST, port=self.port, protocol=2)

    def log_bytes(self) -> int:
        """The size of the append-only file: a place in this node's history."""
        return self._log().stat().st_size

    def set_back(self, log_bytes: int) -> None:
        """Let a node that does not run have lost all that it wrote after this place; a torn write goes as a whole."""
        with self._log().open("r+b") as log:
            log.truncate(log_bytes)

    def empty(self) -> None:
        """Let a node that does not run have lost everything but its place in the cluster."""
        shutil.rmtree(self.data_dir / "appendonlydir")

    def replication(self) -> dict[str, Any]:
        """What this node says of its role, its master or its replicas, and how much of their history it has."""
        with self.client() as client:
            return dict(client.info("replication"))

    def cut_off_replicas(self) -> None:
        """Let this master's replicas lose touch: they know nothing of what it writes from now on."""
        with self.client() as client:
            client.execute_command("ACL", "SETUSER", "default", "-psync")
            client.execute_command("CLIENT", "KILL", "TYPE", "replica")

    def _log(self) -> Path:
        (log,) = (self.data_dir / "appendonlydir").glob("*.incr.aof")
        return log

    def _command(self) -> list[str]:
        settings = {
            "cluster-enabled": "yes",
            "cluster-port": str(self.bus_port),
            "cluster-node-timeout": "2000",
            "cluster-require-full-coverage": "no",
            "auto-aof-rewrite-percentage": "0",  # the log is one file, and what is at its end is what came last
        }
        return [*super()._command(), *(word for key, value in settings.items() for word in (f"--{key}", value))]


class LocalCluster:
    """A context manager: within it the cluster serves all slots, unless a test has ended a node.

    Args:
        folder: for data and logs.
    """

    def __init__(self, folder: Path) -> None:
        ports: set[int] = set()
        while len(ports) < 2 * (NODES + 1):
            ports.add(free_port())
        *self.nodes, self._replica = [
            ClusterNode(number, folder, ports.pop(), ports.pop()) for number in range(NODES + 1)
        ]
        self._known_nodes = NODES

    @property
    def url(self) -> str:
        return "redis+cluster://" + ",".join(node.address for node in self.nodes)

    def client(self) -> RedisCluster:
        """redis-py's client of the whole cluster."""
        return RedisCluster(host=HOST, port=self.nodes[0].port)

    def node_of(self, key: bytes | str) -> ClusterNode:
        """Who has a key."""
        with self.client() as client:
            port = client.get_node_from_key(key).port
        return next(node for node in self.nodes if node.port == port)

    def start_again(self) -> None:
        """Start the nodes that do not run, and return once all slots are served and all nodes agree."""
        for node in self.nodes:
            node.start_again()
        wait_until(self._is_whole, 30, "the cluster to be whole")

    def add_replica(self, master: ClusterNode) -> ClusterNode:
        """Give a master a replica, which knows all when this returns, and takes over once the master is gone."""
        self._replica.start_again()
        self._known_nodes += 1
        _tell(self._replica, "CLUSTER", "MEET", HOST, master.port, master.bus_port)
        wait_until(self._is_whole, 30, "the replica to be known")
        _tell(self._replica, "CLUSTER", "REPLICATE", _tell(master, "CLUSTER", "MYID"))
        wait_until(lambda: self._replica.replication()["role"] == "slave", 30, "the replica to be one")
        wait_until(lambda: self._replica.replication()["master_link_status"] == "up", 30, "the replica to know all")
        return self._replica

    def move_slot(self, slot: int, source: ClusterNode, target: ClusterNode) -> None:
        """Hand one slot with its keys from master to master, as ``redis-cli --cluster reshard`` does."""
        self.begin_to_move(slot, source, target)
        self.end_move(slot, source, target)

    def begin_to_move(self, slot: int, source: ClusterNode, target: ClusterNode) -> None:
        """Hand the keys over; the slot is still the source's, which sends who asks for one to the target (``ASK``)."""
        source_id, target_id = (_tell(node, "CLUSTER", "MYID") for node in (source, target))
        _tell(target, "CLUSTER", "SETSLOT", slot, "IMPORTING", source_id)
        _tell(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", target_id)
        with source.client() as client:
            keys = client.execute_command("CLUSTER", "GETKEYSINSLOT", slot, 1_000)
            if keys:
                client.execute_command("MIGRATE", HOST, target.port, "", 0, 5_000, "KEYS", *keys)

    def end_move(self, slot: int, source: ClusterNode, target: ClusterNode) -> None:
        """Make the slot the target's."""
        target_id = _tell(target, "CLUSTER", "MYID")
        for node in (target, source, *self.nodes):
            _tell(node, "CLUSTER", "SETSLOT", slot, "NODE", target_id)
        wait_until(self._is_whole, 30, "the cluster to be whole")

    def __enter__(self) -> Self:
        for node in self.nodes:
            node.start_again()
        share = REDIS_CLUSTER_HASH_SLOTS // NODES
        for number, node in enumerate(self.nodes):
            last = REDIS_CLUSTER_HASH_SLOTS - 1 if number == NODES - 1 else (number + 1) * share - 1
            _tell(node, "CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            _tell(node, "CLUSTER", "ADDSLOTSRANGE", number * share, last)
            _tell(node, "CLUSTER", "MEET", HOST, self.nodes[0].port, self.nodes[0].bus_port)
        self.start_again()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for node in (*self.nodes, self._replica):
            node.stop()

    def _is_whole(self) -> bool:
        return all(self._sees_all(node) for node in self.nodes)

    def _sees_all(self, node: ClusterNode) -> bool:
        info = str(_tell(node, "CLUSTER", "INFO"))
        served = f"cluster_slots_ok:{REDIS_CLUSTER_HASH_SLOTS}" in info
        return served and "cluster_state:ok" in info and f"cluster_known_nodes:{self._known_nodes}" in info


def _tell(node: ClusterNode, *command: Any) -> Any:
    with node.client() as client:
        answer = client.execute_command(*command)
        return answer.decode() if isinstance(answer, bytes) else answer
