"""An article table with what purchases tell of its articles."""

from __future__ import annotations

from dataclasses import replace

from serving.retrieval.articles import ArticleTable
from serving.retrieval.repeat_purchases import RepeatPurchases
from towers.data.purchase_log import PurchaseLog
from towers.training.counts.co_occurrence import fit_co_occurrence
from towers.training.counts.repeat_chances import repeat_chances
from towers.training.counts.repeat_rates import repeat_rates

MEMORY_DAYS = 90
"""Older purchases are left out: what goes together, and what is bought again soon, changes with the season."""


def with_counts(articles: ArticleTable, purchases: PurchaseLog) -> ArticleTable:
    """The same articles with co-occurrence and repeats of these purchases; live columns are shared, not copied."""
    recent = purchases.since(int(purchases.day.max(initial=0)) - MEMORY_DAYS + 1)
    repeats = RepeatPurchases(*repeat_rates(recent, articles), *repeat_chances(purchases, articles.categories))
    return replace(articles, co_occurrence=fit_co_occurrence(recent, articles), repeat_purchases=repeats)
