"""More of what a returning customer looks like: first baskets, cut in two.

Few customers come back within a young log, so the ranker sees few of them find something new. But whoever bought
several products at once tells the same: given one part of the basket, the other is what was liked with it. The one part
becomes the history of a customer who bought it some days ago; the other is what they buy today. Only products that are
new to such a customer can be learned from: nobody is asked to buy a part of a basket again.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from infra.base.calendar import DAY_MICROS, date_of
from serving.ranking.feature_group import column_of
from serving.ranking.ranking_inputs import NEVER_DAYS
from serving.retrieval.articles import ArticleTable
from serving.retrieval.customer import Customer
from towers.data.ranking_set import RankingSet
from towers.data.snapshot import Snapshot
from towers.data.targets import Targets

MOST_KNOWN = 5
"""Products of a basket that become history, at most."""


def split_baskets(snapshot: Snapshot, limit: int, rng: np.random.Generator) -> Snapshot:
    """Cold customers of a day as customers who have bought a part of their basket before.

    How long ago is drawn from the day's customers with history. The day's snapshot without customers where nobody has
    any, or nobody else bought two products.

    Args:
        limit: at most so many customers.
    """
    articles, targets = snapshot.articles, snapshot.targets
    gaps = [c.today - int(c.bought_last_day[0]) for c in snapshot.customers if c.has_history]
    customers: list[Customer] = []
    wanted: list[list[int]] = []
    for case in rng.permutation(np.flatnonzero(~snapshot.warm)) if gaps else ():
        if len(customers) == limit:
            break
        basket = targets.articles[targets.offsets[case] : targets.offsets[case + 1]]
        products = np.unique(articles.product[basket])
        if len(products) < 2:
            continue
        known_products = rng.permutation(products)[: rng.integers(1, min(len(products), MOST_KNOWN + 1))]
        known = np.isin(articles.product[basket], known_products)
        day = snapshot.day - max(int(rng.choice(gaps)), 1)
        customers.append(_who_bought(snapshot.customers[case], rng.permutation(basket[known]), day, articles))
        wanted.append(basket[~known].tolist())
    return replace(snapshot, customers=customers, targets=Targets.from_lists(wanted))


def join_baskets(rows: RankingSet, baskets: RankingSet, columns: tuple[str, ...]) -> RankingSet:
    """The ranker's rows with those of held-out baskets behind them.

    The second part of a basket is found oftener than anything new is bought on a day, so their rows are weighed as if
    negatives had been left out: the ranker's chances stay those of real customers.

    Args:
        columns: names of the features.
    """
    returning = rows.features[:, column_of(columns, "days_since_last_purchase")] < NEVER_DAYS
    new = returning & (rows.features[:, column_of(columns, "product_times_bought")] == 0)
    usual, inflated = _chance(rows, new), _chance(baskets, np.ones(len(baskets), np.bool_))
    ratio = inflated / usual if usual > 0 and inflated > 0 else 1.0
    return RankingSet(
        np.concatenate([rows.features, baskets.features]),
        np.concatenate([rows.bought, baskets.bought]),
        np.concatenate([rows.kept_share, (baskets.kept_share / ratio).astype(np.float32)]),
        np.concatenate([rows.case_rows, baskets.case_rows]),
    )


def _chance(rows: RankingSet, chosen: npt.NDArray[np.bool_]) -> float:
    """Share of candidates that were bought, those that were not drawn included."""
    bought, negatives = rows.bought[chosen], 1.0 / rows.kept_share[chosen][~rows.bought[chosen]]
    return float(bought.sum() / max(bought.sum() + negatives.sum(), 1.0))


def _who_bought(customer: Customer, known: npt.NDArray[np.int32], day: int, articles: ArticleTable) -> Customer:
    """The customer with these purchases of one past day, and every feature that follows from them."""
    price = np.nan_to_num(articles.activity_column("mean_price_micros")[known])
    price = np.where(price > 0, price, articles.sales_column("price_mean_micros")[known])
    on = date_of(day)
    count, spend = len(known), float(np.nansum(price))
    mean = float(np.nanmean(price)) if np.isfinite(price).any() else None
    spread = float(np.nanstd(price, ddof=1)) if np.isfinite(price).sum() > 1 else None
    ids = [articles.ids[position] for position in known]
    both = {"purchases": count, "distinct_articles": count, "active_days": 1, "spend_micros": spend}
    values = {
        **customer.values,
        **{f"customer_history:{name}": value for name, value in both.items()},
        **{f"customer_activity_30d:{name}": value for name, value in both.items()},
        "customer_history:spend_mean_micros": mean,
        "customer_history:spend_std_micros": spread,
        "customer_history:spend_max_micros": float(np.nanmax(price)) if mean is not None else None,
        "customer_history:first_purchase_day": day,
        "customer_history:last_purchase_day": day,
        "customer_history:weekday_shares": [float(weekday == on.weekday()) for weekday in range(7)],
        "customer_history:season_shares": [float(season == on.month % 12 // 3) for season in range(4)],
        "customer_history:articles": ids,
        "customer_history:article_times": [1] * count,
        "customer_history:article_last_days": [day] * count,
        "customer_activity_30d:mean_price_micros": mean,
        "customer_activity_30d:articles": ids,
        "customer_activity_30d:articles_at": [day * DAY_MICROS] * count,
    }
    return Customer.from_values(f"{customer.customer_id}, basket", values, articles, customer.today)
