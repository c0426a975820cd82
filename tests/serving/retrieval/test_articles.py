"""The live columns of articles."""

import numpy as np

from serving.retrieval.articles import ACTIVITY_COLUMNS, ArticleTable, float32_remainders
from tests.serving.retrieval_worlds import shop


def test_a_window_that_has_emptied_is_missing_whatever_the_store_holds_for_it():
    articles = shop([1, 1, 1])
    rows = np.full((3, len(ACTIVITY_COLUMNS)), 7, np.float32)
    rows[1] = 0  # fell in the stream
    rows[2] = np.nan  # never began
    articles.update_activity(np.arange(3, dtype=np.int32), rows)
    assert (articles.activity[0] == 7).all()
    assert np.isnan(articles.activity[1:]).all()
    assert articles.units_3d.tolist() == [7, 0, 0]


def test_prices_are_exact_live_and_in_a_release(tmp_path):
    articles = shop([1, 1, 1])
    usual = np.asarray([9_999_987_654.0, 20_000_001.0, np.nan])
    articles.sales_column("price_mean_micros")[:] = usual
    articles.price_remainders[:, 1] = float32_remainders(usual)
    rows = np.full((1, len(ACTIVITY_COLUMNS)), 10_000_000_001.0)
    articles.update_activity(np.asarray([1], np.int32), rows.astype(np.float32), float32_remainders(rows[:, 0]))
    articles.activity_column("mean_price_micros")[[0, 2]] = np.nan
    everything = np.arange(3, dtype=np.int32)
    expected = [9_999_987_654.0, 10_000_000_001.0, np.nan]
    np.testing.assert_array_equal(articles.prices_micros(everything), expected)
    articles.save(tmp_path)
    np.testing.assert_array_equal(ArticleTable.load(tmp_path).prices_micros(everything), expected)


def test_a_release_from_before_prices_were_exact_is_read(tmp_path):
    articles = shop([1, 1])
    articles.save(tmp_path)
    (tmp_path / "price_remainders.npy").unlink()
    assert ArticleTable.load(tmp_path).prices_micros(np.arange(2, dtype=np.int32)).tolist() == [20_000, 20_000]
