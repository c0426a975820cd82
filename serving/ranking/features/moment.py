"""Month and weekday of the request on the unit circle, so that December is next to January.

The query tower has a group of these columns, too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

from infra.base.calendar import date_of
from serving.ranking.feature_group import Column, FeatureGroup
from serving.ranking.ranking_inputs import RankingInputs


class Moment(NamedTuple):
    """A day as two angles."""

    month: float  # radians, 0 = January
    weekday: float  # radians, 0 = Monday

    @classmethod
    def of(cls, today: int) -> Moment:
        """Args:
        today: days since 1970-01-01.
        """
        day = date_of(today)
        return cls(2 * math.pi * (day.month - 1) / 12, 2 * math.pi * day.weekday() / 7)


MOMENT_COLUMNS: Mapping[str, Callable[[Moment], Column]] = {
    "month_sin": lambda moment: math.sin(moment.month),
    "month_cos": lambda moment: math.cos(moment.month),
    "weekday_sin": lambda moment: math.sin(moment.weekday),
    "weekday_cos": lambda moment: math.cos(moment.weekday),
}

MOMENT = FeatureGroup[RankingInputs, Moment](lambda inputs: Moment.of(inputs.customer.today), MOMENT_COLUMNS)
