"""The first places hold some variety; what is liked most stays first."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from serving.ranking.rerank import ShopRules, rerank

UNLIKE = np.eye(30, dtype=np.float32)  # no two vectors alike


def order(
    scores: list[float],
    products: list[int],
    vectors: np.ndarray = UNLIKE,
    rules: ShopRules | None = None,
    owned: tuple[int, ...] = (),
):
    n = len(scores)
    return rerank(
        np.asarray(scores, np.float32),
        np.arange(n, dtype=np.int32),
        np.asarray(products),
        vectors[:n],
        np.isin(np.arange(n), owned),
        rules or ShopRules(),
    ).tolist()


def test_unlike_articles_keep_the_rankers_order():
    assert order([0.1, 0.9, 0.5], [1, 2, 3]) == [1, 2, 0]


def test_a_product_has_three_of_the_first_twelve_places():
    scores = [1.0 - n / 100 for n in range(20)]
    places = order(scores, [70] * 10 + list(range(10)))
    assert places[:3] == [0, 1, 2]
    assert not set(places[3:12]) & set(range(10))
    assert sorted(places) == list(range(20))
    assert places[12:] == [*range(3, 10), 19]  # behind them the ranker's order stands


def test_what_the_customer_has_takes_no_place_from_other_colours():
    scores = [1.0 - n / 100 for n in range(20)]
    places = order(scores, [70] * 10 + list(range(10)), owned=(0, 2, 8))
    # Three colours of product 70 that are new, and all three that the customer has, each where the ranker puts it.
    assert places[:6] == [0, 1, 2, 3, 4, 8]
    assert places[6:12] == [10, 11, 12, 13, 14, 15]


def test_of_two_near_equal_articles_the_one_unlike_those_above_comes_first():
    vectors = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    assert order([0.9, 0.50, 0.49], [1, 2, 3], vectors) == [0, 2, 1]
    assert order([0.9, 0.50, 0.40], [1, 2, 3], vectors) == [0, 1, 2]  # mild: a clear liking wins


def test_one_product_only_is_shown_nevertheless():
    assert order([0.3, 0.2, 0.1, 0.05, 0.01], [1] * 5) == [0, 1, 2, 3, 4]


def test_nothing_is_arranged_into_nothing():
    assert order([], []) == []


@given(
    st.lists(st.tuples(st.floats(0, 1, width=32), st.integers(0, 5)), max_size=30),
    st.integers(1, 15),
    st.sets(st.integers(0, 29)),
)
def test_every_article_is_shown_once_and_the_best_first(candidates, first_places, owned):
    scores = [score for score, _ in candidates]
    products = [product for _, product in candidates]
    places = order(scores, products, rules=ShopRules(first_places, pool=10), owned=tuple(owned))
    assert sorted(places) == list(range(len(candidates)))
    if places:
        assert scores[places[0]] == max(scores)
