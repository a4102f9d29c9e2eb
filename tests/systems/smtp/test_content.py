"""Content on the wire: CR LF at every line's end, dots doubled, no NUL, and one end."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from systems.smtp.content import prepare

pieces = st.sampled_from([b"\r\n", b"\r", b"\n", b".", b"\r\n.", b".\r\n", b"a", b"\xff", b" "])
contents = st.one_of(st.binary(max_size=40), st.lists(pieces, max_size=14).map(b"".join))

cases = {
    "row-88-empty": (b"", b""),
    "row-88-no-end": (b"a", b"a\r\n"),
    "row-88-dot-first": (b".a\r\nb\r\n", b"..a\r\nb\r\n"),
    "row-88-dot-within": (b"a\r\n.b\r\n", b"a\r\n..b\r\n"),
    "row-88-only-a-dot": (b".", b"..\r\n"),
    "row-88-end-of-data": (b"a\r\n.\r\nMAIL FROM:<x@y.z>\r\n", b"a\r\n..\r\nMAIL FROM:<x@y.z>\r\n"),
    "row-88-dots-behind-each-other": (b".\r\n.\r\n..\r\n", b"..\r\n..\r\n...\r\n"),
    "row-89-lf-dot-lf": (b"a\n.\nb", b"a\r\n..\r\nb\r\n"),
    "row-89-cr-dot-cr": (b"a\r.\rb", b"a\r\n..\r\nb\r\n"),
    "row-89-lf-dot-crlf": (b"a\n.\r\nb\r\n", b"a\r\n..\r\nb\r\n"),
    "row-89-crlf-dot-lf": (b"a\r\n.\nb\r\n", b"a\r\n..\r\nb\r\n"),
    "row-89-crlf-dot-cr": (b"a\r\n.\rb\r\n", b"a\r\n..\r\nb\r\n"),
    "row-89-cr-at-the-end": (b"a\r", b"a\r\n"),
    "row-89-cr-before-the-end": (b"a\r\r\n", b"a\r\n\r\n"),
    "row-89-lf-first": (b"\na\r\n", b"\r\na\r\n"),
    "row-89-bare-in-the-last-line": (b"a\r\nb\rc", b"a\r\nb\r\nc\r\n"),
}


@pytest.mark.parametrize(("content", "wire"), cases.values(), ids=cases)
def test_content_takes_its_wire_form(content: bytes, wire: bytes) -> None:
    """What DATA sends before its dot."""
    prepared = prepare(content)
    assert (prepared.stuffed, prepared.fault) == (wire, None)


@given(contents)
@example(b"a\r\nb\nc\r\n")
@example(b"a\nb\r\n\rc\r\n")
def test_the_wire_form_has_one_reading(content: bytes) -> None:
    """Rows 88 and 89: lines as every server reads them, one end of data, and the same text after unstuffing."""
    prepared = prepare(content)
    if b"\0" in content:
        assert prepared.fault is not None
        return
    text = re.sub(rb"\r\n|\r|\n", b"\r\n", content)
    assert prepared.text == (text if text.endswith(b"\r\n") or not text else text + b"\r\n")
    stream = prepared.stuffed + b".\r\n"
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\0", stream)
    lines = stream.split(b"\r\n")
    assert lines.index(b".") == len(lines) - 2
    assert b"".join(line.removeprefix(b".") + b"\r\n" for line in lines[:-2]) == prepared.text
    assert prepared.seven_bit is content.isascii()


def test_content_in_form_is_not_copied() -> None:
    """A newsletter of megabytes takes no memory twice."""
    content = b"Subject: Hi\r\n\r\n" + b"Hello\r\n" * 10
    prepared = prepare(content)
    assert prepared.text is content
    assert prepared.stuffed is content


@pytest.mark.parametrize("content", [b"\0", b"a\r\n\0.\r\n", b"a\r\n.\0\r\n"])
def test_row_89_nul_is_never_sent(content: bytes) -> None:
    """Servers cut at NUL or drop it, so nobody knows what they would read."""
    assert prepare(content).fault == "the content holds a NUL byte"
