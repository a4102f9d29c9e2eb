"""What is sent, as bytes."""

from __future__ import annotations

from decimal import Decimal
from email import message_from_bytes
from typing import Any
from uuid import UUID

import pytest

from pipeline.entity import NI, Datetime
from pipeline.secret import Secret
from systems.http.payloads import payload_of
from systems.http.templated import NotMadeError

ENTITY = {"at": Datetime(0), "id": NI("crm:1"), "u": UUID(int=1), "b": b"x", "n": Decimal("1.50"), "l": [Datetime(0)]}


@pytest.mark.parametrize(
    ("value", "kind", "content", "type_"),
    [
        (None, "json", None, None),
        ("{}", "json", b"{}", "application/json"),
        ("ø", "text", "ø".encode(), "text/plain; charset=utf-8"),
        (b"\x00", "json", b"\x00", "application/octet-stream"),
        ({"a": Secret("s")}, "json", b'{"a":"s"}', "application/json"),
        ([1, None], "text", b"[1,null]", "text/plain; charset=utf-8"),
        (
            {"a": "ø &", "b": [1, True], "c": None, "d": {"e": 1}},
            "form",
            b"a=%C3%B8+%26&b=1&b=true&d=%7B%22e%22%3A1%7D",
            "application/x-www-form-urlencoded",
        ),
        (
            ENTITY,
            "json",
            (
                b'{"at":"1970-01-01T00:00:00Z","id":"crm:1","u":"00000000-0000-0000-0000-000000000001","b":"eA==",'
                b'"n":1.50,"l":["1970-01-01T00:00:00Z"]}'
            ),
            "application/json",
        ),
        (
            {"at": Datetime(0), "s": Secret("s")},
            "json-transit",
            b'{"at":"~t1970-01-01T00:00:00Z","s":"s"}',
            "application/json",
        ),
    ],
)
def test_a_payload_is_written_as_its_type_says(value: Any, kind: Any, content: bytes, type_: str) -> None:
    """With the content type that goes with it."""
    assert payload_of(value, kind) == (content, type_)


def test_a_form_in_parts_can_be_read() -> None:
    """By a reader of others; what parts it is the same each time."""
    content, type_ = payload_of({'a "b"': "line\r\nline", "c": ["1", "2"]}, "multipart-form")
    assert payload_of({'a "b"': "line\r\nline", "c": ["1", "2"]}, "multipart-form") == (content, type_)
    whole = message_from_bytes(f"Content-Type: {type_}\r\n\r\n".encode() + (content or b""))
    parts: list[Any] = list(whole.walk())[1:]
    assert [part.get_param("name", header="Content-Disposition") for part in parts] == ["a %22b%22", "c", "c"]
    assert [part.get_payload(decode=True) for part in parts] == [b"line\r\nline", b"1", b"2"]


@pytest.mark.parametrize(("value", "kind"), [([1], "form"), ({"a": object()}, "json"), (5, "multipart-form")])
def test_what_cannot_be_written_is_told(value: Any, kind: Any) -> None:
    """Before anything is sent."""
    with pytest.raises(NotMadeError, match="`payload`"):
        payload_of(value, kind)
