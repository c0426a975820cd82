"""What a filter is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from serving.retrieval.articles import ArticleTable

Mask = Callable[[npt.NDArray[np.int32]], npt.NDArray[np.bool_]]
"""Tells of positions [m] whether they pass."""


class InvalidFilter(ValueError):  # noqa: N818 - becomes the status INVALID_ARGUMENT
    """A filter cannot be applied as it stands, or not to this release; the message says what to change."""


class ArticleFilter(ABC):
    """One filter of a request, frozen; comparable, so that tests can say what was asked."""

    def is_narrow(self, articles: ArticleTable) -> bool:
        """Whether it may shut out more than a few articles: then sources must look deeper to fill their quotas."""
        return True

    @classmethod
    @abstractmethod
    def asked(cls, filters: Any) -> Self | None:
        """The filter that a ``Filters`` message of recommender.proto asks for, None where it does not.

        Raises:
            InvalidFilter: of no release could it be applied.
        """

    @abstractmethod
    def against(self, articles: ArticleTable) -> Mask:
        """The filter for the articles of one release.

        Raises:
            InvalidFilter: it names what the release does not have.
        """
