"""Words as hashed ids."""

from __future__ import annotations

from towers.data.article_terms import article_terms
from towers.models.article_encoder import TERMS_PER_ARTICLE


def test_the_same_word_has_the_same_id_and_order_is_that_of_the_text() -> None:
    terms = article_terms(["Linen shirt", "Shirt dress"] + [None] * 8, [None] * 10)
    linen, shirt = terms[0, :2]
    assert terms[1, 0] == shirt
    assert linen != shirt
    assert terms[2].sum() == 0


def test_words_of_most_articles_repeats_numbers_and_single_letters_are_left_out() -> None:
    terms = article_terms(
        [f"x {word} with 5" for word in ("silk silk", "wool", "jersey", "denim", "lace", "tulle")], [None] * 6
    )
    assert ((terms > 0).sum(axis=1) == 1).all()


def test_a_long_text_is_cut() -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = " ".join(a + b for a in letters for b in letters)
    assert (article_terms([words], [None]) > 0).sum() == TERMS_PER_ARTICLE
