"""How much of a visit an article is: alone in a basket, or one of many.

Sales count articles, but a shop serves visits, and most are for one article or two. Who carries home twenty says little
about what the next visitor wants. So every basket has one vote, divided evenly among its articles.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from towers.data.purchase_log import PurchaseLog

MEMORY_DAYS = 30
SMOOTHING_UNITS = 5.0
"""Units that count as no evidence: an article hardly sold has the shop's votes per unit."""


def votes_per_unit(purchases: PurchaseLog, articles: int) -> npt.NDArray[np.float32]:
    """The votes that a sold unit of each article stands for, [articles], 1 for an article always bought alone.

    A basket is what a customer buys on a day. Of several units of one article in a basket only the first votes.

    Args:
        purchases: those of the last MEMORY_DAYS count.
        articles: number of articles of the release.
    """
    recent = purchases.since(int(purchases.day.max(initial=0)) - MEMORY_DAYS + 1)
    if len(recent) == 0:
        return np.ones(articles, np.float32)
    newest = int(recent.day.max())
    basket = recent.customer.astype(np.int64) * MEMORY_DAYS + newest - recent.day
    basket = np.unique(basket, return_inverse=True)[1]
    voter, article = np.divmod(np.unique(basket * articles + recent.article), articles)
    votes = np.bincount(article, 1.0 / np.bincount(voter)[voter], articles)
    units = np.bincount(recent.article, minlength=articles)
    usual = votes.sum() / units.sum()
    smoothed: npt.NDArray[np.float32] = (votes + SMOOTHING_UNITS * usual) / (units + SMOOTHING_UNITS)
    return smoothed.astype(np.float32)
