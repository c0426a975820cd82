"""One purchase, as every part of this room hands it on."""

from __future__ import annotations

from hashlib import blake2b
from typing import NamedTuple


class Purchase(NamedTuple):
    """One article bought by one customer; a basket of three articles is three purchases.

    Attributes:
        event_id: given by the shop; sent again under the same id it is the same purchase.
        occurred_at_us: microseconds since 1970-01-01 UTC.
        day: UTC day of it, days since 1970-01-01.
        customer_id: "" where only the buyer's digest is known.
        buyer: 16-byte digest of the customer id.
        article_id: the article.
        price_micros: millionths of the currency unit.
        sales_channel_id: 1 store, 2 online.
        partition: of ``transactions`` it came by; ``NO_PARTITION`` for those of files.
        offset: within the partition.
    """

    event_id: str
    occurred_at_us: int
    day: int
    customer_id: str
    buyer: bytes
    article_id: str
    price_micros: int
    sales_channel_id: int
    partition: int
    offset: int


NO_PARTITION = 0xFFFF
"""Stands for the batch tables, whose purchases came by no partition."""


def buyer_digest(customer_id: str) -> bytes:
    """16 bytes for a customer id of any length: two of a billion customers share one with probability 1e-21."""
    return blake2b(customer_id.encode(), digest_size=16).digest()
