"""Which articles one customer bought near each other in time: what co-purchase is counted from."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from towers.data.purchase_log import PurchaseLog

BASKET_MEMORY = 60
"""Purchases of a customer that are paired with each other: the newest so many."""
PAIR_HALF_LIFE_DAYS = 14.0
"""Two purchases of a customer this far apart count half as much as two of the same day."""


def purchase_pairs(
    purchases: PurchaseLog,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Both directions of every pair of different articles among a customer's newest purchases.

    Returns:
        The pairs' articles and how much each counts: the nearer in time, the more.
    """
    order = np.lexsort((purchases.day, purchases.customer))
    customer, article, day = purchases.customer[order], purchases.article[order], purchases.day[order]
    left, right, weight = [], [], []
    # Pair each purchase with the one ``step`` places later of the same customer: vectorised over all customers.
    for step in range(1, BASKET_MEMORY):
        same = customer[:-step] == customer[step:] if step < customer.size else np.empty(0, np.bool_)
        if not same.any():
            break
        a, b = article[:-step][same], article[step:][same]
        apart = (day[step:] - day[:-step])[same]
        different = a != b
        w = np.exp2(-apart[different] / PAIR_HALF_LIFE_DAYS).astype(np.float32)
        left += [a[different], b[different]]
        right += [b[different], a[different]]
        weight += [w, w]
    if not left:
        return np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.float32)
    return np.concatenate(left), np.concatenate(right), np.concatenate(weight)
