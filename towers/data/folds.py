"""Folds of customers: the ranker learns from towers that have not seen what its customers then bought.

Towers remember a little of every pair they were trained on. A ranker that learned from those very towers on those very
pairs would trust them more than they deserve for anybody else. So the ranker's customers of one fold are seen through
towers that were trained on the others; served are towers that were trained on all. On H&M's 2020-09-18 and 19 the
ranker's chances promise 1.06 and 1.03 purchases for each that was made; without folds, 1.32 and 1.11.
"""

from __future__ import annotations

from zlib import crc32

import numpy as np
import numpy.typing as npt

from towers.data.snapshot import Snapshot

FOLDS = 2


def fold_of(customer_id: str) -> int:
    """Which fold a customer is in, always the same."""
    return crc32(customer_id.encode()) % FOLDS


def fold(snapshot: Snapshot, number: int) -> Snapshot:
    """The snapshot with the customers of one fold."""
    return snapshot.take(np.flatnonzero(_folds(snapshot) == number))


def all_but(snapshot: Snapshot, number: int) -> Snapshot:
    """The snapshot with the customers of all other folds."""
    return snapshot.take(np.flatnonzero(_folds(snapshot) != number))


def _folds(snapshot: Snapshot) -> npt.NDArray[np.int64]:
    return np.fromiter((fold_of(customer.customer_id) for customer in snapshot.customers), np.int64)
