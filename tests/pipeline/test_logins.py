"""Logins in URLs: where they begin and end, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.logins import logins, logins_of, passwords


def found(text: str) -> list[str]:
    """The logins in a text of any kind."""
    return [text[login.start : login.end] for login in logins(text)]


def found_in(value: str) -> list[str]:
    """The logins in a value by itself."""
    return [value[login.start : login.end] for login in logins_of(value)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("smtp://me:pw@host:25", ["me:pw"]),
        ("smtp://me@host", ["me"]),
        ("https://t0ken@host/x", ["t0ken"]),
        ("smtp://:pw@host", [":pw"]),
        ("smtp://me:p@w@host", ["me:p@w"]),
        ("smtp://me:p/w@host", ["me:p/w"]),
        ("smtp://me:p#w?x@host", ["me:p#w?x"]),
        ("smtp://me:p@s/w@host", ["me:p@s/w"]),
        ("see http://a:b@c, (http://d:e@f)", ["a:b", "d:e"]),
        ('{"url": "smtp://me:pw@host"}', ["me:pw"]),
        ("smtp:\\/\\/me:pw@host", ["me:pw"]),
        ("smtp://$ENV(user):pw@host", ["$ENV(user):pw"]),
        ("smtp://{{ user }}:pw@host", ["{{ user }}:pw"]),
        ("smtp://me:x$SECRET(pw)@host", ["me:x$SECRET(pw)"]),
    ],
)
def test_a_login_is_found(text: str, expected: list[str]) -> None:
    """From the slashes to the last `@` that can end it."""
    assert found(text) == expected
    assert found_in(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "me@host",
        "mailto:me@host",
        "https://host/@me",
        "https://host/x?mail=me@host",
        "https://host:8443/x@y",
        "https://host:$ENV(port)/x@y",
        "smtp://$ENV(user):$SECRET(pw)@host",
        "smtp://me:$SECRET(pw)@host",
        "smtp://me:@host",
        "smtp://:@host",
        "smtp://********@host",
        "smtp://me:********@host",
        "smtp://{{ user }}:{{ pw }}@host",
        "<a href='https://host:80/'>me@host</a>",
        "://@",
    ],
)
def test_what_is_no_login(text: str) -> None:
    """Addresses, paths, ports, references and masks are left as they are."""
    assert found(text) == []
    assert found_in(text) == []


def test_a_value_that_is_a_url_has_all_of_its_password() -> None:
    """Quotes, blanks and brackets end a URL in a text, not in a value that is one."""
    value = "smtp://me:p w'\"<x>@host"
    assert found_in(value) == ["me:p w'\"<x>"]
    assert list(passwords(value)) == ["p w'\"<x>"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("smtp://me:p%40ss@host", ["p%40ss", "p@ss"]),
        ("smtp://me:pw@host", ["pw"]),
        ("smtp://me@host", []),
        ("smtp://me:$SECRET(pw)@host", []),
        ("a http://a:b@c and http://d:e@f", ["b", "e"]),
    ],
)
def test_passwords_are_known_as_written_and_as_meant(value: str, expected: list[str]) -> None:
    """A percent sign escapes what a URL has no room for."""
    assert list(passwords(value)) == expected


@given(st.text(alphabet=":/@.?#a1 \"'<>\\$ENV(){}%*", max_size=60))
def test_places_lie_in_the_text_and_apart(text: str) -> None:
    """Whatever the text, each login is not empty, is followed by an `@`, and none begins in another."""
    for way in (logins, logins_of):
        at = 0
        for login in way(text):
            assert at <= login.start < login.end
            assert text[login.end] == "@"
            at = login.end


@pytest.mark.parametrize(
    ("part", "count"), [("://", 0), ("://a:", 0), ("://a:b@", 1), ("{{", 0), ("$ENV(", 0), ("a:/", 0), ("@", 1)]
)
def test_a_long_text_is_read_once(part: str, count: int) -> None:
    """A text of megabytes ends: with steps in the square of its length this would take hours."""
    text = "x://u:" + part * 1_000_000
    assert sum(1 for _ in logins(text)) == count
    assert sum(1 for _ in logins_of(text)) == count
