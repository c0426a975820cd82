"""A customer unites the batch history with what streamed in since."""

import numpy as np

from infra.base.calendar import DAY_MICROS
from serving.retrieval.customer import Customer
from tests.serving.retrieval_worlds import TODAY, bought, shop

ARTICLES = shop([1, 1, 1, 1])


def streamed(*purchases: tuple[str, int]) -> dict[str, object]:
    return {
        "customer_activity_30d:articles": [article for article, _ in purchases],
        "customer_activity_30d:articles_at": [(TODAY - ago) * DAY_MICROS + 5 for _, ago in purchases],
    }


def test_a_purchase_that_batch_already_holds_is_not_counted_again():
    values = bought(("0000000001", 1)) | streamed(("0000000001", 1))
    customer = Customer.from_values("c", values, ARTICLES, TODAY)
    assert customer.bought.tolist() == [0]
    assert customer.bought_times.tolist() == [1]


def test_a_purchase_of_today_comes_first_and_counts_on_top_of_the_history():
    values = bought(("0000000002", 1), ("0000000001", 9)) | streamed(("0000000001", 0), ("0000000002", 1))
    customer = Customer.from_values("c", values, ARTICLES, TODAY)
    assert customer.bought.tolist() == [0, 1]
    assert customer.bought_times.tolist() == [2, 1]
    assert (TODAY - customer.bought_last_day).tolist() == [0, 1]
    assert customer.recent.tolist() == [0, 1]


def test_older_history_fills_the_recent_purchases_behind_the_streamed_ones():
    values = bought(("0000000002", 1), ("0000000003", 45)) | streamed(("0000000002", 1))
    customer = Customer.from_values("c", values, ARTICLES, TODAY)
    assert customer.recent.tolist() == [1, 2]
    assert (TODAY - customer.recent_day).tolist() == [1, 45]


def test_articles_that_the_release_does_not_know_are_left_out():
    customer = Customer.from_values("c", bought(("9999999999", 1), ("0000000004", 2)), ARTICLES, TODAY)
    assert customer.bought.tolist() == [3]


def test_missing_values_of_a_point_in_time_join_make_a_customer_without_history():
    values = {
        "customer_history:articles": float("nan"),
        "customer_history:last_purchase_day": float("nan"),
        "customer_activity_30d:articles": None,
    }
    customer = Customer.from_values("c", values, ARTICLES, TODAY)
    assert not customer.has_history
    assert np.isnan(customer.number("customer_history:purchases"))


def test_a_window_that_has_emptied_is_like_one_that_never_began():
    emptied = {"customer_activity_30d:purchases": 0, "customer_activity_30d:mean_price_micros": 0.0}
    history = bought(("0000000002", 45))
    with_zeros, without = (
        Customer.from_values("c", values, ARTICLES, TODAY) for values in (history | emptied, history)
    )
    for name in emptied:
        assert np.isnan(with_zeros.number(name))
        assert np.isnan(without.number(name))
    filled = Customer.from_values("c", history | {"customer_activity_30d:purchases": 2}, ARTICLES, TODAY)
    assert filled.number("customer_activity_30d:purchases") == 2
