"""The local Redis as most are run in production: synced to disk once a second."""

from __future__ import annotations

import redis

from infra.local.redis import RedisServer


class LazyRedis(RedisServer):
    """A kill may cost it writes of the last two seconds that it has acknowledged; the stream must not mind.

    It recovers to a prefix of its history, and what is applied is marked in that same history, so reading goes on from
    where the windows are, wherever that is.
    """

    @property
    def nodes(self) -> list[LazyRedis]:
        """All servers there are."""
        return [self]

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url)

    def _command(self) -> list[str]:
        return ["everysec" if word == "always" else word for word in super()._command()]
