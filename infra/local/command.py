"""Our own programs as daemons: ``vitrine gateway``, ``vitrine stream`` and whatever else has a command."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence

from infra.base.addresses import split_address
from infra.base.settings import Settings
from infra.local.daemon import Daemon
from infra.local.ports import listens


class VitrineCommand(Daemon):
    """``vitrine <arguments>`` with the very settings given, not those that the environment or a stack would suggest.

    Args:
        name: names its log file; several of one kind need several names.
        arguments: the subcommand and its options.
        settings: handed on in ``VITRINE_*`` variables.
        ready: whether it does its work by now, asked many times a second with the daemon itself (``has_logged`` and
            ``listens_on`` help); it must not raise. Without it the command counts as ready when it has written
            anything to its log.
    """

    ready_within_seconds = 60

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        settings: Settings,
        ready: Callable[[VitrineCommand], bool] | None = None,
    ) -> None:
        super().__init__(name, settings.run_dir / name, settings.logs_dir)
        self._arguments = arguments
        self._settings = settings
        self._ready = ready

    def has_logged(self, text: str = "") -> bool:
        """Whether this run's log holds ``text``."""
        logged = self._process.logged() if self._process is not None else ""
        return bool(logged) and text in logged

    def listens_on(self, port: int) -> bool:
        """Whether this very process accepts connections on ``port``."""
        return self._process is not None and listens(self._process.pid, port)

    def _command(self) -> list[str]:
        return [sys.executable, "-P", "-m", "infra.cli", *self._arguments]

    def _environment(self) -> Mapping[str, str]:
        return self._settings.to_environment() | {"PYTHONUNBUFFERED": "1"}

    def _is_ready(self) -> bool:
        return self._ready(self) if self._ready is not None else self.has_logged()


def gateway(settings: Settings, arguments: Sequence[str] = ()) -> VitrineCommand:
    """``vitrine gateway`` on ``settings.gateway_address``, ready when its health service says SERVING."""
    _, port = split_address(settings.gateway_address)

    def is_serving(command: VitrineCommand) -> bool:
        return command.listens_on(port) and health_is_serving(settings.gateway_address)

    return VitrineCommand("gateway", ["gateway", *arguments], settings, is_serving)


def health_is_serving(address: str, timeout_seconds: float = 1) -> bool:
    """Ask the standard gRPC health service about the server as a whole."""
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    with grpc.insecure_channel(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=timeout_seconds)
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
