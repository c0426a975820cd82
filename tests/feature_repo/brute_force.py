"""The features of one entity on one day, straight from their definition. Slow and plain, to hold the tables to."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any

DAY_MICROS = 86_400_000_000


@dataclass(frozen=True)
class Purchase:
    """A purchase of epoch day ``day``; ``number`` orders those of a day."""

    day: int
    number: int
    customer: str
    article: str
    price_micros: int
    channel: int

    @property
    def at(self) -> int:
        return self.day * DAY_MICROS + self.number


def window(purchases: list[Purchase], stamp: int, days: int) -> list[Purchase]:
    """What a row stamped ``stamp`` sees of a window of ``days`` calendar days, oldest first."""
    seen = [purchase for purchase in purchases if stamp - days < purchase.day < stamp]
    return sorted(seen, key=lambda purchase: purchase.at)


def customer_activity(purchases: list[Purchase], stamp: int) -> dict[str, Any]:
    seen = window(purchases, stamp, 30)
    return {
        "purchases": len(seen),
        "spend_micros": sum(p.price_micros for p in seen),
        "distinct_articles": len({p.article for p in seen}),
        "active_days": len({p.day for p in seen}),
        "mean_price_micros": statistics.fmean(p.price_micros for p in seen) if seen else None,
        "online_share": statistics.fmean(p.channel == 2 for p in seen) if seen else None,
        "last_purchase_at": seen[-1].at if seen else None,
        "articles": [p.article for p in reversed(seen)][:20],
        "articles_at": [p.at for p in reversed(seen)][:20],
    }


def article_activity(purchases: list[Purchase], stamp: int) -> dict[str, Any]:
    seen = window(purchases, stamp, 30)
    units_7d = len(window(purchases, stamp, 7))
    return {
        "units": len(seen),
        "distinct_customers": len({p.customer for p in seen}),
        "units_7d": units_7d,
        "units_3d": len(window(purchases, stamp, 3)),
        "trend": ((units_7d + 1) / 7) / ((len(seen) + 30 / 7) / 30),
        "mean_price_micros": statistics.fmean(p.price_micros for p in seen) if seen else None,
        "last_sale_at": seen[-1].at if seen else None,
    }


def customer_history(purchases: list[Purchase], stamp: int) -> dict[str, Any]:
    seen = window(purchases, stamp, 1_000_000)
    prices, days = [p.price_micros for p in seen], sorted({p.day for p in seen})
    newest = list(dict.fromkeys(p.article for p in reversed(seen)))[:100]
    return {
        "purchases": len(seen),
        "distinct_articles": len({p.article for p in seen}),
        "active_days": len(days),
        "mean_days_between_purchases": (days[-1] - days[0]) / (len(days) - 1) if len(days) > 1 else None,
        "spend_micros": sum(prices),
        "spend_mean_micros": statistics.fmean(prices),
        "spend_std_micros": statistics.stdev(prices) if len(prices) > 1 else None,
        "spend_max_micros": max(prices),
        "online_share": statistics.fmean(p.channel == 2 for p in seen),
        "first_purchase_day": days[0],
        "last_purchase_day": days[-1],
        "weekday_shares": [statistics.fmean((p.day + 3) % 7 == weekday for p in seen) for weekday in range(7)],
        "season_shares": [statistics.fmean(_season(p.day) == season for p in seen) for season in range(4)],
        "articles": newest,
        "article_times": [sum(p.article == article for p in seen) for article in newest],
        "article_last_days": [max(p.day for p in seen if p.article == article) for article in newest],
    }


def article_sales(purchases: list[Purchase], stamp: int, ages: dict[str, int]) -> dict[str, Any]:
    seen = window(purchases, stamp, 1_000_000)
    prices, buyers = [p.price_micros for p in seen], {p.customer for p in seen}
    known_ages = [ages[buyer] for buyer in buyers if buyer in ages]
    return {
        "units": len(seen),
        "distinct_customers": len(buyers),
        "price_mean_micros": statistics.fmean(prices),
        "price_std_micros": statistics.stdev(prices) if len(prices) > 1 else None,
        "price_median_micros": statistics.median(prices),
        "first_sale_day": seen[0].day,
        "last_sale_day": seen[-1].day,
        "mean_buyer_age": statistics.fmean(known_ages) if known_ages else None,
        "repeat_rate": statistics.fmean(
            any(other.customer == p.customer and other.day < p.day for other in seen) for p in seen
        ),
    }


def _season(day: int) -> int:
    from datetime import date, timedelta

    return (date(1970, 1, 1) + timedelta(days=day)).month % 12 // 3
