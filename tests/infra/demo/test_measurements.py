"""How long a purchase takes to change an answer, and what is said when it never does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from infra.demo.measurements import UnchangedAnswerError, purchase_to_answer
from serving.proto.recommender_pb2 import Recommendation, RecommendResponse

MORNING, BOUGHT = datetime(2020, 9, 21, 9, tzinfo=UTC), datetime(2020, 9, 21, 10, tzinfo=UTC)


class Shelf:
    """Stands where a storefront does, with one answer until the purchase and one from then on."""

    def __init__(self, then: Callable[[RecommendResponse], None]) -> None:
        self.answer = RecommendResponse(articles=[Recommendation(article_id="0100000000", score=0.25)])
        self.answer.feature_time.FromDatetime(MORNING)
        self._then = then

    def recommend(self, customer_id: str) -> RecommendResponse:
        answer = RecommendResponse()
        answer.CopyFrom(self.answer)
        return answer

    def sell(self) -> datetime:
        self._then(self.answer)
        return BOUGHT


def know(answer: RecommendResponse) -> None:
    answer.feature_time.FromDatetime(BOUGHT)


def know_and_change(answer: RecommendResponse) -> None:
    know(answer)
    answer.articles[0].score = 0.5


def test_the_first_answer_that_knows_the_purchase_and_differs_counts() -> None:
    shelf = Shelf(know_and_change)
    change = purchase_to_answer(shelf, "anna", shelf.sell)  # type: ignore[arg-type]
    assert (change.before.articles[0].score, change.after.articles[0].score) == (0.25, 0.5)


def test_a_catalogue_that_has_nothing_else_to_show_is_told_from_a_stream_that_does_not_flow() -> None:
    shelf = Shelf(know)
    with pytest.raises(UnchangedAnswerError, match="of anna know the purchase and are as before"):
        purchase_to_answer(shelf, "anna", shelf.sell, timeout_s=0.05)  # type: ignore[arg-type]
    shelf = Shelf(lambda answer: None)
    with pytest.raises(TimeoutError, match="did not change within") as caught:
        purchase_to_answer(shelf, "anna", shelf.sell, timeout_s=0.05)  # type: ignore[arg-type]
    assert not isinstance(caught.value, UnchangedAnswerError)
