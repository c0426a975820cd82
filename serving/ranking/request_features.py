"""Features of the moment, computed at request and in training by this one function."""

from __future__ import annotations

import math
from datetime import date, timedelta

REQUEST_FEATURES = ("month_sin", "month_cos", "weekday_sin", "weekday_cos")
_EPOCH = date(1970, 1, 1)


def request_features(today: int) -> tuple[float, float, float, float]:
    """Month and weekday on the unit circle, so that December is next to January.

    Args:
        today: days since 1970-01-01.
    """
    day = _EPOCH + timedelta(days=today)
    month = 2 * math.pi * (day.month - 1) / 12
    weekday = 2 * math.pi * day.weekday() / 7
    return math.sin(month), math.cos(month), math.sin(weekday), math.cos(weekday)
