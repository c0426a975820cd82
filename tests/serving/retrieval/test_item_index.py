"""The index finds what brute force finds, and its popularity prior moves in place."""

import numpy as np

from serving.retrieval.item_index import ItemIndex


def index_of(articles: int = 200, dim: int = 16, prior_weight: float = 0.5) -> tuple[ItemIndex, np.ndarray]:
    vectors = np.random.default_rng(1).normal(size=(articles, dim)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return ItemIndex(vectors, temperature=0.1, prior_weight=prior_weight), vectors


def test_search_is_exact_and_contains_the_prior():
    index, vectors = index_of()
    units = np.random.default_rng(2).integers(0, 50, 200).astype(np.float32)
    index.set_units(slice(None), units)
    query = vectors[17]
    expected = vectors @ query / 0.1 + 0.5 * np.log(units + 0.3)
    positions, scores = index.search(query, 10)
    assert positions.tolist() == np.argsort(-expected)[:10].tolist()
    np.testing.assert_allclose(scores, np.sort(expected)[::-1][:10], rtol=1e-5)


def test_a_new_sale_moves_only_its_own_article():
    index, vectors = index_of()
    query = vectors[3]
    before = dict(zip(*map(np.ndarray.tolist, index.search(query, 200)), strict=True))
    index.set_units(np.asarray([42], np.int32), np.asarray([1000.0], np.float32))
    after = dict(zip(*map(np.ndarray.tolist, index.search(query, 200)), strict=True))
    assert {position for position in after if after[position] != before[position]} == {42}
    assert after[42] > before[42]
    np.testing.assert_array_equal(index.vectors, vectors)


def test_vectors_outlive_the_index_they_were_taken_from():
    index, vectors = index_of(articles=5_000)
    taken = index.vectors
    del index
    churn = [np.full((5_000, 17), np.nan, np.float32) for _ in range(20)]  # whoever is given freed memory next
    np.testing.assert_array_equal(taken, vectors)
    assert len(churn) == 20


def test_similar_articles_leave_the_article_itself_out():
    index, vectors = index_of()
    positions, cosines = index.similar(5, 3)
    expected = vectors @ vectors[5]
    expected[5] = -2
    assert positions.tolist() == np.argsort(-expected)[:3].tolist()
    assert (np.diff(cosines) <= 0).all()
