"""Articles near the customer's query embedding, with the fresh popularity prior."""

from __future__ import annotations

from serving.retrieval.sources.source import NOTHING, CandidateSource, Proposal, RetrievalQuery


class TowerSource(CandidateSource):
    """What the two towers have learned; silent while the query tower is away."""

    name = "tower"
    default_quota = 500

    def propose(self, query: RetrievalQuery, limit: int) -> Proposal:
        scores = query.item_scores
        if scores is None or query.index is None:
            return NOTHING
        return Proposal(*query.index.best(scores, limit))

    def reason(self, query: RetrievalQuery, position: int) -> str:
        return "Like what you bought lately" if query.customer.has_history else "Chosen by shoppers like you"
