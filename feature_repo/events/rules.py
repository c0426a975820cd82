"""What a good event is. Anything else is refused with a reason that names the field, the value and what was expected.

Three kinds, JSON objects, times in ISO 8601 with a time zone; unknown fields are ignored so that shops may send more.

- ``transactions``: event_id, occurred_at, customer_id, article_id, price, sales_channel_id
- ``interactions``: event_id, occurred_at, customer_id, kind, article_id, request_id, release, position
- ``availability``: event_id, occurred_at, article_id, in_stock
"""

from __future__ import annotations

import json
import math
from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from feature_repo.events.purchase import Purchase, buyer_digest
from infra.base.calendar import DAY_MICROS, epoch_micros, instant_of

CHANNELS = (1, 2)
INTERACTION_KINDS = ("impression", "click", "cart")
LONGEST_ID_BYTES = 200
LONGEST_EVENT_BYTES = 65_536
HIGHEST_PRICE = 1e9
WALL_SKEW_US = DAY_MICROS
"""Nothing occurs later than the machine's clock plus this: microseconds."""

_SHOWN_CHARACTERS = 80


class BadEventError(ValueError):
    """An event that cannot be used; the message is the reason, for the dead-letter topic."""


@dataclass(frozen=True)
class Interaction:
    """A customer saw or touched an article; ``request_id``, ``release`` and ``position`` say what was answered."""

    event_id: str
    occurred_at_us: int
    customer_id: str
    kind: str
    article_id: str
    request_id: str | None
    release: int | None
    position: int | None


@dataclass(frozen=True)
class Availability:
    """An article can be sold from now on, or not."""

    event_id: str
    occurred_at_us: int
    article_id: str
    in_stock: bool


def parse_purchase(
    data: bytes | None,
    partition: int,
    offset: int,
    known_articles: Container[str] | None = None,
    latest_us: int | None = None,
) -> Purchase:
    """Read one event of ``transactions``.

    Args:
        known_articles: ids of the catalogue; None takes any.
        latest_us: nothing occurs later than this, microseconds; None takes any time.

    Raises:
        BadEventError: it cannot be used.
    """
    fields = _fields(data)
    occurred_at_us = _instant(fields, latest_us)
    customer_id = _identifier(fields, "customer_id")
    article_id = _article_id(fields, known_articles)
    price = fields.get("price")
    if isinstance(price, bool) or not isinstance(price, int | float) or price != price or abs(price) == math.inf:
        raise _wrong(fields, "price", "a number, in the currency's unit")
    if not 0 <= price <= HIGHEST_PRICE:
        raise _wrong(fields, "price", f"a price from 0 to {HIGHEST_PRICE:,.0f}")
    channel = fields.get("sales_channel_id")
    if isinstance(channel, bool) or not isinstance(channel, int) or channel not in CHANNELS:
        raise _wrong(fields, "sales_channel_id", "1 (store) or 2 (online)")
    return Purchase(
        _identifier(fields, "event_id"),
        occurred_at_us,
        occurred_at_us // DAY_MICROS,
        customer_id,
        buyer_digest(customer_id),
        article_id,
        round(price * 1_000_000),
        channel,
        partition,
        offset,
    )


def parse_interaction(
    data: bytes | None, known_articles: Container[str] | None = None, latest_us: int | None = None
) -> Interaction:
    """Read one event of ``interactions``; arguments as of :func:`parse_purchase`.

    Raises:
        BadEventError: it cannot be used.
    """
    return checked_interaction(_fields(data), known_articles, latest_us)


def checked_interaction(
    fields: Mapping[str, Any], known_articles: Container[str] | None, latest_us: int | None
) -> Interaction:
    """The one rule for interactions: what a producer has checked by it, the worker takes.

    Args:
        fields: as in the event's JSON.

    Raises:
        BadEventError: the worker would set it aside.
    """
    if fields.get("kind") not in INTERACTION_KINDS:
        raise _wrong(fields, "kind", " or ".join(INTERACTION_KINDS))
    request_id = fields.get("request_id")
    if request_id is not None and not isinstance(request_id, str):
        raise _wrong(fields, "request_id", "a text, or nothing")
    return Interaction(
        _identifier(fields, "event_id"),
        _instant(fields, latest_us),
        _identifier(fields, "customer_id"),
        fields["kind"],
        _article_id(fields, known_articles),
        request_id,
        _optional_integer(fields, "release"),
        _optional_integer(fields, "position"),
    )


def parse_availability(
    data: bytes | None, known_articles: Container[str] | None = None, latest_us: int | None = None
) -> Availability:
    """Read one event of ``availability``; arguments as of :func:`parse_purchase`.

    Raises:
        BadEventError: it cannot be used.
    """
    fields = _fields(data)
    if not isinstance(fields.get("in_stock"), bool):
        raise _wrong(fields, "in_stock", "true or false")
    return Availability(
        _identifier(fields, "event_id"),
        _instant(fields, latest_us),
        _article_id(fields, known_articles),
        fields["in_stock"],
    )


def instant_text(occurred_at_us: int) -> str:
    """The one form in which we write instants: ``2020-09-20T00:00:00.000017Z``, sortable as text."""
    return instant_of(occurred_at_us).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def purchase_event(
    event_id: str, occurred_at_us: int, customer_id: str, article_id: str, price_micros: int, sales_channel_id: int
) -> bytes:
    """The JSON of a purchase as producers send it; prices keep their six decimals."""
    return (
        f'{{"event_id":{json.dumps(event_id)},"occurred_at":"{instant_text(occurred_at_us)}",'
        f'"customer_id":{json.dumps(customer_id)},"article_id":{json.dumps(article_id)},'
        f'"price":{price_micros / 1_000_000!r},"sales_channel_id":{sales_channel_id}}}'
    ).encode()


def _fields(data: bytes | None) -> dict[str, Any]:
    if not data:
        raise BadEventError("the event is empty; expected a JSON object")
    if len(data) > LONGEST_EVENT_BYTES:
        raise BadEventError(f"the event has {len(data):,} bytes; expected at most {LONGEST_EVENT_BYTES:,}")
    try:
        fields = json.loads(data, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BadEventError(f"not JSON: {error}") from None
    if not isinstance(fields, dict):
        raise BadEventError(f"the event is {_shown(fields)}; expected a JSON object")
    return fields


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")


def _identifier(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise _wrong(fields, name, "a text")
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise _wrong(fields, name, "a text of valid characters") from None
    if size > LONGEST_ID_BYTES:
        raise _wrong(fields, name, f"at most {LONGEST_ID_BYTES} bytes")
    return value


def _article_id(fields: Mapping[str, Any], known_articles: Container[str] | None) -> str:
    article_id = _identifier(fields, "article_id")
    if known_articles is not None and article_id not in known_articles:
        raise _wrong(fields, "article_id", "an article of the catalogue")
    return article_id


def _instant(fields: Mapping[str, Any], latest_us: int | None) -> int:
    text = fields.get("occurred_at")
    try:
        instant = datetime.fromisoformat(text)  # type: ignore[arg-type]
        if instant.tzinfo is None or epoch_micros(instant) < 0:
            raise ValueError
        occurred_at_us = epoch_micros(instant)
    except (TypeError, ValueError, OverflowError):
        raise _wrong(fields, "occurred_at", "a time since 1970 with its zone, such as 2020-09-20T14:30:00Z") from None
    if latest_us is not None and occurred_at_us > latest_us:
        raise _wrong(fields, "occurred_at", f"nothing from the future; it is {instant_text(latest_us)} at most")
    return occurred_at_us


def _optional_integer(fields: Mapping[str, Any], name: str) -> int | None:
    value = fields.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63):
        raise _wrong(fields, name, "an integer, or nothing")
    return value


def _wrong(fields: Mapping[str, Any], name: str, expected: str) -> BadEventError:
    if name not in fields:
        return BadEventError(f"field '{name}' is missing; expected {expected}")
    return BadEventError(f"field '{name}' holds {_shown(fields[name])}; expected {expected}")


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=True)
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "..."
