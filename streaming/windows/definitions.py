"""The 30-day windows of customers and articles: which aggregations they hold and which features they give.

This is the definition. The worker folds purchases with it, and the batch expressions of ``feature_repo/batch`` are
held to it by a property test. A window of ``n`` days of clock day D are the purchases dated in (D - n, D].
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Any

import numpy as np

from feature_repo import contracts
from feature_repo.events.purchase import Purchase
from feature_repo.schema import (
    ARTICLE_ACTIVITY_30D,
    CUSTOMER_ACTIVITY_30D,
    RECENT_DAYS,
    WEEK_DAYS,
    WINDOW_DAYS,
    View,
)
from streaming.events.purchase_columns import Ints, PurchaseColumns
from streaming.windows.aggregations.aggregation import Aggregation
from streaming.windows.aggregations.day_totals import DayTotals, Totals
from streaming.windows.aggregations.distinct import Distinct
from streaming.windows.aggregations.event_ids import EventIds
from streaming.windows.aggregations.latest_purchases import LatestPurchases

RECENT_PURCHASES = 20


@dataclass(frozen=True)
class Rule:
    """How one feature comes from aggregations.

    Attributes:
        reads: the aggregations to look at, each with the number of last days.
        compute: the feature, from their values in this order; of many windows, the column, from columns.
    """

    reads: tuple[tuple[str, int], ...]
    compute: Callable[..., Any]


def over(aggregation: str, days: int = WINDOW_DAYS, then: Callable[[Any], Any] = lambda value: value) -> Rule:
    """The value of one aggregation over the last ``days`` days, through ``then`` if given."""
    return Rule(((aggregation, days),), then)


def _ratio(dividend: Any, divisor: Any) -> Any:
    """None, or in a column NaN, where there is nothing to divide by."""
    if isinstance(divisor, np.ndarray):
        return np.divide(dividend, divisor, out=np.full(divisor.shape, np.nan), where=divisor != 0)
    return dividend / divisor if divisor else None


def trend(totals: str) -> Rule:
    """Daily units of the last week against those of the window: ``feature_repo.contracts.trend``."""
    return Rule(
        ((totals, WEEK_DAYS), (totals, WINDOW_DAYS)),
        lambda week, window: contracts.trend(week.purchases, window.purchases),
    )


def _mean_price_micros(totals: Totals) -> Any:
    return _ratio(totals.spend_micros, totals.purchases)


def _online_share(totals: Totals) -> Any:
    return _ratio(totals.online, totals.purchases)


@dataclass(frozen=True)
class Window:
    """The window of one feature view.

    Attributes:
        view: its features, in the schema's order.
        aggregations: by name.
        rules: by feature name.
    """

    view: View
    aggregations: Mapping[str, Aggregation]
    rules: Mapping[str, Rule]

    def __post_init__(self) -> None:
        names = [feature.name for feature in self.view.features]
        if set(names) != set(self.rules):
            raise ValueError(f"view {self.view.name} has the features {names}, its window computes {list(self.rules)}")

    @cached_property
    def change_lags(self) -> tuple[int, ...]:
        """After how many days the values change by themselves: a purchase of day P changes them on P + each."""
        return tuple(sorted({days for rule in self.rules.values() for _, days in rule.reads}))

    @cached_property
    def adders(self) -> tuple[Callable[[Any, Iterable[Purchase]], None], ...]:
        """The ``add`` of each aggregation, in the order of the states."""
        return tuple(aggregation.add for aggregation in self.aggregations.values())

    @cached_property
    def _reads(self) -> list[tuple[str, int]]:
        """The values that features are computed from, each once: (aggregation, days)."""
        return list(dict.fromkeys(read for feature in self.view.features for read in self.rules[feature.name].reads))

    @cached_property
    def _values(self) -> list[tuple[Callable[[Any, int], Any], int, int]]:
        """How to read them: (value method, position of the state, days)."""
        return [(self.aggregations[name].value, self.position(name), days) for name, days in self._reads]

    @cached_property
    def _computations(self) -> list[tuple[Callable[..., Any], list[int]]]:
        """How to compute each feature, and from which of them."""
        rules = [self.rules[feature.name] for feature in self.view.features]
        return [(rule.compute, [self._reads.index(read) for read in rule.reads]) for rule in rules]

    @cached_property
    def event_ids(self) -> int | None:
        """The position of the guard against purchases sent twice; None if this window has none."""
        return next((n for n, kept in enumerate(self.aggregations.values()) if isinstance(kept, EventIds)), None)

    def position(self, aggregation: str) -> int:
        """Where an aggregation's state stands in the list of states."""
        return list(self.aggregations).index(aggregation)

    def initialize(self) -> list[Any]:
        """The states of an entity without purchases, one per aggregation."""
        return [aggregation.initialize() for aggregation in self.aggregations.values()]

    def values(self, states: list[Any], day: int) -> list[Any]:
        """The features at clock day ``day``, in the schema's order."""
        return self._computed([value(states[position], day - days + 1) for value, position, days in self._values])

    @cached_property
    def has_columns(self) -> bool:
        """Whether ``columns`` can be asked."""
        return all(hasattr(self.aggregations[name], "column") for name, _ in self._reads)

    def columns(self, purchases: PurchaseColumns, day: Ints) -> list[Any]:
        """The features of many windows, given all their purchases, each at its clock day [w]: columns of [w]."""
        aggregations: Any = self.aggregations
        return self._computed([aggregations[name].column(purchases, day - days + 1) for name, days in self._reads])

    def _computed(self, read: list[Any]) -> list[Any]:
        return [
            compute(read[sources[0]]) if len(sources) == 1 else compute(*[read[source] for source in sources])
            for compute, sources in self._computations
        ]


CUSTOMER_WINDOW = Window(
    CUSTOMER_ACTIVITY_30D,
    aggregations={
        "event_ids": EventIds(),
        "totals": DayTotals(),
        "articles": Distinct(attrgetter("article_id")),
        "latest": LatestPurchases(RECENT_PURCHASES),
    },
    rules={
        "purchases": over("totals", then=attrgetter("purchases")),
        "spend_micros": over("totals", then=attrgetter("spend_micros")),
        "distinct_articles": over("articles"),
        "active_days": over("totals", then=attrgetter("days")),
        "mean_price_micros": over("totals", then=_mean_price_micros),
        "online_share": over("totals", then=_online_share),
        "last_purchase_at": over("totals", then=attrgetter("last_us")),
        "articles": over("latest", then=attrgetter("articles")),
        "articles_at": over("latest", then=attrgetter("instants_us")),
    },
)

ARTICLE_WINDOW = Window(
    ARTICLE_ACTIVITY_30D,
    aggregations={"totals": DayTotals(), "buyers": Distinct(attrgetter("buyer"))},
    rules={
        "units": over("totals", then=attrgetter("purchases")),
        "distinct_customers": over("buyers"),
        "units_7d": over("totals", days=WEEK_DAYS, then=attrgetter("purchases")),
        "units_3d": over("totals", days=RECENT_DAYS, then=attrgetter("purchases")),
        "trend": trend("totals"),
        "mean_price_micros": over("totals", then=_mean_price_micros),
        "last_sale_at": over("totals", then=attrgetter("last_us")),
    },
)
