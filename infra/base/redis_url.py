"""Where the online store is: one Redis, or a Redis Cluster, told apart by the URL alone and never by asking.

``redis://host:port/db`` and ``rediss://...`` are one Redis, in redis-py's own notation with its query options.
``redis+cluster://host:port,host:port`` and ``rediss+cluster://...`` are a cluster, of which any nodes are named to
begin with; user, password and options are the same for all. This is the one place that takes such a URL apart, and the
one that writes it for people: without its secrets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import quote, unquote

from infra.base.addresses import Address, join_address, split_address
from infra.base.errors import UserError

_SCHEME, _PLACE = r"(?P<scheme>rediss?)(?P<cluster>\+cluster)?://", r"(?P<hosts>[^@/?#]*)(/(?P<database>\d*))?"
# A password may hold anything if "/" and "?" are percent-encoded; if they are not, the last "@" ends it.
_URL = re.compile(rf"{_SCHEME}((?P<login>[^/?]*)@)?{_PLACE}(\?(?P<options>.*))?")
_URL_WITH_A_RAW_LOGIN = re.compile(rf"{_SCHEME}((?P<login>.*)@)?{_PLACE}(\?(?P<options>[^@]*))?")
_DEFAULT_PORT = 6379
_SECRET_OPTION = re.compile(r"(?i)((?:^|[?&])[^=&]*(?:password|secret|token|key_data)[^=&]*=)[^&]*")


@dataclass(frozen=True)
class RedisUrl:
    """A Redis URL, taken apart; as text it is fit for people and logs.

    Attributes:
        scheme: ``redis``, or ``rediss`` for TLS.
        user, password: decoded; "" for none.
        addresses: the server; of a cluster some nodes to ask for the others.
        is_cluster: whether keys are spread over several masters.
        database: always 0 on a cluster.
        options: redis-py's query options, as in a URL.
    """

    scheme: str
    user: str
    password: str = field(repr=False)
    addresses: tuple[Address, ...]
    is_cluster: bool
    database: int = 0
    options: str = field(default="", repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Take a URL apart.

        Raises:
            UserError: it is not one of the four kinds.
        """
        for found in (_URL.fullmatch(text), _URL_WITH_A_RAW_LOGIN.fullmatch(text)):
            if found is None:
                continue
            is_cluster, database = bool(found["cluster"]), int(found["database"] or 0)
            hosts = found["hosts"].split(",") if is_cluster else [found["hosts"] or "localhost"]
            try:
                addresses = tuple([split_address(host, _DEFAULT_PORT) for host in hosts])
            except ValueError:
                continue
            if is_cluster and database:
                continue
            user, _, password = (found["login"] or "").partition(":")
            return cls(
                found["scheme"], unquote(user), unquote(password), addresses, is_cluster, database,
                found["options"] or "",
            )  # fmt: skip
        raise UserError(
            f"VITRINE_REDIS_URL is {_without_secrets(text)!r}; expected redis://user:password@host:port/db, or "
            "redis+cluster://host:port,host:port for a Redis Cluster (rediss for TLS)"
        )

    @property
    def text(self) -> str:
        """The URL in full, user and password percent-encoded."""
        hosts = ",".join(join_address(*address) for address in self.addresses)
        return self._of(f"{self.scheme}{'+cluster' if self.is_cluster else ''}", hosts)

    def node(self, address: Address) -> str:
        """The URL, for redis-py, of one server of this deployment."""
        return self._of(self.scheme, join_address(*address))

    def __str__(self) -> str:
        return _without_secrets(self.text)

    def _of(self, scheme: str, hosts: str) -> str:
        password = f":{quote(self.password, safe='')}" if self.password else ""
        login = f"{quote(self.user, safe='')}{password}@" if self.user or password else ""
        options = f"?{self.options}" if self.options else ""
        return f"{scheme}://{login}{hosts}/{self.database}{options}"


def _without_secrets(text: str) -> str:
    """Whatever stands where a password or a secret option would, be the URL good or not."""
    login, at, place = text.rpartition("@")
    kept = re.match(r"([^:/@]*://)?([^:/@]*:)?", login)
    masked = f"{kept[0] if kept else ''}***{at}{place}" if at else text
    return _SECRET_OPTION.sub(r"\1***", masked)
