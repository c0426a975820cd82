"""Articles near the customer's query embedding, with the fresh popularity prior."""

from __future__ import annotations

from serving.retrieval.item_index import ItemIndex
from serving.retrieval.sources.source import NOTHING, Proposal, Question


class TowerSource:
    """Approximates what the two towers have learned of taste; silent while the query tower is away."""

    name = "tower"

    def __init__(self, index: ItemIndex) -> None:
        self._index = index

    def propose(self, question: Question, limit: int) -> Proposal:
        if question.query_embedding is None:
            return NOTHING
        return Proposal(*self._index.search(question.query_embedding, limit))
