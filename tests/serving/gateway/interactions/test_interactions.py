"""RecordInteractions refuses by name what the streaming worker would set aside as a dead letter."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feature_repo.events.catalogue import Catalogue
from feature_repo.events.rules import WALL_SKEW_US, parse_interaction
from infra.base.calendar import epoch_micros
from serving.gateway.interactions.recording import MOST_INTERACTIONS, interaction_events
from serving.gateway.requests import InvalidRequest
from serving.proto import recommender_pb2 as pb
from tests.serving.gateway import gateway_world as world
from tests.serving.gateway.gateway_world import article

NOW = datetime(2020, 9, 20, 12, tzinfo=UTC)
KNOWN = (article(1), "0706016001")


def click(**fields) -> pb.Interaction:
    return pb.Interaction(
        **{"customer_id": "anna", "kind": pb.Interaction.CLICK, "article_id": article(1), "event_id": "e", **fields}
    )


def at(text: str) -> dict:
    interaction = pb.Interaction()
    interaction.occurred_at.FromJsonString(text)
    return {"occurred_at": interaction.occurred_at}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"article_id": "9"}, "interactions[1]: field 'article_id' holds \"9\"; expected an article of the catalogue"),
        ({"article_id": ""}, "interactions[1]: field 'article_id' holds \"\"; expected a text"),
        ({"customer_id": ""}, "interactions[1]: field 'customer_id' holds \"\"; expected a text"),
        ({"customer_id": "ä" * 101}, "; expected at most 200 bytes"),
        ({"event_id": "e" * 201}, "; expected at most 200 bytes"),
        ({"request_id": "r" * 201}, "interactions[1].request_id has 201 bytes; give at most 200"),
        (
            at("1969-12-31T23:59:59.999999Z"),
            "interactions[1]: field 'occurred_at' holds \"1969-12-31T23:59:59.999999Z\"; "
            "expected a time since 1970 with its zone, such as 2020-09-20T14:30:00Z",
        ),
        (
            at("2099-01-01T00:00:00Z"),
            "interactions[1]: field 'occurred_at' holds \"2099-01-01T00:00:00.000000Z\"; "
            "expected nothing from the future; it is 2020-09-21T00:00:00.000000Z at most",
        ),
        ({"kind": pb.Interaction.KIND_UNSPECIFIED}, "interactions[1].kind is not set; give IMPRESSION, CLICK or CART"),
        ({"kind": 7}, "interactions[1].kind is 7, which is none; give IMPRESSION, CLICK or CART"),
        ({"occurred_at": {"seconds": 10**15}}, "interactions[1].occurred_at is no instant"),
        ({"occurred_at": {"seconds": 1, "nanos": -1}}, "interactions[1].occurred_at is no instant"),
    ],
)
def test_one_bad_interaction_refuses_all_by_name(fields, message):
    with pytest.raises(InvalidRequest) as error:
        interaction_events([click(), click(**fields), click()], NOW, NOW, KNOWN)
    assert message in str(error.value)


@pytest.mark.parametrize("count", [0, MOST_INTERACTIONS + 1])
def test_as_many_as_a_call_may_hold(count):
    with pytest.raises(InvalidRequest, match=f"interactions holds {count}; give 1 to 500 a call"):
        interaction_events([click()] * count, NOW, NOW, KNOWN)


odd_texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=210),
    st.sampled_from(["", " ", "\0", '"', "a" * 200, "a" * 201, "ü" * 100, "\0" * 200]),
)
odd_seconds = st.one_of(
    st.integers(-(2**40), 2**40),
    st.sampled_from([0, -1, 253_402_300_799, 253_402_300_800, -62_135_596_800, -62_135_596_801]),
    st.integers(-86_400, 2 * 86_400).map(lambda ahead: int(NOW.timestamp()) + ahead),
)
odd_instants = st.fixed_dictionaries(
    {"seconds": odd_seconds, "nanos": st.sampled_from([0, 1, -1, 999_999_999, 2**31 - 1])}
)
odd_fields = {
    "event_id": odd_texts,
    "customer_id": odd_texts,
    "article_id": st.one_of(
        odd_texts, st.sampled_from(KNOWN), st.sampled_from(KNOWN).map(lambda known: known.lstrip("0"))
    ),
    "request_id": odd_texts,
    "kind": st.integers(0, 4),
    "release": st.integers(-(2**63), 2**63 - 1),
    "position": st.integers(-(2**31), 2**31 - 1),
    "occurred_at": odd_instants,
}
some_odd_fields = st.sets(st.sampled_from(sorted(odd_fields)), max_size=3).flatmap(
    lambda names: st.fixed_dictionaries({name: odd_fields[name] for name in names})
)


@given(some_odd_fields, st.timedeltas(timedelta(hours=-6), timedelta(hours=6)))
def test_what_is_acknowledged_the_worker_takes(fields, worker_is_ahead):
    interaction = click(**fields)
    try:
        (event,) = interaction_events([interaction], NOW, NOW, KNOWN)
    except InvalidRequest:
        return
    latest_us = epoch_micros(NOW + worker_is_ahead) + WALL_SKEW_US
    taken = parse_interaction(json.dumps(event, separators=(",", ":")).encode(), KNOWN, latest_us)
    assert (taken.customer_id, taken.article_id) == (interaction.customer_id, interaction.article_id)
    assert (taken.release, taken.position) == (interaction.release, interaction.position)


def test_the_workers_catalogue_decides_where_there_is_one(settings, models, redis_client, tmp_path):
    """New articles are known before a release holds them; those taken out of the catalogue no longer."""
    world.store_shop(redis_client)
    (tmp_path / "releases").symlink_to(settings.releases_dir)
    settings = replace(settings, var_dir=tmp_path)
    with world.gateway_thread(settings, world.fast_config()) as address, world.stub_of(address) as stub:

        def is_known(article_id: str) -> bool:
            """Kafka is away: what is known gets as far as that."""
            request = pb.RecordInteractionsRequest(interactions=[click(article_id=article_id)])
            with pytest.raises(grpc.RpcError) as error:
                stub.RecordInteractions(request, timeout=10)
            if error.value.code() is grpc.StatusCode.INVALID_ARGUMENT:
                assert error.value.details() == (
                    f"interactions[0]: field 'article_id' holds \"{article_id}\"; expected an article of the catalogue"
                )
                return False
            assert error.value.code() is grpc.StatusCode.UNAVAILABLE
            return True

        assert is_known(article(3))  # of the release, as there is no catalogue here
        assert not is_known("brand new")
        path = world.write_catalogue(tmp_path, article(3))
        assert not is_known("brand new")
        world.write_catalogue(tmp_path, article(4), "brand new")
        for article_id in (article(3), article(4), "brand new"):
            assert is_known(article_id) == (article_id in Catalogue(path))
        assert not is_known(article(3))
        world.store_stock(redis_client, article(4), in_stock=False)
        assert is_known(article(4))
