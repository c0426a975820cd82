"""Where the online store is: one Redis, or a Redis Cluster, told apart by the URL alone and never by asking.

``redis://host:port/db`` and ``rediss://...`` are one Redis, in redis-py's own notation.
``redis+cluster://host:port,host:port`` and ``rediss+cluster://...`` are a cluster, of which any nodes are named to
begin with; user and password are the same for all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote, urlsplit

from infra.errors import UserError

Address = tuple[str, int]
"""Host and port of one server."""

_CLUSTER = re.compile(
    r"(?P<scheme>rediss?)\+cluster://((?P<login>[^@/]*)@)?(?P<hosts>[^@/?]+)(/0?)?(\?(?P<options>.*))?"
)
_DEFAULT_PORT = 6379


@dataclass(frozen=True)
class RedisUrl:
    """A Redis URL, taken apart.

    Attributes:
        scheme: ``redis``, or ``rediss`` for TLS.
        login: user and password as in a URL, percent-encoded, or nothing.
        addresses: the server; of a cluster some nodes to ask for the others.
        is_cluster: whether keys are spread over several masters.
        database: always 0 on a cluster.
        options: redis-py's query options, as in a URL.
    """

    scheme: str
    login: str
    addresses: tuple[Address, ...]
    is_cluster: bool
    database: int = 0
    options: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Take a URL apart.

        Raises:
            UserError: it is not one of the four kinds.
        """
        cluster = _CLUSTER.fullmatch(text)
        try:
            if cluster:
                addresses = tuple([_address(host) for host in cluster["hosts"].split(",")])
                return cls(cluster["scheme"], cluster["login"] or "", addresses, True, options=cluster["options"] or "")
            url = urlsplit(text)
            if url.scheme in ("redis", "rediss"):
                login, _, _ = url.netloc.rpartition("@")
                address = url.hostname or "localhost", url.port or _DEFAULT_PORT
                return cls(url.scheme, login, (address,), False, int(url.path.strip("/") or 0), url.query)
        except ValueError:
            pass
        raise UserError(
            f"VITRINE_REDIS_URL is {text!r}; expected redis://host:port/db, or redis+cluster://host:port,host:port for "
            "a Redis Cluster (rediss for TLS)"
        )

    def node(self, address: Address) -> str:
        """The URL, for redis-py, of one server of this deployment."""
        host, port = address
        login = f"{self.login}@" if self.login else ""
        options = f"?{self.options}" if self.options else ""
        return f"{self.scheme}://{login}{f'[{host}]' if ':' in host else host}:{port}/{self.database}{options}"

    def feast_connection_string(self) -> str:
        """Feast's notation: ``redis://:secret@host:6379/0`` is ``host:6379,db=0,password=secret``."""
        user, _, password = self.login.partition(":")
        parts = [f"{host}:{port}" for host, port in self.addresses]
        if not self.is_cluster:
            parts.append(f"db={self.database}")
        if user:
            parts.append(f"username={unquote(user)}")
        if password:
            parts.append(f"password={unquote(password)}")
        if self.scheme == "rediss":
            parts.append("ssl=true")
        return ",".join(parts)

    @property
    def feast_redis_type(self) -> str:
        """Feast's ``redis_type``."""
        return "redis_cluster" if self.is_cluster else "redis"

    @property
    def feast_options(self) -> dict[str, str]:
        """What Feast's Redis online store is to be told."""
        return {"redis_type": self.feast_redis_type, "connection_string": self.feast_connection_string()}


def _address(text: str) -> Address:
    if not (found := re.fullmatch(r"\[([0-9a-fA-F:.]+)\](?::(\d+))?|([^:\[\]]+)(?::(\d+))?", text)):
        raise ValueError(text)
    return found[1] or found[3], int(found[2] or found[4] or _DEFAULT_PORT)
