"""A new filter is one new file and its line in ``FILTERS``: the recipe of CONTRIBUTING.md, followed."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Self

import numpy as np
import pytest

from serving.gateway import requests
from serving.proto import recommender_pb2 as pb
from serving.ranking.filters.allowed import Allowed
from serving.ranking.filters.article_filter import ArticleFilter, InvalidFilter, Mask
from serving.ranking.filters.in_stock import InStock
from serving.ranking.filters.registry import FILTERS
from serving.retrieval.articles import ArticleTable
from tests.serving.retrieval_worlds import shop


@dataclass(frozen=True)
class LongestName(ArticleFilter):
    """The new file."""

    letters: int

    @classmethod
    def asked(cls, filters: Any) -> Self | None:
        letters = getattr(filters, "longest_name", 0)  # a field of the message, once `make proto` has run
        if letters < 0:
            raise InvalidFilter(f"filters.longest_name is {letters}; give 1 or more")
        return cls(letters) if letters else None

    def against(self, articles: ArticleTable) -> Mask:
        lengths = np.char.str_len(articles.names)
        return lambda positions: lengths[positions] <= self.letters


def message(longest_name: int) -> Any:
    """``pb.Filters`` with the new field."""

    class Message(SimpleNamespace):
        def __getattr__(self, name: str) -> Any:
            return getattr(pb.Filters(), name)

    return Message(longest_name=longest_name)


@pytest.fixture(autouse=True)
def new_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "FILTERS", (*FILTERS, LongestName))


def test_it_is_read_from_the_request_and_applied() -> None:
    articles = shop([1.0] * 12)  # "Product 1" ... "Product 12"
    filters = requests.checked_filters(message(9))
    assert filters == (InStock(), LongestName(9))
    allowed = Allowed(articles, filters)
    assert allowed(np.arange(12, dtype=np.int32)).tolist() == [True] * 9 + [False] * 3
    assert allowed.is_narrow


def test_it_is_refused_with_the_way_out_and_absent_where_not_asked() -> None:
    with pytest.raises(InvalidFilter, match="longest_name is -1; give 1 or more"):
        requests.checked_filters(message(-1))
    assert requests.checked_filters(pb.Filters()) == (InStock(),)
