"""The whole local stack: Redis, Kafka and the model server, whichever of them is not pointed elsewhere."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from types import FrameType, TracebackType
from typing import Self

from infra.base.errors import UserError
from infra.base.lock import only_process
from infra.base.progress import console
from infra.base.settings import Settings
from infra.local.command import VitrineCommand
from infra.local.daemon import Daemon
from infra.local.kafka.server import KafkaServer
from infra.local.kafka.topics import create_topics
from infra.local.model_server import ModelServer
from infra.local.ports import free_port
from infra.local.redis import RedisServer
from infra.local.server import Server
from infra.local.stack_file import ServiceEntry, remove_stack_file, write_stack_file
from infra.local.supervisor import Supervisor

__all__ = ["KafkaServer", "LocalStack", "ModelServer", "Ports", "RedisServer"]

_WAY_OUT = (
    "commands find it by themselves. End it with `vitrine stack stop`, or give this one a folder of its own with "
    "VITRINE_VAR"
)


def _say(text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)


@dataclass(frozen=True)
class Ports:
    """The ports to use; None takes a free one."""

    redis: int | None = None
    kafka: int | None = None
    model_server: int | None = None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Ports:
        """Read ``VITRINE_REDIS_PORT``, ``VITRINE_KAFKA_PORT`` and ``VITRINE_TF_SERVING_PORT``."""
        env = os.environ if environ is None else environ
        return cls(
            redis=_port(env, "VITRINE_REDIS_PORT"),
            kafka=_port(env, "VITRINE_KAFKA_PORT"),
            model_server=_port(env, "VITRINE_TF_SERVING_PORT"),
        )


class LocalStack:
    """A context manager: within it the services run, supervised, and ``settings`` hold their addresses.

    What ``VITRINE_REDIS_URL``, ``VITRINE_KAFKA_BOOTSTRAP_SERVERS`` or ``VITRINE_TF_SERVING_ADDRESS`` point at is used
    as it is, and nothing local is started for it; ``redis``, ``kafka`` or ``model_server`` is None then.

    The model server starts as soon as ``var/models/models.config`` is there; ``model_server.start_again()`` starts it
    now or waits until it is ready.
    Terminal hang-ups and SIGTERM unwind the ``with`` block like Ctrl-C does. If this process is killed outright, the
    kernel ends the services; their data stay and are taken up by the next stack.

    Args:
        settings: the folders, and the addresses of what is outside.
        environ: whose ``VITRINE_*`` variables say what is outside; the process's own by default.
        ports: the ports to use.
        say: gets lines for people.

    Raises:
        UserError: another stack runs on the same folder, or a service cannot be started.
    """

    def __init__(
        self,
        settings: Settings,
        environ: Mapping[str, str] | None = None,
        ports: Ports | None = None,
        say: Callable[[str], None] = _say,
    ) -> None:
        env = os.environ if environ is None else environ
        ports = Ports.from_environment(env) if ports is None else ports
        self.settings = settings
        self.redis: RedisServer | None = None
        self.kafka: KafkaServer | None = None
        self.model_server: ModelServer | None = None
        run_dir, logs_dir = settings.run_dir, settings.logs_dir
        if not env.get("VITRINE_REDIS_URL"):
            self.redis = RedisServer(run_dir / "redis", logs_dir, ports.redis)
        if not env.get("VITRINE_KAFKA_BOOTSTRAP_SERVERS"):
            self.kafka = KafkaServer(run_dir / "kafka", logs_dir, ports.kafka)
        if not env.get("VITRINE_TF_SERVING_ADDRESS"):
            # Its port is chosen now, so that its address is known before there is a model to serve.
            port = free_port() if ports.model_server is None else ports.model_server
            self.model_server = ModelServer(settings.model_base_dir, logs_dir, port)
        self._daemons: list[Daemon] = []
        self._supervisor = Supervisor(say, self._write_stack_file)
        self._writing = threading.Lock()
        self._resources = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as resources:
            taken = f"a local stack already runs on {self.settings.var_dir}"
            resources.enter_context(only_process(self.settings.run_dir / "stack.lock", taken, _WAY_OUT))
            resources.enter_context(_termination_unwinds())
            resources.callback(remove_stack_file, self.settings.run_dir)
            for server in (self.redis, self.kafka):
                if server is not None:
                    resources.callback(server.stop)
            resources.callback(self._supervisor.close)
            self._start_servers()
            self._resources = resources.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._resources.close()

    def run(self, command: VitrineCommand) -> VitrineCommand:
        """Start one of our own commands and supervise it like the servers; it is stopped before they are."""
        try:
            command.start_again()
        except BaseException:
            command.stop()
            raise
        self._supervise(command)
        return command

    def _start_servers(self) -> None:
        servers = [server for server in (self.redis, self.kafka) if server is not None]
        _start_side_by_side(servers)
        if self.redis is not None:
            self.settings = replace(self.settings, redis_url=self.redis.url)
        if self.kafka is not None:
            create_topics(self.kafka.bootstrap_servers)
            self.settings = replace(self.settings, kafka_bootstrap_servers=self.kafka.bootstrap_servers)
        for server in servers:
            self._supervise(server)
        if self.model_server is not None:
            self.settings = replace(self.settings, tf_serving_address=self.model_server.address)
            self._supervise(self.model_server, start_when=self.model_server.config_path.exists)
        self._write_stack_file()

    def _supervise(self, daemon: Daemon, start_when: Callable[[], bool] | None = None) -> None:
        self._daemons.append(daemon)
        self._supervisor.watch(daemon, start_when)
        self._write_stack_file()

    def _write_stack_file(self) -> None:
        addresses = {
            "redis_url": self.settings.redis_url,
            "kafka_bootstrap_servers": self.settings.kafka_bootstrap_servers,
            "tf_serving_address": self.settings.tf_serving_address,
            "gateway_address": self.settings.gateway_address,
            "clock": self.settings.clock,
        }
        services = [
            ServiceEntry(
                name=daemon.name,
                address=daemon.address if isinstance(daemon, Server) else "",
                pid=daemon.pid if daemon.is_running else None,
                log_path=daemon.log_path,
            )
            for daemon in self._daemons
        ]
        with self._writing:
            write_stack_file(self.settings.run_dir, addresses, services)


def _start_side_by_side(servers: Sequence[Server]) -> None:
    """Start all; when one fails or the user interrupts, stop all and raise."""
    pool = ThreadPoolExecutor(max(1, len(servers)))
    futures: list[Future[None]] = [pool.submit(server.start_again) for server in servers]
    try:
        for future in futures:
            future.result()
    except BaseException:
        while wait(futures, timeout=0).not_done:
            for server in servers:
                server.kill()  # asking would take as long as coming up
            wait(futures, timeout=0.1)
        for server in servers:
            server.stop()
        raise
    finally:
        pool.shutdown(wait=False)


@contextmanager
def _termination_unwinds() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into SystemExit, so that ``with`` blocks are left in order."""

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's affair
        return
    former = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _port(env: Mapping[str, str], variable: str) -> int | None:
    text = env.get(variable, "")
    if not text:
        return None
    if not text.isdigit() or not 1 <= int(text) <= 65_535:
        raise UserError(f"{variable} holds {text!r}; expected a port from 1 to 65535, or nothing for a free one")
    return int(text)
