"""One URL says where the online store is, and what is written for people holds no secret."""

from __future__ import annotations

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from infra.base.errors import UserError
from infra.base.redis_url import RedisUrl


@pytest.mark.parametrize(
    ("text", "whole", "nodes"),
    [
        ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0", ["redis://127.0.0.1:6379/0"]),
        ("redis://shop", "redis://shop:6379/0", ["redis://shop:6379/0"]),
        ("redis://", "redis://localhost:6379/0", ["redis://localhost:6379/0"]),
        ("redis://[::1]", "redis://[::1]:6379/0", ["redis://[::1]:6379/0"]),
        ("redis://ann@[::1]:7/", "redis://ann@[::1]:7/0", ["redis://ann@[::1]:7/0"]),
        (
            "rediss://ann:s%40crt@shop:1/2?ssl_cert_reqs=none",
            "rediss://ann:s%40crt@shop:1/2?ssl_cert_reqs=none",
            ["rediss://ann:s%40crt@shop:1/2?ssl_cert_reqs=none"],
        ),
        (
            "redis+cluster://one:7000,two",
            "redis+cluster://one:7000,two:6379/0",
            ["redis://one:7000/0", "redis://two:6379/0"],
        ),
        (
            "rediss+cluster://:secret@[::1]:7000,[fe80::2]/0?ssl_ca_certs=/etc/a.pem",
            "rediss+cluster://:secret@[::1]:7000,[fe80::2]:6379/0?ssl_ca_certs=/etc/a.pem",
            [
                "rediss://:secret@[::1]:7000/0?ssl_ca_certs=/etc/a.pem",
                "rediss://:secret@[fe80::2]:6379/0?ssl_ca_certs=/etc/a.pem",
            ],
        ),
    ],
)
def test_a_url_is_taken_apart(text: str, whole: str, nodes: list[str]) -> None:
    url = RedisUrl.parse(text)
    assert url.is_cluster == ("cluster" in text)
    assert url.text == whole
    assert [url.node(address) for address in url.addresses] == nodes


PASSWORDS = [
    "a,b", "a=b", "a#b", "a@b", "a:b", "a/b", "a?b", "a%b", "a b", "a+b", "12e34", "007", "true", "null", "[1]", '"a"',
    "'a'", "{a: b}", "*&!|>", "~", "a\\b", "päss", "密码", "a@b:6379/0", "//", "$HOME", "${X}", "%41",
]  # fmt: skip


@pytest.mark.parametrize("password", [password for password in PASSWORDS if password != "%41"])  # encoded already
@pytest.mark.parametrize("scheme", ["redis", "redis+cluster"])
def test_a_raw_password_is_understood(scheme: str, password: str) -> None:
    url = RedisUrl.parse(f"{scheme}://ann:{password}@shop:7/0")
    assert (url.user, url.password, url.addresses) == ("ann", password, (("shop", 7),))


@given(st.text(min_size=1), st.text(), st.booleans())
def test_any_password_survives_and_is_never_shown(password: str, user: str, is_cluster: bool) -> None:
    url = RedisUrl(
        "redis", user, password, (("shop", 7),), is_cluster, options="ssl_password=hidden&ssl_ca_certs=a.pem"
    )
    assert RedisUrl.parse(url.text) == url
    known = redis.connection.parse_url(url.node(("shop", 7)))
    assert (known.get("username", ""), known["password"]) == (user, password)
    for shown in (str(url), repr(url)):
        assert str(RedisUrl("redis", user, "other", (("shop", 7),), is_cluster, options=url.options)) == str(url)
        assert "hidden" not in shown


@pytest.mark.parametrize(
    "text",
    [
        "shop:6379", "http://shop", "redis+cluster://", "redis+cluster://a:b", "redis+cluster://a/1", "redis://a/x",
        "redis://a:0", "redis://a:65536", "redis://::1:6379", "redis://a b", "",
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(UserError, match=r"VITRINE_REDIS_URL is .*; expected redis://user:password@host:port/db, or"):
        RedisUrl.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "redis://ann:s3cret@shop:port/0", "http://ann:s3cret@shop", "ann:s3cret@shop:1", "redis://:s3cret@", "s3cret@x",
        "redis://a:port?password=s3cret", "redis://a:port?x=1&ssl_password=s3cret", "redis://ann:s3cret@a@b:x",
    ],
)  # fmt: skip
def test_an_error_does_not_show_the_password(text: str) -> None:
    if text == "redis://:s3cret@":
        assert "s3cret" not in str(RedisUrl.parse(text))  # this Redis, with a password
        return
    with pytest.raises(UserError) as error:
        RedisUrl.parse(text)
    assert "s3cret" not in str(error.value)
    assert "***" in str(error.value)
