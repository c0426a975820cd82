"""Calendar-day tiles: what Redis keeps of a window is its purchases, packed, one hash field per entity and day.

Two layouts, little-endian. A customer's tile tells article and event id, an article's tile the buyer; the entity itself
is the key. ``pack`` gives one entry; a tile is the concatenation of entries in any order. ``tile_columns`` reads and
writes many at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct

import numpy as np

from feature_repo.events.purchase import Purchase
from infra.base.calendar import DAY_MICROS

# occurred_at_us, price_micros, sales channel, partition, offset, bytes of event id, bytes of article id; then these
_CUSTOMER_ENTRY = Struct("<qqBHQBB")
# occurred_at_us, price_micros, sales channel, buyer
_ARTICLE_ENTRY = Struct("<qqB16s")


@dataclass(frozen=True)
class TileFormat:
    """How the tiles of one kind of entity are packed.

    Attributes:
        pack: one purchase as an entry.
        unpack: the purchases of a tile, given the entity's id.
        head: the fields of fixed size with which an entry begins; ``NAME_size`` is the size of the text of that name.
        texts: those that follow it, in this order.
    """

    pack: Callable[[Purchase], bytes]
    unpack: Callable[[str, bytes], list[Purchase]]
    head: np.dtype[np.void]
    texts: tuple[str, ...] = ()


def _pack_of_customer(purchase: Purchase) -> bytes:
    event_id, article_id = purchase.event_id.encode(), purchase.article_id.encode()
    return (
        _CUSTOMER_ENTRY.pack(
            purchase.occurred_at_us,
            purchase.price_micros,
            purchase.sales_channel_id,
            purchase.partition,
            purchase.offset,
            len(event_id),
            len(article_id),
        )
        + event_id
        + article_id
    )


def _unpack_of_customer(customer_id: str, tile: bytes) -> list[Purchase]:
    purchases, position = [], 0
    while position < len(tile):
        occurred_at_us, price_micros, channel, partition, offset, event_id_size, article_id_size = (
            _CUSTOMER_ENTRY.unpack_from(tile, position)
        )
        position += _CUSTOMER_ENTRY.size
        event_id = tile[position : position + event_id_size].decode()
        position += event_id_size
        article_id = tile[position : position + article_id_size].decode()
        position += article_id_size
        day = occurred_at_us // DAY_MICROS
        purchases.append(
            Purchase(
                event_id, occurred_at_us, day, customer_id, b"", article_id, price_micros, channel, partition, offset
            )
        )
    return purchases


def _pack_of_article(purchase: Purchase) -> bytes:
    return _ARTICLE_ENTRY.pack(
        purchase.occurred_at_us, purchase.price_micros, purchase.sales_channel_id, purchase.buyer
    )


def _unpack_of_article(article_id: str, tile: bytes) -> list[Purchase]:
    return [
        Purchase("", occurred_at_us, occurred_at_us // DAY_MICROS, "", buyer, article_id, price_micros, channel, 0, 0)
        for occurred_at_us, price_micros, channel, buyer in _ARTICLE_ENTRY.iter_unpack(tile)
    ]


_SALE = [("occurred_at_us", "<i8"), ("price_micros", "<i8"), ("sales_channel_id", "u1")]
_SOURCE = [("partition", "<u2"), ("offset", "<u8")]

CUSTOMER_TILES = TileFormat(
    _pack_of_customer,
    _unpack_of_customer,
    np.dtype([*_SALE, *_SOURCE, ("event_id_size", "u1"), ("article_id_size", "u1")]),
    ("event_id", "article_id"),
)
ARTICLE_TILES = TileFormat(_pack_of_article, _unpack_of_article, np.dtype([*_SALE, ("buyer", "V16")]))
