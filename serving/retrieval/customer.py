"""A customer as models and candidate sources see one, from Feast's values: online, or point-in-time in training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from infra.base.calendar import DAY_MICROS
from serving.retrieval.articles import ArticleTable

RECENT_PURCHASES = 20
_ACTIVITY = "customer_activity_30d:"


@dataclass(frozen=True)
class Customer:
    """What is known of one customer on one day.

    ``bought_*`` describe distinct articles, newest first; ``recent_*`` the last purchases, repeats kept, newest first.
    Articles that the release does not know are left out. Days are days since 1970-01-01.
    """

    customer_id: str
    today: int
    values: Mapping[str, Any]  # "view:feature" -> Feast's value, absent or None where missing
    bought: npt.NDArray[np.int32]  # [k] positions in the release's article table
    bought_times: npt.NDArray[np.int32]  # [k]
    bought_last_day: npt.NDArray[np.int32]  # [k]
    recent: npt.NDArray[np.int32]  # [<= RECENT_PURCHASES] positions
    recent_day: npt.NDArray[np.int32]  # [<= RECENT_PURCHASES]

    @property
    def has_history(self) -> bool:
        """Whether the customer is known to have bought any article of the release."""
        return self.bought.size > 0

    def number(self, reference: str) -> float:
        """A numeric feature, NaN where missing."""
        value = self.values.get(reference)
        return float("nan") if value is None else float(value)

    @classmethod
    def from_values(cls, customer_id: str, values: Mapping[str, Any], articles: ArticleTable, today: int) -> Customer:
        """Unite the batch history with the purchases that streamed in after it.

        Args:
            values: Feast's values of the three customer views by ``view:feature``. Online these are the newest, in
                training those of the day's start.
            today: the day of the request.
        """
        values = _without_empty_window(values)
        last_batch_day = _integer(values.get("customer_history:last_purchase_day"), default=-1)
        history_ids = _sequence(values.get("customer_history:articles"))
        activity_ids = _sequence(values.get("customer_activity_30d:articles"))
        activity_days = [at // DAY_MICROS for at in _sequence(values.get("customer_activity_30d:articles_at"))]

        bought: dict[int, list[int]] = {}  # position -> [times, last day]; insertion order is newest first
        recent: list[tuple[int, int]] = []
        for article_id, day in zip(activity_ids, activity_days, strict=True):
            position = articles.position.get(article_id)
            if position is None:
                continue
            recent.append((position, day))
            if day > last_batch_day:
                entry = bought.setdefault(position, [0, day])
                entry[0] += 1
        times = _sequence(values.get("customer_history:article_times"))
        last_days = _sequence(values.get("customer_history:article_last_days"))
        for article_id, count, day in zip(history_ids, times, last_days, strict=True):
            position = articles.position.get(article_id)
            if position is None:
                continue
            entry = bought.setdefault(position, [0, int(day)])
            entry[0] += int(count)
        if len(recent) < RECENT_PURCHASES:
            oldest = recent[-1][1] if recent else today + 1
            seen = {position for position, _ in recent}
            recent += [
                (position, last) for position, (_, last) in bought.items() if position not in seen and last <= oldest
            ][: RECENT_PURCHASES - len(recent)]
        recent = recent[:RECENT_PURCHASES]
        return cls(
            customer_id=customer_id,
            today=today,
            values=values,
            bought=np.fromiter(bought, np.int32, len(bought)),
            bought_times=np.fromiter((times for times, _ in bought.values()), np.int32, len(bought)),
            bought_last_day=np.fromiter((last for _, last in bought.values()), np.int32, len(bought)),
            recent=np.fromiter((position for position, _ in recent), np.int32, len(recent)),
            recent_day=np.fromiter((day for _, day in recent), np.int32, len(recent)),
        )


def _without_empty_window(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """A 30-day window that has emptied is missing, like one that never began.

    Batch and a window that falls in the stream leave zeros, a store loaded anew holds nothing; models must not see
    which of these it was.
    """
    if values.get(f"{_ACTIVITY}purchases") != 0:
        return values
    return {name: value for name, value in values.items() if not name.startswith(_ACTIVITY)}


def _sequence(value: Any) -> Sequence[Any]:
    # A point-in-time join gives NaN for a missing list.
    return () if value is None or isinstance(value, float) else value


def _integer(value: Any, default: int) -> int:
    # Point-in-time joins give NaN where a customer has no row yet.
    return default if value is None or value != value else int(value)
