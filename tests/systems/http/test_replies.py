"""Answers as values."""

from __future__ import annotations

import pytest

from systems.http.exchange import HttpError
from systems.http.replies import items, links, reply_of, within


def body(content: bytes, type_: str, *types: str) -> object:
    """The body of an answer."""
    return reply_of(200, {"content-type": type_}, content, types, "https://a.example/", "a.example").body


def test_what_is_json_is_read_and_all_else_is_text() -> None:
    """By the type that the service says; strings with a tag are the values that they stand for."""
    assert body(b'{"a": 1}', "application/json; charset=utf-8") == {"a": 1}
    assert body(b"[1]", "application/problem+json") == [1]
    assert body(b"[1]", "text/x-things", "text/x-things") == [1]
    assert body(b"[1]", "text/plain") == "[1]"
    assert body("ø".encode("latin-1"), "text/plain; charset=iso-8859-1") == "ø"
    assert body(b"\xff", "text/plain; charset=none-such") == "�"
    assert body(b"", "application/json") is None


@pytest.mark.parametrize(
    ("content", "words"), [(b'{"s3cr3t"', "JSON that is broken"), (b"[" * 100_000, "JSON that is")]
)
def test_broken_json_is_told_without_its_text(content: bytes, words: str) -> None:
    """Or one that has no end of levels."""
    with pytest.raises(HttpError, match=words) as raised:
        body(content, "application/json")
    assert "s3cr3t" not in raised.value.text


def test_links_are_found_by_their_relation() -> None:
    """RFC 8288: commas and semicolons in targets, several relations, quotes or none."""
    header = '<https://a.example/?a=1,2;b>; rel="next last", </first>;title="x, <y>"; rel=first, <bad>, <z>; rel="next"'
    assert links(header) == {
        "next": "https://a.example/?a=1,2;b",
        "last": "https://a.example/?a=1,2;b",
        "first": "/first",
    }
    assert links("<" * 100_000) == {}


def test_a_way_leads_to_a_property() -> None:
    """A property with dots in its name stands before what the dots would lead to."""
    assert within({"a": {"b": [1]}}, "a.b") == [1]
    assert within({"a.b": 2, "a": {"b": 1}}, "a.b") == 2
    assert within({"a": 1}, "a.b") is None
    assert within([1], None) == [1]
    assert (items([1]), items(None), items(5)) == ([1], (), (5,))
