"""Words of name and description as hashed ids, so that new words and new articles need no vocabulary."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import chain

import mmh3
import numpy as np
import numpy.typing as npt

from towers.models.article_encoder import TERM_BUCKETS, TERMS_PER_ARTICLE

COMMON_SHARE = 0.2
"""Words in more of the articles than this say nothing: "and", "in", "with"."""

_WORD = re.compile(r"[^\W\d_]{2,}")


def article_terms(names: Sequence[str | None], descriptions: Sequence[str | None]) -> npt.NDArray[np.int32]:
    """Hash the distinct words of each article, those of the name first; words of most articles are left out.

    Args:
        names: product names, [n].
        descriptions: product descriptions, [n]; None where missing.

    Returns:
        [n, TERMS_PER_ARTICLE] in 1 .. TERM_BUCKETS - 1, 0 = none.
    """
    # Colours of one product share their text: split each text once.
    texts = [f"{name or ''} {description or ''}" for name, description in zip(names, descriptions, strict=True)]
    words = {text: tuple(dict.fromkeys(_WORD.findall(text.lower()))) for text in dict.fromkeys(texts)}
    used = Counter(chain.from_iterable(words[text] for text in texts))
    buckets = {
        word: 1 + mmh3.hash(word, signed=False) % (TERM_BUCKETS - 1)
        for word, count in used.items()
        if count <= max(COMMON_SHARE * len(texts), 1)
    }
    terms = np.zeros((len(texts), TERMS_PER_ARTICLE), np.int32)
    rows: dict[str, npt.NDArray[np.int32]] = {}
    for text, distinct in words.items():
        ids = [buckets[word] for word in distinct if word in buckets][:TERMS_PER_ARTICLE]
        rows[text] = np.pad(np.asarray(ids, np.int32), (0, TERMS_PER_ARTICLE - len(ids)))
    for position, text in enumerate(texts):
        terms[position] = rows[text]
    return terms
