"""A local Apache Kafka: one broker that is its own controller (KRaft), from pinned jars, on whatever Java there is."""

from __future__ import annotations

import os
import re
import shutil
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path

from infra.local.kafka.jars import kafka_jars
from infra.local.kafka.java import find_java
from infra.local.ports import HOST, free_port
from infra.local.process import ChildProcess
from infra.local.server import Server

JAVA_OPTIONS = (
    "-Xms128m",
    "-Xmx512m",
    "-XX:+UseSerialGC",  # one broker on a small machine: fewer threads and less memory than G1
    "-XX:TieredStopAtLevel=1",  # the optimising compiler takes 2 of the 5 CPU seconds of a start and gains nothing here
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.awt.headless=true",
)
FORMAT_WITHIN_SECONDS = 60
_LOGGING = Path(__file__).with_name("kafka_log4j2.yaml")


class KafkaServer(Server):
    """A single-node Kafka.

    A broker killed outright comes back in a few seconds: its controller sends nobody to it until the session of the
    broker before it has timed out, so the session is short here.
    """

    server_name = "kafka"
    ready_within_seconds = 90
    stops_within_seconds = 20

    def __init__(self, data_dir: Path, log_dir: Path, port: int | None = None) -> None:
        super().__init__(data_dir, log_dir, port)
        self._jars: list[Path] = []
        self._java = Path()

    @property
    def bootstrap_servers(self) -> str:
        return self.address

    @property
    def _properties_path(self) -> Path:
        return self.data_dir / "server.properties"

    @property
    def _log_dir(self) -> Path:
        return self.data_dir / "logs"

    def _command(self) -> list[str]:
        self._jars = kafka_jars()
        self._java = find_java()
        # A controller's port is its own affair: nobody else connects to it, so a new one at each start will do.
        self._properties_path.write_text(self._properties(free_port()))
        self._format_once()
        return self._java_command("kafka.Kafka", str(self._properties_path))

    def _is_ready(self) -> bool:
        return self._listens() and self._broker_is_unfenced()

    def _java_command(self, main_class: str, *arguments: str) -> list[str]:
        classpath = os.pathsep.join(map(str, self._jars))
        logging = f"-Dlog4j2.configurationFile={_LOGGING}"
        return [str(self._java), *JAVA_OPTIONS, logging, "-cp", classpath, main_class, *arguments]

    def _format_once(self) -> None:
        """Give the log folder its cluster id and its first controller.

        The mark is set last: a folder whose formatting was interrupted holds no events yet and is made anew.
        """
        mark = self.data_dir / "formatted"
        if mark.exists():
            return
        shutil.rmtree(self._log_dir, ignore_errors=True)
        command = self._java_command(
            "kafka.tools.StorageTool", "format", "--standalone", "-t", _cluster_id(), "-c", str(self._properties_path)
        )
        name = "kafka-format"
        ChildProcess(name, command, self.log_dir, self.data_dir / f"{name}.pid").wait_until_done(FORMAT_WITHIN_SECONDS)
        mark.touch()

    def _broker_is_unfenced(self) -> bool:
        """Whether the broker is in its own list of brokers: the port opens before the controller lets clients in."""
        from kafka.admin import KafkaAdminClient
        from kafka.errors import KafkaError

        try:
            admin = KafkaAdminClient(
                bootstrap_servers=self.address,
                bootstrap_timeout_ms=2_000,
                request_timeout_ms=2_000,
                retry_backoff_ms=50,
            )
        except KafkaError:
            return False
        try:
            return bool(admin.describe_cluster()["brokers"])
        except KafkaError:
            return False
        finally:
            admin.close()

    def _properties(self, controller_port: int) -> str:
        settings = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.bootstrap.servers": f"{HOST}:{controller_port}",
            "listeners": f"BROKER://{self.address},CONTROLLER://{HOST}:{controller_port}",
            "advertised.listeners": f"BROKER://{self.address}",
            "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "BROKER",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": str(self._log_dir),
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "8",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "8",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "group.initial.rebalance.delay.ms": "0",
            "auto.create.topics.enable": "false",
            "broker.session.timeout.ms": "1500",
            "broker.heartbeat.interval.ms": "300",
            "log.retention.ms": "-1",
        }
        return "".join(f"{key}={_escaped(value)}\n" for key, value in settings.items())


def _cluster_id() -> str:
    """22 characters of base64 that do not begin like an option of the command line."""
    while True:
        text = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text


def _escaped(value: str) -> str:
    """A value as Java's properties format wants it, where a backslash escapes."""
    return re.sub(r"\\", r"\\\\", value)
