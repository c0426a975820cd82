"""Which articles there are, so that an event about an unknown one can be refused."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

_LOOK_AGAIN_SECONDS = 0.2


class Catalogue:
    """The article ids of ``var/tables/articles.parquet``; a newer file is noticed when an id is missing.

    Without the file every id is taken: a shop may stream before its catalogue is ingested. An article that is out of
    stock is still one of the catalogue.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._looked_at = 0.0
        self._file: tuple[int, int] | None = None
        self._article_ids: frozenset[str] | None = None
        self.look()

    @property
    def is_ingested(self) -> bool:
        """Whether there is a file to go by."""
        return self._article_ids is not None

    def __contains__(self, article_id: object) -> bool:
        if self._article_ids is None or article_id in self._article_ids:
            return True
        if self._clock() - self._looked_at >= _LOOK_AGAIN_SECONDS:
            self.look()
        return article_id in self._article_ids

    def look(self) -> None:
        """Read the file again, if it is another one than before."""
        self._looked_at = self._clock()
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return
        if self._file != (found.st_mtime_ns, found.st_ino):
            import pyarrow.parquet as pq  # only now: the gateway, which may have no such file, is light without

            column = pq.read_table(self._path, columns=["article_id"]).column("article_id")
            self._file = (found.st_mtime_ns, found.st_ino)
            self._article_ids = frozenset(column.to_pylist())
