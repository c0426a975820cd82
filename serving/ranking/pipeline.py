"""Find, features, rerank: what an answer is made of, without deadlines or I/O.

The gateway walks these stages under a deadline and has the model server score between them; its warm-up and offline
evaluation walk the same ones. So what is served is what was evaluated.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from serving.ranking.filters import Allowed
from serving.ranking.find_candidates import Candidates, ReleaseView, find_candidates
from serving.ranking.ranking_features import ranking_features
from serving.ranking.rerank import ShopRules, rerank
from serving.retrieval.customer import Customer
from serving.retrieval.sources.source import Question


@dataclass(frozen=True)
class RankingPipeline:
    """The stages over one release, or over the same parts as of a past day."""

    release: ReleaseView
    rules: ShopRules = field(default_factory=ShopRules)

    def find(self, question: Question, allowed: Allowed, viewed: int = -1) -> Candidates:
        """Candidates of all sources; of who has bought nothing yet, what is trending.

        Args:
            viewed: position of the article being looked at, -1 for none.
        """
        return find_candidates(self.release, question, allowed, viewed, only_trending=not question.customer.has_history)

    def find_trending(self, question: Question, allowed: Allowed, viewed: int = -1) -> Candidates:
        """What is trending, whoever asks: where a source breaks."""
        return find_candidates(self.release, question, allowed, viewed, only_trending=True)

    def features(self, question: Question, found: Candidates) -> npt.NDArray[np.float32]:
        """The ranker's inputs, [candidates, features], NaN = missing."""
        release = self.release
        return ranking_features(
            question.customer, found.proposed, release.articles, release.index, question.query_embedding
        )

    def rerank(self, customer: Customer, found: Candidates, scores: npt.NDArray[np.float32]) -> npt.NDArray[np.intp]:
        """Indexes into the candidates in the order of showing, [m]."""
        positions = found.proposed.positions
        products, vectors = self.release.articles.product[positions], self.release.index.vectors[positions]
        return rerank(scores, positions, products, vectors, np.isin(positions, customer.bought), self.rules)
