"""The live columns of articles."""

import numpy as np

from serving.retrieval.articles import ACTIVITY_COLUMNS
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
