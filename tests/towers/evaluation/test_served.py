"""Asking a gateway for all customers, and telling how equal its lists are."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent import futures

import grpc
import numpy as np
import pytest

from infra.base.errors import UserError
from serving.proto import recommender_pb2 as messages
from serving.proto.recommender_pb2_grpc import RecommenderServicer, add_RecommenderServicer_to_server
from tests.towers.tower_worlds import catalogue
from towers.evaluation.served.answers import LIST_LENGTH, SURFACE, ask_gateway, compare

ARTICLES = catalogue(60).table


class Gateway(RecommenderServicer):
    """Customer n is shown n, n + 1, n + 2; customer 7 without a ranker."""

    def Recommend(self, request, context):  # noqa: N802
        assert (request.count, request.surface) == (LIST_LENGTH, SURFACE)
        first = int(request.customer_id)
        if first == 13:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "no such luck")
        answer = messages.RecommendResponse(release=3)
        answer.articles.extend(messages.Recommendation(article_id=f"{first + i:010d}") for i in range(3))
        if first == 7:
            answer.degraded.add(stage="ranker", reason="away")
        return answer


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = grpc.server(futures.ThreadPoolExecutor(4))
    add_RecommenderServicer_to_server(Gateway(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None)


def test_lists_come_in_the_order_of_the_customers_and_in_the_releases_positions(address: str) -> None:
    served = ask_gateway(address, [str(number) for number in range(10)], ARTICLES, release=3)
    assert served.ranked[:, :3].tolist() == [[n, n + 1, n + 2] for n in range(10)]
    assert (served.ranked[:, 3:] == -1).all()
    assert served.degraded == 1


def test_another_release_than_the_one_evaluated_is_an_error(address: str) -> None:
    with pytest.raises(UserError, match="answered from release 3, not 4"):
        ask_gateway(address, ["1"], ARTICLES, release=4)


def test_what_the_gateway_refuses_is_told(address: str) -> None:
    with pytest.raises(UserError, match="INVALID_ARGUMENT: no such luck"):
        ask_gateway(address, ["1", "13"], ARTICLES, release=3)


def test_agreement_counts_places_sets_and_overlap() -> None:
    one, other = (np.tile(np.arange(100, dtype=np.int32), (4, 1)) for _ in range(2))
    one[1, [0, 1]] = [1, 0]  # the same twelve in another order
    one[2, 11] = 200  # one of twelve is another
    one[3, 50] = 200  # another behind the twelve
    agreement = compare(one, other)
    assert agreement.same_top == 0.5
    assert agreement.same_top_set == 0.75
    assert agreement.same_list == 0.25
    assert agreement.mean_overlap == pytest.approx(1 - 1 / 12 / 4)
