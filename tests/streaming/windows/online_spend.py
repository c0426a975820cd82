"""The example of CONTRIBUTING's recipe: a 30-day feature that the project does not have, added as the recipe says.

In the project the aggregation would be a file of ``streaming/windows/aggregations``, the feature a line of
``feature_repo/schema.py``, aggregation and rule one line each in ``streaming/windows/definitions.py``, and the batch
columns lines of ``feature_repo/batch/customer_activity.py``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import ibis
import numpy as np

from feature_repo.batch.change_points import enter, leave, running_totals
from feature_repo.events.purchase import Purchase
from feature_repo.schema import CUSTOMER_ACTIVITY_30D, WINDOW_DAYS, Feature, Kind
from streaming.events.purchase_columns import Ints, PurchaseColumns
from streaming.windows.aggregations.day_totals import ONLINE
from streaming.windows.definitions import CUSTOMER_WINDOW, Window, over


class OnlineSpend:
    """What was spent online, by day."""

    def initialize(self) -> dict[int, int]:
        return {}

    def add(self, state: dict[int, int], purchases: Iterable[Purchase]) -> None:
        for purchase in purchases:
            if purchase.sales_channel_id == ONLINE:
                state[purchase.day] = state.get(purchase.day, 0) + purchase.price_micros

    def expire(self, state: dict[int, int], first_day: int) -> None:
        for day in [day for day in state if day < first_day]:
            del state[day]

    def value(self, state: dict[int, int], first_day: int) -> int:
        return sum([spent for day, spent in state.items() if day >= first_day])

    def column(self, purchases: PurchaseColumns, first_day: Ints) -> Ints:
        counted = purchases.since(first_day) & (purchases.sales_channel_id == ONLINE)
        return purchases.total(np.where(counted, purchases.price_micros, 0))


FEATURE = Feature("online_spend_micros", Kind.INT64, "Sum of prices paid online, millionths of the currency unit.")
VIEW = replace(CUSTOMER_ACTIVITY_30D, features=(*CUSTOMER_ACTIVITY_30D.features, FEATURE))
WINDOW = Window(
    VIEW,
    aggregations={**CUSTOMER_WINDOW.aggregations, "online_spend": OnlineSpend()},
    rules={**CUSTOMER_WINDOW.rules, FEATURE.name: over("online_spend")},
)


def online_spend(purchases: ibis.Table) -> ibis.Table:
    """The feature as batch computes it: customer_id, stamp, online_spend_micros at every change point."""
    online = purchases.sales_channel_id == ONLINE
    by_day = purchases.group_by(["customer_id", "day"]).aggregate(
        spent=(purchases.price_micros * online.cast("int64")).sum()
    )
    return running_totals(
        "customer_id",
        enter(by_day, "customer_id", online_spend_micros=by_day.spent),
        leave(by_day, "customer_id", by_day.day + WINDOW_DAYS, online_spend_micros=by_day.spent),
    )
