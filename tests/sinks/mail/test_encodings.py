"""Content in the encoding that costs least, and back to the byte."""

from __future__ import annotations

import quopri
import re
from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.mail import encodings

lines = st.lists(
    st.one_of(
        st.text(max_size=120),
        st.sampled_from(
            ["From me", "From ", ".", "..", "word " * 15, "word " * 15 + " ", "x" * 74 + " ", "x" * 74 + "\t"]
        ),
        st.sampled_from(["x" * 998, "x" * 999, "\0", "\ud800", "=", "æ" * 30]),
    ),
    max_size=6,
)


def undone(encoded: encodings.Encoded) -> bytes:
    """The content again, by the standard library."""
    encoding, data = encoded
    if encoding == b"base64":
        return b64decode(data.replace(b"\r\n", b""), validate=True)
    return quopri.decodestring(data) if encoding == b"quoted-printable" else data


choices = {
    "ASCII": ("Hello\nworld", b"7bit"),
    "a few letters": ("Hei Bjørn, velkommen til oss og takk for sist", b"quoted-printable"),
    "nothing else": ("Привет, мир", b"base64"),
    "a long line": ("x" * 999, b"quoted-printable"),
    "the longest line": ("x" * 998 + "\n" + "y" * 998, b"7bit"),
    "From at the start": ("From here on\nFrom there", b"quoted-printable"),
    "nothing": ("", b"7bit"),
}


@pytest.mark.parametrize(("text", "encoding"), choices.values(), ids=choices)
def test_the_cheapest_encoding_is_taken(text: str, encoding: bytes) -> None:
    """7-bit text stays as it is, some other letters are quoted, many are in base64."""
    assert encodings.of_text(text)[0] == encoding


def test_every_line_end_becomes_the_one_of_mail() -> None:
    """CR LF, CR and LF are all the end of a line."""
    assert encodings.of_text("a\nb\r\nc\rd\r\r\n") == (b"7bit", b"a\r\nb\r\nc\r\nd\r\n\r\n")


def test_no_server_sees_a_mailbox_in_a_text() -> None:
    """A line that begins with `From ` would get a `>`, which breaks a signature."""
    assert encodings.of_text("From me\nFrom you\nfrom them") == (
        b"quoted-printable",
        b"=46rom =\r\nme\r\n=46rom =\r\nyou\r\nfrom them",
    )


def test_what_is_no_character_is_shown_as_such() -> None:
    """NUL and half a character become U+FFFD."""
    encoded = encodings.of_text("a\0b\ud800c")
    assert undone(encoded).decode() == "a\ufffdb\ufffdc"


@given(lines)
def test_text_comes_back(parts: list[str]) -> None:
    """Whatever the encoding, lines are short, nothing stands at their ends, and the text is the same."""
    text = "\n".join(parts)
    encoding, data = encodings.of_text(text)
    dots = re.search(rb"^\.", data, re.MULTILINE)
    assert encodings.mail_lines(data) == ("dots" if dots else "wire")
    most = max(map(len, data.split(b"\r\n")))
    assert most <= (998 if encoding == b"7bit" else 76)
    assert data.isascii()
    if encoding == b"quoted-printable":
        assert not re.search(rb"[ \t](?:\r\n|\Z)", data)
        assert not re.search(rb"^From ", data, re.MULTILINE)
    whole = re.sub("[\0\ud800-\udfff]", "\ufffd", text)
    assert undone((encoding, data)) == re.sub("\r\n|\r|\n", "\r\n", whole).encode()


@given(
    st.one_of(st.binary(max_size=300), lines.map(lambda parts: "\r\n".join(parts).encode("utf-8", "replace"))),
    st.booleans(),
)
def test_a_file_comes_back_to_the_byte(data: bytes, text: bool) -> None:
    """Files are not repaired: what has other line ends than mail goes in base64."""
    assert undone(encodings.of_file(data, text=text)) == data


@given(st.binary(max_size=2100).map(lambda data: data.replace(b"\r", b"")), st.integers(0, 5))
def test_long_lines_are_found(data: bytes, step: int) -> None:
    """The look in strides sees what a look at each line sees."""
    data = data.replace(b"\0", b"\n") if step else re.sub(rb"[^\n]", b"x" * (step + 1), data)
    assert encodings.has_short_lines(data) == all(
        len(line) <= 998 for line in data.replace(b"\n", b"\r\n").split(b"\r\n")
    )
