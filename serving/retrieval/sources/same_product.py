"""Other colours and sizes of what the customer bought."""

from __future__ import annotations

import numpy as np

from serving.retrieval.articles import ArticleTable
from serving.retrieval.sources.source import NOTHING, Proposal, Question, best


class SameProductSource:
    """Other articles of the products bought: the latest product first, within a product the best selling first."""

    name = "same_product"

    def __init__(self, articles: ArticleTable) -> None:
        self._by_product = np.argsort(articles.product, kind="stable").astype(np.int32)
        sorted_products = articles.product[self._by_product]
        products = int(articles.product.max()) + 1 if len(articles) else 0
        self._start = np.searchsorted(sorted_products, np.arange(products + 1)).astype(np.int32)

    def propose(self, question: Question, limit: int) -> Proposal:
        customer, articles = question.customer, question.articles
        if not customer.has_history:
            return NOTHING
        products, first = np.unique(articles.product[customer.bought], return_index=True)
        age_days = np.maximum(customer.today - customer.bought_last_day[first], 0)
        members = [self._by_product[self._start[p] : self._start[p + 1]] for p in products]
        positions = np.concatenate(members)
        age = np.repeat(age_days, [m.size for m in members])
        new = ~np.isin(positions, customer.bought)
        positions, age = positions[new], age[new]
        units = np.nan_to_num(articles.activity_column("units")[positions])
        return best(positions, (-age + units / (units + 1.0)).astype(np.float32), limit)
