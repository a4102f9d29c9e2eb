"""Where requests go, as values."""

from __future__ import annotations

import pytest

from systems.http.exchange import HttpError, Request, address, shown, split, target


@pytest.mark.parametrize(
    ("pattern", "url", "expected"),
    [
        ("https://a.example/v1/%s", "things", "https://a.example/v1/things"),
        ("https://a.example/v1/%s?key=1", "things", "https://a.example/v1/things?key=1"),
        ("https://a.example/v1/", "things?x=1", "https://a.example/v1/things?x=1"),
        ("https://a.example", "things", "https://a.example/things"),
        ("https://a.example", "/things", "https://a.example/things"),
        ("https://a.example:8443", "", "https://a.example:8443"),
        ("https://a.example/%s", "a..b/c.", "https://a.example/a..b/c."),
    ],
)
def test_a_relative_url_is_put_in_its_place(pattern: str, url: str, expected: str) -> None:
    """At the mark, else behind."""
    assert address(pattern, url) == expected


@pytest.mark.parametrize(
    ("pattern", "url"),
    [
        ("https://a.example/v1/%s", "../admin"),
        ("https://a.example/v1/%s", "things/%2e%2E/admin"),
        ("https://a.example/v1/%s", "things/..\\admin"),
        ("https://a.example/v1/%s", "."),
        ("https://a.example%s", ".evil.example/"),
        ("https://a.example%s", "@evil.example/"),
        ("https://a.example%s", ":8080/"),
    ],
)
def test_no_relative_url_leads_elsewhere(pattern: str, url: str) -> None:
    """To another server, or up in the path: parts of it may come from entities."""
    with pytest.raises(HttpError, match="leads away from the system|a port or an address"):
        address(pattern, url)


def test_parameters_go_into_the_query() -> None:
    """Encoded, behind what is there, before a fragment."""
    assert address("https://a.example/%s", "x?a=1#top", {"b": "ø &"}) == "https://a.example/x?a=1&b=%C3%B8+%26#top"


def test_a_request_line_has_no_blanks() -> None:
    """What is not encoded yet is; what is stays as it is."""
    assert target(split("https://a.example/a b/ø%20?q=ø ½#x")) == "/a%20b/%C3%B8%20?q=%C3%B8%20%C2%BD"
    assert target(split("https://a.example")) == "/"


@pytest.mark.parametrize("url", ["ftp://a.example/", "https:///x", "https://a.example:0/", "https://a.example:x/", "x"])
def test_what_is_no_url_of_the_web_is_refused(url: str) -> None:
    """Before anything is asked."""
    with pytest.raises(HttpError):
        split(url)


def test_what_people_see_has_neither_login_nor_parameters() -> None:
    """Both may hold a secret."""
    assert shown("https://me:pw@a.example/x?key=1#y") == "https://a.example/x"


@pytest.mark.parametrize(("status", "refuses"), [(400, True), (404, True), (422, True), (401, False), (429, False)])
def test_a_refusal_is_not_trouble(status: int, refuses: bool) -> None:
    """A login that is not known, and `later`, say nothing of the request; neither do faults of the server."""
    assert HttpError("x", status).refuses is refuses
    assert not HttpError("x", 500).refuses
    assert not HttpError("x").refuses


def test_only_what_may_come_twice_is_repeatable() -> None:
    """By its method, or as somebody says."""
    assert [Request(method=method).repeatable for method in ("GET", "PUT", "DELETE", "POST", "PATCH")] == [
        *(True, True, True, False, False)
    ]
    assert Request(method="POST", again=True).repeatable
