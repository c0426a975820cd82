"""What is to be found: the articles that each customer of a day bought."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Targets:
    """What the customers of some cases bought, distinct within a case.

    ``articles[offsets[i]:offsets[i + 1]]`` are the targets of case i, ascending.
    """

    articles: NDArray[np.int32]  # [total]
    offsets: NDArray[np.int64]  # [cases + 1]

    @classmethod
    def from_lists(cls, lists: Sequence[Sequence[int]]) -> Targets:
        """Take one list of articles per case; repeats within a case are dropped."""
        rows = [sorted(set(targets)) for targets in lists]
        flat = [article for row in rows for article in row]
        return cls(np.asarray(flat, np.int32), np.cumsum([0, *map(len, rows)]).astype(np.int64))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def counts(self) -> NDArray[np.int64]:
        """Number of targets of each case, [cases]."""
        return np.diff(self.offsets)

    @property
    def cases(self) -> NDArray[np.int64]:
        """The case of every target, [targets in all]."""
        return np.repeat(np.arange(len(self)), self.counts)

    def only(self, wanted: NDArray[np.bool_]) -> Targets:
        """The same cases with some of their targets, [targets in all] of bool; cases may be left without any."""
        counts = np.bincount(self.cases[wanted], minlength=len(self))
        return Targets(self.articles[wanted], np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))

    def take(self, cases: NDArray[np.int64]) -> Targets:
        """The targets of some of the cases, in the order given."""
        parts = [self.articles[self.offsets[case] : self.offsets[case + 1]] for case in cases]
        flat = np.concatenate(parts) if parts else np.empty(0, np.int32)
        return Targets(flat.astype(np.int32), np.cumsum([0, *map(len, parts)]).astype(np.int64))
