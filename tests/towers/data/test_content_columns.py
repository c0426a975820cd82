"""Content as plain numbers: few columns whatever the catalogue's size, alike for articles that are alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.towers.tower_worlds import catalogue
from towers.data.content_columns import CATEGORY_COLUMNS, IMAGE_COLUMNS, TERM_COLUMNS, content_columns

MOST = CATEGORY_COLUMNS + TERM_COLUMNS + IMAGE_COLUMNS


@pytest.mark.parametrize("articles", [1, 5, 60, 400])
def test_the_columns_are_few_and_finite(articles: int) -> None:
    columns = content_columns(catalogue(articles).content)
    assert columns.shape[0] == articles
    assert 0 < columns.shape[1] <= MOST
    assert np.isfinite(columns).all()


def test_words_beyond_the_most_are_united_and_still_tell_articles_apart() -> None:
    content = catalogue(300).content
    rng = np.random.default_rng(0)
    sort = np.arange(300) % 3
    terms = np.zeros_like(content.terms)
    terms[:, :10] = 1 + sort[:, None] * 1_000 + rng.integers(0, 40, (300, 10))
    columns = content_columns(replace(content, terms=terms))
    assert columns.shape[1] <= MOST
    words = columns[:, -TERM_COLUMNS:]
    words = words / np.linalg.norm(words, axis=1, keepdims=True)
    alike = words @ words.T
    same = sort[:, None] == sort
    assert alike[same].mean() > alike[~same].mean() + 0.1


def test_pictures_are_columns_where_there_are_any() -> None:
    content = catalogue(20).content
    images = np.random.default_rng(0).normal(size=content.images.shape).astype(np.float16)
    without, pictured = content_columns(content), content_columns(replace(content, images=images))
    assert pictured.shape[1] == without.shape[1] + IMAGE_COLUMNS
    np.testing.assert_allclose(np.square(pictured[:, -IMAGE_COLUMNS:]).mean(), 1.0, rtol=1e-2)
