"""What a candidate source is.

A source is one class in one file, registered by its line in ``SOURCES`` (``sources/registry.py``): from there training
fits it, the release stores and opens it, requests ask it, the ranker learns its rank and score, and answers give its
reason.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Protocol, Self

import numpy as np
import numpy.typing as npt

from serving.retrieval.articles import ArticleTable
from serving.retrieval.best_first import best_first
from serving.retrieval.customer import Customer
from serving.retrieval.item_index import ItemIndex


@dataclass(frozen=True)
class Proposal:
    """Articles that one source proposes, best first, each once."""

    positions: npt.NDArray[np.int32]  # [m]
    scores: npt.NDArray[np.float32]  # [m] descending; comparable within the source only


NOTHING = Proposal(np.empty(0, np.int32), np.empty(0, np.float32))


@dataclass(frozen=True)
class RetrievalQuery:
    """One customer's request, as the sources see it."""

    customer: Customer
    articles: ArticleTable
    query_embedding: npt.NDArray[np.float32] | None = None  # [d]; None where the query tower did not answer
    index: ItemIndex | None = None  # None where there are no towers
    viewed: int = -1  # position of the article being looked at, -1 for none

    @cached_property
    def item_scores(self) -> npt.NDArray[np.float32] | None:
        """query . item / temperature of all articles, [n]; None where there is no embedding, or no towers."""
        if self.query_embedding is None or self.index is None:
            return None
        return self.index.scores(self.query_embedding)


class PastShop(Protocol):
    """What a source is fitted to: the shop before a day. Training counts, ``towers/training/counts/``."""

    @property
    def articles(self) -> ArticleTable:
        """As of that day's start."""
        ...

    @property
    def images(self) -> npt.NDArray[np.floating]:
        """Picture embeddings, [n, dims]; centred, as PCA leaves them."""
        ...

    @property
    def units(self) -> npt.NDArray[np.int64]:
        """Units ever sold, [n]."""
        ...

    def purchase_pairs(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """Articles that one customer bought near each other in time, in both directions, and how much each counts."""
        ...

    def votes_per_unit(self) -> npt.NDArray[np.float32]:
        """How much of a visit a sold unit of each article stands for, [n]."""
        ...


class CandidateSource(ABC):
    """Proposes articles for a customer. A source of its own overrides ``propose``, and what else it needs."""

    name: ClassVar[str]
    default_quota: ClassVar[int] = 0
    """How many articles it may propose unless training is told otherwise; 0: off unless asked for."""
    reserved: ClassVar[int] = 0
    """So many of its first proposals stay in a union that is cut, whatever they are worth."""
    is_evident: ClassVar[bool] = False
    """Whether its reason is plainly so, such as "bought before", and is given before any other."""

    @classmethod
    def fit(cls, past: PastShop) -> Self:
        """Learn from the shop before a day. May take long, and import what serving does not have."""
        return cls()

    def save(self, folder: Path) -> None:  # noqa: B027 - most learn nothing
        """Write what :meth:`load` reads; a source that learns nothing writes nothing."""

    @classmethod
    def load(cls, folder: Path, articles: ArticleTable) -> Self:
        """Read what :meth:`save` wrote.

        Args:
            articles: of the release.
        """
        return cls()

    def refresh(self, articles: ArticleTable) -> None:  # noqa: B027 - most look at no live column
        """Work out anew what depends on live columns of the whole catalogue; called by who follows them."""

    @abstractmethod
    def propose(self, query: RetrievalQuery, limit: int) -> Proposal:
        """At most ``limit`` articles, best first; :data:`NOTHING` where the source has nothing to say."""

    def reason(self, query: RetrievalQuery, position: int) -> str | None:
        """Why it proposed an article, in words for the shopper; None: no more than that it sells."""
        return None


@dataclass(frozen=True)
class Quota:
    """A source of a release, the number of articles it may propose, and how often it was right at each place."""

    source: CandidateSource
    limit: int
    precision: npt.NDArray[np.float32] | None = None  # [source_precision.STEPS], None where not known


class ReleaseView(Protocol):
    """What candidates are found in: a release, or the same parts as of a past day."""

    @property
    def articles(self) -> ArticleTable: ...

    @property
    def index(self) -> ItemIndex: ...

    @property
    def quotas(self) -> tuple[Quota, ...]: ...


def top_k(positions: npt.NDArray[np.int32], scores: npt.NDArray[np.float32], limit: int) -> Proposal:
    """The ``limit`` highest scores, best first; ties go to the lower position, so that answers repeat."""
    order = best_first(scores, limit, positions)
    return Proposal(positions[order], scores[order].astype(np.float32))


def bought_ago(customer: Customer, place: int) -> str:
    """When an article was last bought, such as "3 days ago"; ``place`` is its place in ``customer.bought``."""
    days = customer.today - int(customer.bought_last_day[place])
    if days <= 0:
        return "today"
    if days == 1:
        return "yesterday"
    return f"{days} days ago" if days < 60 else f"{days // 30} months ago"
