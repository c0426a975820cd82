"""What was last known of the customers seen lately: stands in while the stage that knows it now is away."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

_Known = TypeVar("_Known")


class LastKnown(Generic[_Known]):
    """By customer, of the ``most`` customers that came last."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: OrderedDict[str, _Known] = OrderedDict()

    def put(self, customer_id: str, known: _Known) -> None:
        """Remember; who has not come for longest makes room."""
        self._known[customer_id] = known
        self._known.move_to_end(customer_id)
        if len(self._known) > self._most:
            self._known.popitem(last=False)

    def get(self, customer_id: str) -> _Known | None:
        """What was last known of a customer."""
        return self._known.get(customer_id)
