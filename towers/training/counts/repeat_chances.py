"""How likely a customer who has an article is to buy it once more when they come back.

Most of what is bought on a visit was bought on none before, but what was stands first in a good list, and of a basket
only some can come first. Whether somebody comes back at all is another question: only their visits are counted here.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from towers.data.purchase_log import PurchaseLog
from towers.training.counts.shrinkage import shrunk_rates

LATER_VISITS = 7
"""Visits of the same customer that an article of a basket is followed through: the next so many."""
LATER_DAYS = 14
"""And no longer than this."""
CATEGORY_SMOOTHING = 30.0
"""Chances of a category that count as no evidence."""
ARTICLE_SMOOTHING = 20.0
"""The same of an article, which leans on its categories."""
MOST_PURCHASES = 2_000_000
"""The newest so many tell enough of categories; more would only take time."""


def repeat_chances(
    purchases: PurchaseLog, categories: npt.NDArray[np.int32]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Follow every basket through its customer's next visits.

    Categories speak one by one, as if they were independent (naive Bayes): with few repeats known, that orders a
    basket better than a regression over all of them.

    Args:
        categories: codes of the articles, [n, categories].

    Returns:
        [n] sum over categories of log(rate of its value / rate of all), and [n] log of the chance on one visit, of the
        article's categories and its own record.
    """
    article, again = _chances(purchases.newest(MOST_PURCHASES))
    size = len(categories)
    if not again.any():
        return np.zeros(size, np.float32), np.full(size, np.log(1e-6), np.float32)
    mean = float(again.mean())
    log_odds = np.zeros(size)
    for codes in categories.T:
        usual = np.full(int(codes.max(initial=0)) + 1, mean)
        log_odds += np.log(shrunk_rates(codes[article], again, usual, CATEGORY_SMOOTHING) / mean)[codes]
    odds = np.exp(log_odds)
    # Categories that say the same are counted twice: the level, not the order, is set right.
    expected = np.clip(mean * odds * mean * len(again) / (mean * odds[article]).sum(), 0.0, 1.0)
    own = shrunk_rates(article, again, expected, ARTICLE_SMOOTHING)
    return log_odds.astype(np.float32), np.log(own + 1e-6).astype(np.float32)


def _chances(purchases: PurchaseLog) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_]]:
    """Every article of a basket with every later visit: the article, and whether it was bought again there."""
    order = np.lexsort((purchases.article, purchases.day, purchases.customer))
    customer, day, article = purchases.customer[order], purchases.day[order], purchases.article[order]
    new_visit = _changes(customer) | _changes(day)
    distinct = new_visit | _changes(article)
    visit = np.cumsum(new_visit)[distinct] - 1
    article, customer, day = article[distinct], customer[new_visit], day[new_visit]
    first = np.searchsorted(visit, np.arange(len(customer) + 1))
    articles = int(article.max(initial=0)) + 1
    bought = visit.astype(np.int64) * articles + article  # ascending
    tried, again = [np.empty(0, np.int32)], [np.empty(0, np.bool_)]
    for later in range(1, min(LATER_VISITS, len(customer) - 1) + 1):
        same = (customer[later:] == customer[:-later]) & (day[later:] - day[:-later] <= LATER_DAYS)
        basket = np.flatnonzero(same)
        if not basket.size:
            break
        sizes = first[basket + 1] - first[basket]
        rows = np.repeat(first[basket] - np.cumsum(sizes) + sizes, sizes) + np.arange(sizes.sum())
        wanted = np.repeat(basket + later, sizes) * articles + article[rows]
        found = np.minimum(np.searchsorted(bought, wanted), len(bought) - 1)
        tried.append(article[rows])
        again.append(bought[found] == wanted)
    return np.concatenate(tried), np.concatenate(again)


def _changes(values: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    changed = np.ones(len(values), np.bool_)
    changed[1:] = values[1:] != values[:-1]
    return changed
