"""The ranker's inputs: customer, article and customer x article features of every candidate, one packed matrix.

The gateway and the ranker's training call this one function, so a feature cannot be computed in two ways. Counts and
ages are raw here; the ranker's graph compresses and scales them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from serving.ranking.category_features import ABSENT_RANK, KIND_FEATURES, kind_features, relative_price
from serving.ranking.request_features import REQUEST_FEATURES, request_features
from serving.ranking.taste_features import TASTE_FEATURES, taste_features
from serving.retrieval.articles import ACTIVITY_COLUMNS, SALES_COLUMNS, ArticleTable
from serving.retrieval.candidates import ABSENT, CandidateSet
from serving.retrieval.customer import Customer
from serving.retrieval.item_index import ItemIndex

SHARE_CATEGORIES = (
    "product_type_name",
    "product_group_name",
    "graphical_appearance_name",
    "colour_group_name",
    "perceived_colour_master_name",
    "department_name",
    "index_name",
    "index_group_name",
    "section_name",
    "garment_group_name",
)
RECENT_SIMILARITY = 5
"""Purchases whose item vectors a candidate is compared with."""
TASTE_SMOOTHING = 5.0
"""Purchases that count as no evidence of a taste."""
NEVER_DAYS = 1_000.0
"""Stands for "never" in days since something, older than any window that matters."""

_CUSTOMER = (
    "customer_profile:age",
    "customer_history:purchases",
    "customer_history:distinct_articles",
    "customer_history:active_days",
    "customer_history:mean_days_between_purchases",
    "customer_history:spend_mean_micros",
    "customer_history:spend_std_micros",
    "customer_history:online_share",
    "customer_activity_30d:purchases",
    "customer_activity_30d:distinct_articles",
    "customer_activity_30d:active_days",
    "customer_activity_30d:mean_price_micros",
)
_SALES = ("units", "distinct_customers", "price_mean_micros", "price_std_micros", "mean_buyer_age", "repeat_rate")
_ACTIVITY = ("units", "distinct_customers", "units_7d", "units_3d", "trend", "mean_price_micros")


def ranking_feature_names(sources: tuple[str, ...]) -> tuple[str, ...]:
    """The columns of :func:`ranking_features` for a release with these sources, in order."""
    return (
        *(f"{source}_rank" for source in sources),
        *(f"{source}_score" for source in sources),
        "sources",
        "tower_cosine",
        "tower_prior_score",
        "recent_cosine_max",
        "recent_cosine_mean",
        "tower_taste",
        "times_bought",
        "days_since_bought",
        "product_times_bought",
        "days_since_product_bought",
        "product_articles_bought",
        *(f"share_{category}" for category in SHARE_CATEGORIES),
        *(f"last_purchase_same_{category}" for category in SHARE_CATEGORIES),
        "price_over_usual",
        "price_zscore",
        "age_over_buyers_age",
        "days_since_article_first_sold",
        "days_since_article_last_sold",
        *(f"article_{name}" for name in _SALES),
        *(f"article_30d_{name}" for name in _ACTIVITY),
        "price_now_over_usual_price",
        "days_since_last_purchase",
        *(reference.split(":")[0].removeprefix("customer_") + "_" + reference.split(":")[1] for reference in _CUSTOMER),
        *REQUEST_FEATURES,
        *KIND_FEATURES,
        *TASTE_FEATURES,
    )


def ranking_features(
    customer: Customer,
    candidates: CandidateSet,
    articles: ArticleTable,
    index: ItemIndex,
    query_embedding: npt.NDArray[np.float32] | None,
) -> npt.NDArray[np.float32]:
    """Features of one customer's candidates.

    Returns:
        [m, len(ranking_feature_names(candidates.sources))], NaN where missing.
    """
    positions = candidates.positions
    columns: list[npt.NDArray] = []
    columns += list(np.where(candidates.ranks == ABSENT, ABSENT_RANK, candidates.ranks).T)
    columns += list(candidates.scores.T)
    columns.append((candidates.ranks != ABSENT).sum(axis=1))
    columns += _similarities(customer, positions, articles, index, query_embedding)
    columns += _repurchase(customer, positions, articles)
    columns += _category_shares(customer, positions, articles)
    columns += _prices_and_ages(customer, positions, articles)
    columns += _once_per_customer(customer, positions.size)
    columns += kind_features(customer, candidates, articles)
    columns += taste_features(customer, positions, articles)
    return np.stack(columns, axis=1, dtype=np.float32, casting="unsafe")


def _similarities(
    customer: Customer,
    positions: npt.NDArray[np.int32],
    articles: ArticleTable,
    index: ItemIndex,
    query_embedding: npt.NDArray[np.float32] | None,
) -> list[npt.NDArray]:
    missing = np.full(positions.size, np.nan, np.float32)
    vectors = index.vectors[positions]
    log_units = np.log(np.nan_to_num(articles.activity_column("units_3d")[positions]) + 0.3)
    cosine = missing if query_embedding is None else vectors @ query_embedding
    prior_score = missing if query_embedding is None else cosine / index.temperature + index.prior_weight * log_units
    recent = customer.bought[:RECENT_SIMILARITY]
    if recent.size == 0:
        return [cosine, prior_score, missing, missing, missing]
    to_recent = vectors @ index.vectors[recent].T
    # An article bought before would see itself; other features tell that already.
    to_recent[positions[:, None] == recent[None, :]] = np.nan
    counted = ~np.isnan(to_recent)
    filled = np.where(counted, to_recent, 0.0)
    mean = filled.sum(axis=1) / np.maximum(counted.sum(axis=1), 1)
    maximum = np.where(counted, to_recent, -1.0).max(axis=1)
    return [cosine, prior_score, maximum, mean, vectors @ _tower_taste(customer, index)]


def _tower_taste(customer: Customer, index: ItemIndex) -> npt.NDArray[np.float32]:
    """Where all purchases of the customer lie, however old, seen from the middle of the catalogue, [d].

    The query tower leans on the newest purchases; here all count the same. It is the shorter the fewer they are.
    """
    times = customer.bought_times.astype(np.float32)
    purchases = float(times.sum())
    middle = times @ index.vectors[customer.bought] / purchases - index.centre
    taste: npt.NDArray[np.float32] = middle * np.float32(purchases / (purchases + TASTE_SMOOTHING))
    return taste


def _repurchase(customer: Customer, positions: npt.NDArray[np.int32], articles: ArticleTable) -> list[npt.NDArray]:
    size = positions.size
    if not customer.has_history:
        zeros, never = np.zeros(size), np.full(size, NEVER_DAYS)
        return [zeros, never, zeros, never, zeros]
    age_days = np.maximum(customer.today - customer.bought_last_day, 0)
    same = positions[:, None] == customer.bought[None, :]  # [m, k]
    times = same @ customer.bought_times
    days = np.where(same, age_days, NEVER_DAYS).min(axis=1)
    same_product = articles.product[positions][:, None] == articles.product[customer.bought][None, :]
    product_times = same_product @ customer.bought_times
    product_days = np.where(same_product, age_days, NEVER_DAYS).min(axis=1)
    return [times, days, product_times, product_days, same_product.sum(axis=1)]


def _category_shares(customer: Customer, positions: npt.NDArray[np.int32], articles: ArticleTable) -> list[npt.NDArray]:
    shares, same_as_last = [], []
    weight = customer.bought_times / max(int(customer.bought_times.sum()), 1)
    for category in SHARE_CATEGORIES:
        codes = articles.category(category)
        candidate_codes = codes[positions]
        if not customer.has_history:
            shares.append(np.full(positions.size, np.nan))
            same_as_last.append(np.zeros(positions.size))
            continue
        by_code = np.bincount(codes[customer.bought], weight, len(articles.vocabularies[category]))
        shares.append(by_code[candidate_codes])
        same_as_last.append(candidate_codes == codes[customer.bought[0]])
    return shares + same_as_last


def _prices_and_ages(customer: Customer, positions: npt.NDArray[np.int32], articles: ArticleTable) -> list[npt.NDArray]:
    sales, activity = articles.sales[positions], articles.activity[positions]
    sale = {name: sales[:, column] for column, name in enumerate(SALES_COLUMNS)}
    recent = {name: activity[:, column] for column, name in enumerate(ACTIVITY_COLUMNS)}
    price = np.where(np.isnan(recent["mean_price_micros"]), sale["price_mean_micros"], recent["mean_price_micros"])
    usual = customer.number("customer_history:spend_mean_micros")
    spread = customer.number("customer_history:spend_std_micros")
    return [
        price / usual if usual > 0 else np.full(positions.size, np.nan),
        (price - usual) / spread if spread > 0 else np.full(positions.size, np.nan),
        customer.number("customer_profile:age") - sale["mean_buyer_age"],
        customer.today - sale["first_sale_day"],
        customer.today - np.fmax(sale["last_sale_day"], recent["last_sale_day"]),
        *(sale[name] for name in _SALES),
        *(recent[name] for name in _ACTIVITY),
        relative_price(price, sale["price_mean_micros"]),
    ]


def _once_per_customer(customer: Customer, size: int) -> list[npt.NDArray]:
    # As in the query tower: a purchase of today counts as yesterday's, the youngest that training knows.
    last = max(1, customer.today - int(customer.bought_last_day[0])) if customer.has_history else NEVER_DAYS
    values = [float(last), *(customer.number(reference) for reference in _CUSTOMER), *request_features(customer.today)]
    return [np.full(size, value) for value in values]
