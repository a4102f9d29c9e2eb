"""URLs of brokers."""

from __future__ import annotations

import pytest

from systems.brokers.address import Address, Schemes, address_of

ONE = Schemes({"redis": False, "rediss": True}, 6379, 6380, path="a number")
MANY = Schemes({"nats": False, "tls": True}, 4222, 4222, several=True)


@pytest.mark.parametrize(
    ("text", "schemes", "found"),
    [
        ("redis://localhost", ONE, Address(tls=False, servers=(("localhost", 6379),))),
        ("rediss://a.example/3", ONE, Address(tls=True, servers=(("a.example", 6380),), path="3")),
        ("redis://[::1]:7000", ONE, Address(tls=False, servers=(("::1", 7000),))),
        ("redis://[::1]", ONE, Address(tls=False, servers=(("::1", 6379),))),
        ("nats://a:1,b", MANY, Address(tls=False, servers=(("a", 1), ("b", 4222)))),
        ("redis://u:p%40%2F@a", ONE, Address(tls=False, servers=(("a", 6379),), username="u", password="p@/")),
        ("redis://:p@a", ONE, Address(tls=False, servers=(("a", 6379),), password="p")),
    ],
)
def test_addresses(text: str, schemes: Schemes, found: Address) -> None:
    """Servers, ports that are left out, logins with escapes, IPv6 and what stands behind."""
    assert address_of(text, schemes) == found


@pytest.mark.parametrize(
    ("text", "schemes", "words"),
    [
        ("localhost:6379", ONE, "does not begin with redis:// or rediss://"),
        ("http://a", ONE, "does not begin with"),
        ("redis://", ONE, "names no server"),
        ("redis://:6379", ONE, "names no server"),
        ("redis://a:0", ONE, "has a port that is none"),
        ("redis://a:70000", ONE, "has a port that is none"),
        ("redis://a:b", ONE, "has a port that is none"),
        ("redis://a,b", ONE, "names several servers"),
        ("redis://a b", ONE, "names a server that has a space"),
        ("redis://a?db=1", ONE, "has parameters"),
        ("nats://a/b", MANY, "has a path"),
        ("", ONE, "is empty"),
        ("redis://a\n", ONE, "has a line break"),
    ],
)
def test_what_is_no_address(text: str, schemes: Schemes, words: str) -> None:
    """It is said in words, without a character of the login."""
    found = address_of(text, schemes)
    assert isinstance(found, str)
    assert words in found


def test_where_it_is() -> None:
    """A machine that is this one is known by its names, and people read servers with their ports."""
    local = address_of("nats://localhost,127.0.0.1:1,[::1]:2", MANY)
    assert isinstance(local, Address)
    assert local.local
    assert local.shown == "localhost:4222, 127.0.0.1:1, [::1]:2"
    assert not Address(tls=False, servers=(("localhost", 1), ("a", 1))).local
