"""The last look finds what a writer must never do."""

from __future__ import annotations

import pytest

from sinks.mail.audit import is_wire_form
from sinks.mail.letter import RefusedError

NAMES = (b"From", b"Subject", b"Content-Type")
GOOD = (
    b'From: a@example.com\r\nSubject: a\r\n folded: line\r\nContent-Type: multipart/mixed;\r\n boundary="=_1m"\r\n'
    b"\r\n--=_1m\r\n\r\na\r\n--=_1m--\r\n"
)


def test_a_good_mail_passes() -> None:
    """Folded lines are no fields, whatever stands in them."""
    assert is_wire_form(GOOD, NAMES, b"=_1", 2)


@pytest.mark.parametrize("text", [b".", b"..a", b"a\r\n.\r\nb"])
def test_a_line_that_begins_with_a_dot_is_said(text: bytes) -> None:
    """It is no fault, but it does not cross the wire as it is."""
    assert not is_wire_form(GOOD.replace(b"\r\na\r\n", b"\r\n%b\r\n" % text), NAMES, b"=_1", 2)


def test_a_last_line_without_an_end_is_said() -> None:
    """As it is, a server would take what follows for more of it."""
    assert not is_wire_form(GOOD.removesuffix(b"\r\n"), NAMES, b"=_1", 2)


OTHER = "the header has other fields than the intended ones"
LONE = "a lone CR or LF, or a NUL"
bad = {
    "a field more": (GOOD.replace(b"\r\nSubject", b"\r\nBcc: x@example.com\r\nSubject"), OTHER),
    "a field less": (GOOD.replace(b"From: a@example.com\r\n", b""), OTHER),
    "another order": (GOOD.replace(b"From", b"X").replace(b"Subject", b"From").replace(b"X", b"Subject"), OTHER),
    "another case": (GOOD.replace(b"From", b"FROM"), OTHER),
    "a line that is no field": (GOOD.replace(b" folded", b"folded"), OTHER),
    "a line without a colon": (GOOD.replace(b" folded: line", b"folded"), OTHER),
    "a field without a name": (GOOD.replace(b" folded: line", b": x"), OTHER),
    "the header ends early": (GOOD.replace(b"\r\nSubject", b"\r\n\r\nSubject"), OTHER),
    "a field behind LF alone": (GOOD.replace(b"\r\nSubject", b"\nBcc: x\r\nSubject"), OTHER),
    "no end of the header": (GOOD.replace(b"\r\n\r\n", b"\r\n"), "the header has no end"),
    "LF alone": (GOOD.replace(b"\r\na\r\n", b"\r\na\nb\r\n"), LONE),
    "CR alone": (GOOD.replace(b"\r\na\r\n", b"\r\na\rb\r\n"), LONE),
    "the end of data for some servers": (GOOD.replace(b"\r\na\r\n", b"\r\na\n.\r\n"), LONE),
    "NUL": (GOOD.replace(b"\r\na\r\n", b"\r\na\0\r\n"), LONE),
    "a long line": (GOOD.replace(b"\r\na\r\n", b"\r\n" + b"a" * 999 + b"\r\n"), "a line of more than 998 bytes"),
    "a boundary too many": (GOOD.replace(b"\r\na\r\n", b"\r\n--=_1x\r\n"), "a boundary stands in the content"),
    "a boundary less": (GOOD.replace(b"--=_1m--", b""), "a boundary stands in the content"),
}


@pytest.mark.parametrize(("content", "why"), bad.values(), ids=bad)
def test_a_bad_mail_is_found(content: bytes, why: str) -> None:
    """Each fault by its name."""
    assert content != GOOD
    with pytest.raises(RefusedError) as refused:
        is_wire_form(content, NAMES, b"=_1", 2)
    assert (refused.value.refusal.at, refused.value.refusal.text) == ("message", why)


def test_the_longest_line_passes() -> None:
    """998 bytes, and not one more."""
    assert is_wire_form(GOOD.replace(b"\r\na\r\n", b"\r\n" + b"a" * 998 + b"\r\n"), NAMES, b"=_1", 2)
