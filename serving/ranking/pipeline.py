"""Find, features, rerank: what an answer is made of, without deadlines or I/O.

The gateway walks these stages under a deadline and has the model server score between them; its warm-up and offline
evaluation walk the same ones. So what is served is what was evaluated.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from serving.ranking.filters.allowed import Allowed
from serving.ranking.find_candidates import Candidates, find_candidates
from serving.ranking.ranking_features import ranking_features
from serving.ranking.rerank import ShopRules, rerank
from serving.retrieval.customer import Customer
from serving.retrieval.position_sets import are_among
from serving.retrieval.sources.source import ReleaseView, RetrievalQuery


@dataclass(frozen=True)
class RankingPipeline:
    """The stages over one release, or over the same parts as of a past day."""

    release: ReleaseView
    rules: ShopRules = field(default_factory=ShopRules)

    def query(
        self, customer: Customer, query_embedding: npt.NDArray[np.float32] | None, viewed: int = -1
    ) -> RetrievalQuery:
        """What the sources are asked.

        Args:
            query_embedding: [d], None where the query tower did not answer.
            viewed: position of the article being looked at, -1 for none.
        """
        return RetrievalQuery(customer, self.release.articles, query_embedding, self.release.index, viewed)

    def find(self, query: RetrievalQuery, allowed: Allowed) -> Candidates:
        """Candidates of all sources; of who has bought nothing yet, what is trending."""
        return find_candidates(self.release, query, allowed, only_trending=not query.customer.has_history)

    def find_trending(self, query: RetrievalQuery, allowed: Allowed) -> Candidates:
        """What is trending, whoever asks: where a source breaks."""
        return find_candidates(self.release, query, allowed, only_trending=True)

    def features(self, query: RetrievalQuery, found: Candidates) -> npt.NDArray[np.float32]:
        """The ranker's inputs, [candidates, features], NaN = missing."""
        release = self.release
        return ranking_features(query.customer, found.proposed, release.articles, release.index, query.query_embedding)

    def rerank(self, customer: Customer, found: Candidates, scores: npt.NDArray[np.float32]) -> npt.NDArray[np.intp]:
        """Indexes into the candidates in the order of showing, [m]."""
        positions = found.proposed.positions
        products, vectors = self.release.articles.product[positions], self.release.index.vectors[positions]
        return rerank(scores, positions, products, vectors, are_among(positions, customer.bought), self.rules)
