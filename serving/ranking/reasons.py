"""One line of plain words for the shopper: why this article is here."""

from __future__ import annotations

import numpy as np

from serving.ranking.find_candidates import CONTEXT_SIMILAR, CONTEXT_TOGETHER, LISTED, ReleaseView
from serving.retrieval.customer import Customer
from serving.retrieval.sources.bought_again import BoughtAgainSource
from serving.retrieval.sources.bought_together import BoughtTogetherSource
from serving.retrieval.sources.cold_articles import ColdArticlesSource
from serving.retrieval.sources.neighbours import NeighbourSource
from serving.retrieval.sources.same_product import SameProductSource
from serving.retrieval.sources.similar_picture import SimilarPictureSource
from serving.retrieval.sources.tower import TowerSource
from serving.retrieval.sources.trending import DEPARTMENT_TREND, AgeTrendSource

_NEIGHBOURS = {BoughtTogetherSource.name: "Goes with", SimilarPictureSource.name: "Looks like"}


def reason(release: ReleaseView, customer: Customer, position: int, source: str, context: int = -1) -> str:
    """Why ``source`` proposed an article to this customer.

    Args:
        context: position of the article being looked at, -1 for none.
    """
    articles = release.articles
    if source == BoughtAgainSource.name:
        bought = np.flatnonzero(customer.bought == position)
        if bought.size:
            return f"You bought this {_ago(customer, int(bought[0]))}"
    elif source == SameProductSource.name:
        bought = np.flatnonzero(articles.product[customer.bought] == articles.product[position])
        if bought.size:
            name = articles.name(int(customer.bought[bought[0]]))
            return f"Another colour of {name}, bought {_ago(customer, int(bought[0]))}"
    elif source in _NEIGHBOURS:
        place = _purchase_beside(release, customer, position, source)
        if place is not None:
            name = articles.name(int(customer.bought[place]))
            return f"{_NEIGHBOURS[source]} {name}, bought {_ago(customer, place)}"
    elif source == DEPARTMENT_TREND:
        return f"Trending in {articles.category_value('department_name', position)}, where you shop"
    elif source == AgeTrendSource.name:
        return "Trending among shoppers of your age"
    elif source == TowerSource.name:
        return "Like what you bought lately" if customer.has_history else "Chosen by shoppers like you"
    elif source == ColdArticlesSource.name:
        return "A rare find, like what you bought lately" if customer.has_history else "A rare find"
    elif source == CONTEXT_TOGETHER and context >= 0:
        return f"Often bought with {articles.name(context)}"
    elif source == CONTEXT_SIMILAR and context >= 0:
        return f"Like {articles.name(context)}, which you are looking at"
    elif source == LISTED:
        return "From the articles asked for"
    group = articles.category_value("index_group_name", position)
    return f"Trending in {group}" if group else "Trending now"


def _purchase_beside(release: ReleaseView, customer: Customer, position: int, source: str) -> int | None:
    """Which purchase a source of neighbours goes by: its place in ``customer.bought``."""
    for quota in release.quotas:
        if quota.source.name == source and isinstance(quota.source, NeighbourSource):
            return quota.source.reason(customer, position)
    return None


def _ago(customer: Customer, place: int) -> str:
    days = customer.today - int(customer.bought_last_day[place])
    if days <= 0:
        return "today"
    if days == 1:
        return "yesterday"
    return f"{days} days ago" if days < 60 else f"{days // 30} months ago"
