"""One URL says where the online store is, for redis-py, for Feast and for our own pipes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.crc import key_slot

from feature_repo.online.cluster_slots import slot_of
from feature_repo.online.redis_url import RedisUrl
from infra.errors import UserError


@pytest.mark.parametrize(
    ("text", "feast", "nodes"),
    [
        ("redis://127.0.0.1:6379/0", "127.0.0.1:6379,db=0", ["redis://127.0.0.1:6379/0"]),
        ("redis://shop", "shop:6379,db=0", ["redis://shop:6379/0"]),
        (
            "rediss://ann:s%40crt@shop:1/2?ssl_cert_reqs=none",
            "shop:1,db=2,username=ann,password=s@crt,ssl=true",
            ["rediss://ann:s%40crt@shop:1/2?ssl_cert_reqs=none"],
        ),
        (
            "redis+cluster://one:7000,two",
            "one:7000,two:6379",
            ["redis://one:7000/0", "redis://two:6379/0"],
        ),
        (
            "rediss+cluster://:secret@one:7000/0",
            "one:7000,password=secret,ssl=true",
            ["rediss://:secret@one:7000/0"],
        ),
    ],
)
def test_a_url_is_told_to_feast_and_to_each_node(text: str, feast: str, nodes: list[str]) -> None:
    url = RedisUrl.parse(text)
    assert url.is_cluster == ("cluster" in text)
    assert url.feast_redis_type == ("redis_cluster" if url.is_cluster else "redis")
    assert url.feast_connection_string() == feast
    assert [url.node(address) for address in url.addresses] == nodes


def test_an_ipv6_address_stands_in_brackets() -> None:
    url = RedisUrl.parse("redis+cluster://[::1]:7002,[fe80::2]")
    assert url.addresses == (("::1", 7002), ("fe80::2", 6379))
    assert url.node(url.addresses[0]) == "redis://[::1]:7002/0"


@pytest.mark.parametrize(
    "text",
    ["shop:6379", "http://shop", "redis+cluster://", "redis+cluster://a:b", "redis+cluster://a/1", "redis://a/x"],
)
def test_anything_else_is_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(
        UserError, match=r"VITRINE_REDIS_URL is .*; expected redis://host:port/db, or redis\+cluster://"
    ):
        RedisUrl.parse(text)


@given(st.one_of(st.binary(), st.lists(st.sampled_from([b"{", b"}", b"a", b"b"])).map(b"".join)))
def test_a_key_lies_in_the_slot_that_redis_gives_it(key: bytes) -> None:
    assert slot_of(key) == key_slot(key)
