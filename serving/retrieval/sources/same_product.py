"""Other colours and sizes of what the customer bought."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import numpy as np

from serving.retrieval.articles import ArticleTable
from serving.retrieval.position_sets import are_among
from serving.retrieval.sources.source import (
    NOTHING,
    CandidateSource,
    PastShop,
    Proposal,
    RetrievalQuery,
    bought_ago,
    top_k,
)


class SameProductSource(CandidateSource):
    """Other articles of the products bought: the latest product first, within a product the best selling first."""

    name = "same_product"
    default_quota = 100
    is_evident = True

    def __init__(self, articles: ArticleTable) -> None:
        self._by_product = np.argsort(articles.product, kind="stable").astype(np.int32)
        sorted_products = articles.product[self._by_product]
        products = int(articles.product.max()) + 1 if len(articles) else 0
        self._start = np.searchsorted(sorted_products, np.arange(products + 1)).astype(np.int32)

    @classmethod
    def fit(cls, past: PastShop) -> Self:
        return cls(past.articles)

    @classmethod
    def load(cls, folder: Path, articles: ArticleTable) -> Self:
        return cls(articles)

    def propose(self, query: RetrievalQuery, limit: int) -> Proposal:
        customer, articles = query.customer, query.articles
        if not customer.has_history:
            return NOTHING
        products, first = np.unique(articles.product[customer.bought], return_index=True)
        age_days = np.maximum(customer.today - customer.bought_last_day[first], 0)
        members = [self._by_product[self._start[p] : self._start[p + 1]] for p in products]
        positions = np.concatenate(members)
        age = np.repeat(age_days, [m.size for m in members])
        new = ~are_among(positions, customer.bought)
        positions, age = positions[new], age[new]
        units = np.nan_to_num(articles.activity_column("units")[positions])
        return top_k(positions, (-age + units / (units + 1.0)).astype(np.float32), limit)

    def reason(self, query: RetrievalQuery, position: int) -> str | None:
        customer, articles = query.customer, query.articles
        places = np.flatnonzero(articles.product[customer.bought] == articles.product[position])
        if not places.size:
            return None
        name = articles.name(int(customer.bought[places[0]]))
        return f"Another colour of {name}, bought {bought_ago(customer, int(places[0]))}"
