"""What a candidate source is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from serving.retrieval.articles import ArticleTable
from serving.retrieval.customer import Customer


@dataclass(frozen=True)
class Proposal:
    """Articles that one source proposes, best first, each once."""

    positions: npt.NDArray[np.int32]  # [m]
    scores: npt.NDArray[np.float32]  # [m] descending; comparable within the source only


NOTHING = Proposal(np.empty(0, np.int32), np.empty(0, np.float32))


@dataclass(frozen=True)
class Question:
    """One customer's request, as the sources see it."""

    customer: Customer
    articles: ArticleTable
    query_embedding: npt.NDArray[np.float32] | None  # [d]; None when the query tower did not answer


class CandidateSource(Protocol):
    """Proposes articles for a customer."""

    name: str

    def propose(self, question: Question, limit: int) -> Proposal:
        """At most ``limit`` articles, best first; :data:`NOTHING` where the source has nothing to say."""
        ...


def best(positions: npt.NDArray[np.int32], scores: npt.NDArray[np.float32], limit: int) -> Proposal:
    """The ``limit`` highest scores, best first; ties go to the lower position, so that answers repeat."""
    order = np.lexsort((positions, -scores))[:limit]
    return Proposal(positions[order], scores[order].astype(np.float32))
