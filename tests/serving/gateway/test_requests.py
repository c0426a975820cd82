"""A wrong request is refused with a message that says what to change."""

from __future__ import annotations

import grpc
import pytest

from serving.gateway.requests import InvalidRequest, Request
from serving.proto import recommender_pb2 as pb
from serving.ranking.filters.article_filter import InvalidFilter
from serving.ranking.filters.in_stock import InStock
from tests.serving.gateway import gateway_world as world


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"customer_id": " "}, "customer_id is empty; give the shopper's id"),
        ({"customer_id": "c" * 300}, "customer_id has 300 bytes; give at most 200"),
        ({"count": -1}, "count is -1; give 1 to 100, or 0 for 12"),
        ({"count": 101}, "count is 101; give 1 to 100, or 0 for 12"),
        ({"page": -1}, "page is -1; pages begin at 0"),
        ({"page": 41}, "page 41 of 12 articles ends at article 504; pages reach as deep as 500"),
        ({"surface": "s" * 65}, "surface has 65 bytes; give at most 64"),
        ({"filters": pb.Filters(min_price_micros=2, max_price_micros=1)}, "min_price_micros 2 is above"),
        ({"filters": pb.Filters(min_price_micros=-2)}, "filters.min_price_micros is -2; give 0 or more"),
        ({"filters": pb.Filters(exclude_articles=["1"] * 1001)}, "exclude_articles lists 1001 articles"),
        ({"filters": pb.Filters(index_groups=["Hats"] * 101)}, "index_groups lists 101 values; give at most 100"),
    ],
)
def test_what_is_wrong_and_how_to_mend_it(fields, message):
    with pytest.raises((InvalidRequest, InvalidFilter)) as error:
        Request.from_proto(pb.RecommendRequest(**{"customer_id": "c", **fields}))
    assert message in str(error.value)


def test_what_is_left_out_has_its_default():
    request = Request.from_proto(pb.RecommendRequest(customer_id="c"))
    assert (request.count, request.page, request.first, request.end) == (12, 0, 0, 12)
    assert request.filters == (InStock(),)
    everything = pb.RecommendRequest(customer_id="c", filters=pb.Filters(in_stock_only=False))
    assert Request.from_proto(everything).filters == ()


@pytest.mark.parametrize("letter", ["x", "\N{DRESS}"])
def test_a_refusal_that_echoes_a_long_id_arrives_as_itself(rig, letter):
    with pytest.raises(grpc.RpcError) as unknown:
        rig.stub.SimilarArticles(pb.SimilarArticlesRequest(article_id=letter * 20_000))
    assert unknown.value.code() is grpc.StatusCode.NOT_FOUND
    group = rig.refused(filters=pb.Filters(index_groups=[letter * 20_000]))
    assert group.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_a_kind_of_a_known_error_has_its_status(rig, monkeypatch):
    class PageBeyondTheEnd(InvalidRequest):
        pass

    def refuse(*_: object) -> None:
        raise PageBeyondTheEnd("no such page")

    monkeypatch.setattr("serving.gateway.service.Request.from_proto", refuse)
    assert rig.refused().code() is grpc.StatusCode.INVALID_ARGUMENT


def test_refusals_carry_their_status(rig):
    wrong = rig.refused("")
    assert wrong.code() is grpc.StatusCode.INVALID_ARGUMENT
    group = rig.refused(filters=pb.Filters(index_groups=["Hats"]))
    assert group.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert group.details() == (
        f"filters.index_groups holds 'Hats', which no article has; known are '{world.LADIES}', '{world.MEN}'"
    )
    with pytest.raises(grpc.RpcError) as unknown:
        rig.stub.SimilarArticles(pb.SimilarArticlesRequest(article_id="7"))
    assert unknown.value.code() is grpc.StatusCode.NOT_FOUND
    with pytest.raises(grpc.RpcError) as nothing:
        rig.stub.RecordInteractions(pb.RecordInteractionsRequest())
    assert nothing.value.details() == "interactions holds 0; give 1 to 500 a call"
    nameless = pb.Interaction(kind=pb.Interaction.CLICK, article_id="1")
    with pytest.raises(grpc.RpcError) as nobody:
        rig.stub.RecordInteractions(pb.RecordInteractionsRequest(interactions=[nameless]))
    assert nobody.value.details() == "interactions[0]: field 'customer_id' holds \"\"; expected a text"
