"""The best sellers where the sources leave too few: as if all were sorted, of which only the wanted are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.ranking.filters.allowed import Allowed
from serving.ranking.request_sources.popular import other_best_sellers
from serving.retrieval.item_index import ItemIndex
from tests.serving.feature_worlds import set_columns
from tests.serving.retrieval_worlds import ReleaseParts, shop

UNITS = st.one_of(st.integers(0, 3).map(float), st.just(float("nan")))
ROWS = st.lists(st.tuples(UNITS, UNITS, UNITS, st.booleans(), st.booleans()), min_size=1, max_size=30)


def shop_of(recent, month, ever, in_stock) -> ReleaseParts:
    articles = set_columns(shop(recent), activity_units_3d=recent, activity_units=month, sales_units=ever)
    articles.in_stock[:] = in_stock
    return ReleaseParts(articles, ItemIndex(np.ones((len(articles), 1), np.float32), 0.1, 0.0), ())


@given(ROWS, st.integers(0, 35))
def test_they_are_in_the_order_of_sales_of_days_of_a_month_of_all_time(rows, count):
    recent, month, ever, in_stock, known = (list(column) for column in zip(*rows, strict=True))
    release = shop_of(recent, month, ever, in_stock)
    free = [n for n in range(len(rows)) if in_stock[n] and not known[n]]
    units = np.nan_to_num(np.asarray([recent, month, ever]))
    expected = sorted(free, key=lambda n: (*(-units[:, n]), n))[:count]
    found = other_best_sellers(release, Allowed(release.articles), np.flatnonzero(known).astype(np.int32), count)
    assert found.tolist() == expected


@pytest.mark.parametrize("recent", [range(1_000), [0] * 1_000])
def test_only_as_many_as_are_wanted_are_sorted(recent, monkeypatch):
    release = shop_of(list(recent), list(range(1_000)), [1] * 1_000, True)
    sizes, sort = [], np.lexsort

    def watched(keys):
        sizes.append(len(keys[0]))
        return sort(keys)

    monkeypatch.setattr(np, "lexsort", watched)
    found = other_best_sellers(release, Allowed(release.articles), np.empty(0, np.int32), 10)
    assert found.tolist() == list(range(999, 989, -1))
    assert sizes == [10]
