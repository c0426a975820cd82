"""What a window adds up day by day: purchases, spend, purchases online, and the newest instant."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from feature_repo.events.purchase import Purchase
from streaming.events.purchase_columns import Ints, PurchaseColumns

ONLINE = 2


class Totals(NamedTuple):
    """Sums over the days asked for: integers, so exact in any order; or columns of such.

    Attributes:
        days: calendar days with at least one purchase.
        purchases: how many.
        spend_micros: their prices, millionths of the currency unit.
        online: how many came by the sales channel 2.
        last_us: the newest instant, microseconds since 1970-01-01; None without a purchase.
    """

    days: Any
    purchases: Any
    spend_micros: Any
    online: Any
    last_us: Any


class DayTotals:
    """Keeps a day's sums in one small list, since they are always wanted together: one look-up per purchase."""

    def initialize(self) -> dict[int, list[int]]:
        return {}

    def add(self, state: dict[int, list[int]], purchases: Iterable[Purchase]) -> None:
        for purchase in purchases:
            of_day = state.get(purchase.day)
            if of_day is None:
                of_day = state[purchase.day] = [0, 0, 0, 0]
            of_day[0] += 1
            of_day[1] += purchase.price_micros
            if purchase.sales_channel_id == ONLINE:
                of_day[2] += 1
            if purchase.occurred_at_us > of_day[3]:
                of_day[3] = purchase.occurred_at_us

    def expire(self, state: dict[int, list[int]], first_day: int) -> None:
        for day in [day for day in state if day < first_day]:
            del state[day]

    def value(self, state: dict[int, list[int]], first_day: int) -> Totals:
        days = purchases = spend_micros = online = last_us = 0
        for day, (of_day, spent, by_web, newest_us) in state.items():
            if day >= first_day:
                days += 1
                purchases += of_day
                spend_micros += spent
                online += by_web
                if newest_us > last_us:
                    last_us = newest_us
        return Totals(days, purchases, spend_micros, online, last_us if days else None)

    def column(self, purchases: PurchaseColumns, first_day: Ints) -> Totals:
        counted = purchases.since(first_day)
        count = purchases.total(counted)
        return Totals(
            days=purchases.total(counted & purchases.begins(purchases.owner, purchases.day)),
            purchases=count,
            spend_micros=purchases.total(np.where(counted, purchases.price_micros, 0)),
            online=purchases.total(counted & (purchases.sales_channel_id == ONLINE)),
            last_us=pa.array(purchases.occurred_at_us[purchases.lasts], mask=count == 0),
        )
