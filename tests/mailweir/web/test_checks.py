"""What must be true of a request before anybody looks at what it wants."""

from __future__ import annotations

import pytest

from mailweir.web import checks
from mailweir.web.route import Query, RefusedError

HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]", "mail.example.com"})


def headers(**given: str) -> list[tuple[bytes, bytes]]:
    """Headers; names have `_` for `-`."""
    return [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items()]


@pytest.mark.parametrize("host", ["localhost:8420", "LOCALHOST", "127.0.0.1:8420", "[::1]:8420", "Mail.example.com."])
def test_names_of_this_host(host: str) -> None:
    """The names that are served are right in any case, with the port or without."""
    checks.meant(headers(host=host), HOSTS, 8420)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.test", 421),
        ("localhost:80", 421),
        ("localhost.evil.test", 421),
        ("user@localhost", 400),
        ("[fe80::1%eth0]", 400),
        ("", 400),
        ("localhost:8420:1", 400),
        ("local host", 400),
    ],
)
def test_names_of_other_hosts(host: str, status: int) -> None:
    """A name that somebody else made point here is refused, and so is what is no name."""
    with pytest.raises(RefusedError) as refused:
        checks.meant(headers(host=host), HOSTS, 8420)
    assert refused.value.status == status


def test_the_port_of_a_proxy() -> None:
    """Behind a proxy ports are not compared."""
    checks.meant(headers(host="mail.example.com:443"), HOSTS, None)


@pytest.mark.parametrize(
    "given",
    [
        {"origin": "https://evil.test"},
        {"origin": "null"},
        {"origin": "null", "sec_fetch_site": "cross-site"},
        {"origin": "null", "sec_fetch_site": "none"},
        {"origin": "https://localhost:1"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"origin": "http://localhost:8420", "sec_fetch_site": "cross-site"},
    ],
)
@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "PATCH", "FROB"])
def test_pages_of_other_sites_change_nothing(given: dict[str, str], method: str) -> None:
    """Whatever the method, what a page of another site sends is refused."""
    with pytest.raises(RefusedError) as refused:
        checks.own_site(method, headers(host="localhost:8420", **given))
    assert refused.value.status == 403


def test_own_pages_and_programs_may() -> None:
    """A program sends no origin, and an own page that of this host; who only reads is not asked."""
    checks.own_site("POST", headers(host="localhost:8420"))
    checks.own_site(
        "POST", headers(host="localhost:8420", origin="http://localhost:8420", sec_fetch_site="same-origin")
    )
    checks.own_site("POST", headers(host="localhost:8420", origin="null", sec_fetch_site="same-origin"))
    checks.own_site("GET", headers(host="localhost:8420", sec_fetch_site="cross-site"))


def test_forms_of_pages_that_tell_no_address() -> None:
    """Under `Referrer-Policy: no-referrer` their origin is `null`; it is ours only if the browser says so."""
    checks.own_site("POST", headers(host="localhost:8420", origin="null", sec_fetch_site="same-origin"))
    for site in ({}, {"sec_fetch_site": "cross-site"}, {"sec_fetch_site": "none"}):
        with pytest.raises(RefusedError):
            checks.own_site("POST", headers(host="localhost:8420", origin="null", **site))


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"content_length": "3", "transfer_encoding": "chunked"}, 400),
        ({"content_encoding": "gzip"}, 415),
    ],
)
def test_bodies_that_are_not_what_they_seem(given: dict[str, str], status: int) -> None:
    """Two lengths are refused, and so is a body that would have to be unpacked."""
    with pytest.raises(RefusedError) as refused:
        checks.framing(headers(**given))
    assert refused.value.status == status


def test_a_header_that_is_there_twice() -> None:
    """Of two tokens none counts."""
    with pytest.raises(RefusedError):
        checks.token_of([*headers(authorization="Bearer a"), *headers(authorization="Bearer b")])


@pytest.mark.parametrize(("text", "token"), [("Bearer abc", "abc"), ("bearer  abc ", "abc"), ("Basic abc", None)])
def test_the_token(text: str, token: str | None) -> None:
    """A token comes as RFC 6750 has it."""
    assert checks.token_of(headers(authorization=text)) == token


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonp"])
def test_bodies_say_that_they_are_json(kind: str) -> None:
    """What a form of another site can send is no JSON."""
    with pytest.raises(RefusedError) as refused:
        checks.is_json(headers(content_type=kind))
    assert refused.value.status == 415
    checks.is_json(headers(content_type="Application/JSON; charset=utf-8"))


KNOWN = {"since": Query("text", ""), "limit": Query("number", ""), "is_full": Query("boolean", "")}


def test_parameters() -> None:
    """They have the types that the route says."""
    found = checks.query_of(b"since=a%20b&limit=5&is_full=true", KNOWN)
    assert found == {"since": "a b", "limit": 5, "is_full": True}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"limt=5", "no parameter `limt`. Did you mean `limit`?"),
        (b"limit=5&limit=6", "the parameter `limit` is there twice"),
        (b"limit=five", "`limit` is a whole number"),
        (b"limit=" + b"9" * 40, "`limit` is a whole number"),
        (b"is_full=yes", "`is_full` is true or false"),
        (b"since=%ff", "what stands behind the question mark cannot be read"),
        (b"&".join([b"a=1"] * 60), "what stands behind the question mark cannot be read"),
    ],
)
def test_wrong_parameters(text: bytes, said: str) -> None:
    """A parameter that is not known or not right is told, never ignored."""
    with pytest.raises(RefusedError) as refused:
        checks.query_of(text, KNOWN)
    assert (refused.value.status, refused.value.detail) == (400, said)
