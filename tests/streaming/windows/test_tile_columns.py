"""Tiles by columns are the tiles that are packed and unpacked one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feature_repo.events.purchase import Purchase, buyer_digest
from infra.base.calendar import DAY_MICROS
from streaming.events.purchase_columns import PurchaseColumns
from streaming.windows.tile_columns import pack_entries, unpack_tiles
from streaming.windows.tiles import ARTICLE_TILES, CUSTOMER_TILES, TileFormat

TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=50)
PURCHASE = st.builds(
    lambda event_id, at_us, customer_id, article_id, price, channel, partition, offset: Purchase(
        event_id, at_us, at_us // DAY_MICROS, customer_id, buyer_digest(customer_id), article_id, price, channel,
        partition, offset,
    ),
    TEXT, st.integers(0, 2**50), TEXT, TEXT, st.integers(0, 10**15), st.sampled_from((1, 2)), st.integers(0, 2**16 - 1),
    st.integers(0, 2**62),
)  # fmt: skip


@pytest.mark.parametrize("tiles", [CUSTOMER_TILES, ARTICLE_TILES])
@given(
    by_window=st.lists(st.lists(PURCHASE, min_size=1, max_size=5), min_size=1, max_size=5), gap=st.binary(max_size=3)
)
def test_packed_and_unpacked_as_one_by_one(tiles: TileFormat, by_window: list[list[Purchase]], gap: bytes) -> None:
    every = [purchase for purchases in by_window for purchase in purchases]
    packed = pack_entries(tiles, PurchaseColumns.of(by_window)).to_pylist()
    assert packed == [tiles.pack(purchase) for purchase in every]

    whole = [b"".join(map(tiles.pack, purchases)) for purchases in by_window]
    sizes = np.array([len(tile) for tile in whole])
    ends = np.cumsum(sizes + len(gap))
    data = np.frombuffer(b"".join(gap + tile for tile in whole), np.uint8)
    owner = np.arange(len(whole)) * 2
    found = unpack_tiles(tiles, data, ends - sizes, ends, owner)
    expected = [purchase for number, tile in enumerate(whole) for purchase in tiles.unpack("", tile)]
    assert found.owner.tolist() == np.repeat(owner, [len(purchases) for purchases in by_window]).tolist()
    for name in ("occurred_at_us", "day", "price_micros", "sales_channel_id", "partition", "offset"):
        assert getattr(found, name).tolist() == [getattr(purchase, name) for purchase in expected]
    for name in tiles.texts:
        assert getattr(found, name).to_pylist() == [getattr(purchase, name).encode() for purchase in every]
    if found.buyer is not None:
        assert found.buyer.to_pylist() == [purchase.buyer for purchase in every]
