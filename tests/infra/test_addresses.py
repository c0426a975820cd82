"""Hosts and ports as people write them."""

import pytest

from infra.base.addresses import join_address, split_address


@pytest.mark.parametrize(
    ("text", "address"),
    [("shop:1", ("shop", 1)), ("127.0.0.1:65535", ("127.0.0.1", 65_535)), ("[::1]:8500", ("::1", 8_500))],
)
def test_an_address_is_a_host_and_a_port(text, address):
    assert split_address(text) == address
    assert join_address(*address) == text


@pytest.mark.parametrize(
    "text",
    ["shop", "shop:", ":1", "", "shop:0", "shop:65536", "shop:x", "http://shop:1", "::1:1", "[1.2.3.4:5]:1", "[]:1"],
)
def test_what_is_none_is_refused(text):
    with pytest.raises(ValueError, match="is no address"):
        split_address(text)


def test_a_port_may_have_a_default():
    assert split_address("shop", 6_379) == ("shop", 6_379)
    assert split_address("[::1]", 6_379) == ("::1", 6_379)
