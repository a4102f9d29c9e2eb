"""Fields: one field out for one field in, folded where a line may break, encoded where it must be."""

from __future__ import annotations

import re
from email.header import decode_header, make_header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.mail.fields import fault_of_name, field, urls, words
from sinks.mail.letter import Refusal, RefusedError

texts = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=300)

subjects = {
    "plain": ("Hello", "Subject: Hello\r\n"),
    "spaces around": ("  Hello  world ", "Subject: Hello  world\r\n"),
    "nothing": ("   ", ""),
    "not ASCII, mostly ASCII": ("Bjørn", "Subject: =?utf-8?q?Bj=C3=B8rn?=\r\n"),
    "not ASCII at all": ("Привет", "Subject: =?utf-8?b?0J/RgNC40LLQtdGC?=\r\n"),
    "looks encoded": ("=?utf-8?q?=0ABcc:_x?=", "Subject: =?utf-8?q?=3D=3Futf-8=3Fq=3F=3D0ABcc=3A=5Fx=3F=3D?=\r\n"),
    "just fits": ("x" * 67, f"Subject: {'x' * 67}\r\n"),
    "no room to fold": ("x" * 200, f"Subject: {'x' * 200}\r\n"),
    "folded": ("word " * 16, f"Subject: {'word ' * 12}word\r\n word word word\r\n"),
    "spaces where it folds": (f"{'x' * 60}   {'y' * 30}", f"Subject: {'x' * 60}\r\n   {'y' * 30}\r\n"),
    "half a character": ("a\ud83d", "Subject: =?utf-8?b?Ye+/vQ==?=\r\n"),
}


@pytest.mark.parametrize(("value", "written"), subjects.values(), ids=subjects)
def test_text_is_written_so(value: str, written: str) -> None:
    """As it is where it can be, encoded where not."""
    assert field("Subject", value, "subject") == written


def test_a_token_too_long_for_any_line_is_encoded() -> None:
    """998 bytes are the longest line; more without a space goes as encoded words."""
    fits = field("X-A", "x" * 993, "headers.X-A")
    encoded = field("X-A", "x" * 994, "headers.X-A")
    assert fits == f"X-A: {'x' * 993}\r\n"
    assert encoded.startswith("X-A: =?utf-8?q?xxx")
    assert max(map(len, encoded.split("\r\n"))) <= 76


def test_utf8_is_left_alone_where_the_header_may_be_utf8() -> None:
    """With SMTPUTF8 a subject is readable as it stands, but for what looks encoded and for invisible spaces."""
    assert field("Subject", "Bjørn", "subject", utf8=True) == "Subject: Bjørn\r\n"
    assert field("Subject", "Bjørn =?", "subject", utf8=True) == "Subject: =?utf-8?q?Bj=C3=B8rn_=3D=3F?=\r\n"
    assert field("Subject", "Bjørn\u00a0x", "subject", utf8=True).startswith("Subject: =?utf-8?")


@pytest.mark.parametrize(
    "bad", ["\r\nBcc: x@example.com", "\n", "\r", "\0", "\t", "\x0b", "\x7f", "\x85", "\u2028", "\u2029"]
)
def test_a_control_character_is_refused_where_it_stands(bad: str) -> None:
    """No field becomes two, and the fault says at which character."""
    with pytest.raises(RefusedError) as caught:
        field("Subject", f"Hello{bad}", "subject")
    assert caught.value.refusal == Refusal("subject", "a line break or control character", 5)


def test_values_that_are_too_long_are_refused() -> None:
    """A subject of a whole page is a fault in a template."""
    with pytest.raises(RefusedError, match="more than 2000 characters"):
        field("Subject", "x " * 1001, "subject")
    with pytest.raises(RefusedError, match="more than 8192 characters"):
        field("X-A", "x " * 5000, "headers.X-A")


def test_fields_for_programs_are_never_encoded() -> None:
    """References are folded between identifiers only; what they cannot hold is refused."""
    identifiers = " ".join(f"<{'x' * 50}{number}@example.com>" for number in range(3))
    written = field("References", identifiers, "headers.References")
    assert written == "References: " + identifiers.replace(" ", "\r\n ") + "\r\n"
    with pytest.raises(RefusedError, match="ASCII characters only") as caught:
        field("References", "<æ@example.com>", "headers.References")
    assert caught.value.refusal.index == 1
    with pytest.raises(RefusedError, match="more than 998 characters without a space"):
        field("References", f"<{'x' * 1000}@example.com>", "headers.References")


def test_a_url_is_never_broken() -> None:
    """A long List-Unsubscribe URL stays whole on its line, in brackets."""
    long = "https://example.com/unsubscribe?token=" + "t" * 400
    written = urls("List-Unsubscribe", [long, "mailto:u@example.com?subject=x"], "unsubscribe")
    assert written == f"List-Unsubscribe: <{long}>,\r\n <mailto:u@example.com?subject=x>\r\n"


bad_urls = {
    "a space": ("https://example.com/a b", "characters that a URL cannot hold: write them as %XX"),
    "a bracket": ("https://example.com/>", "characters that a URL cannot hold: write them as %XX"),
    "a line break": ("https://example.com/\r\nBcc: x", "characters that a URL cannot hold: write them as %XX"),
    "not ASCII": ("https://example.com/æ", "characters that a URL cannot hold: write them as %XX"),
    "no scheme": ("example.com/u", "not a URL"),
    "too long": ("https://example.com/" + "x" * 1000, "more than 977 characters"),
}


@pytest.mark.parametrize(("url", "why"), bad_urls.values(), ids=bad_urls)
def test_what_is_no_url_is_refused(url: str, why: str) -> None:
    """A URL that would break or end the field is refused, with its place in the list."""
    with pytest.raises(RefusedError) as caught:
        urls("List-Unsubscribe", ["mailto:u@example.com", url], "unsubscribe")
    assert caught.value.refusal == Refusal("unsubscribe.1", why)


@pytest.mark.parametrize("name", ["X-Pipe", "Feedback-ID", "Precedence", "References", "List-ID", "Auto-Submitted"])
def test_further_headers_have_names_of_their_own(name: str) -> None:
    """Most names are free."""
    assert fault_of_name(name) is None


bad_names = {
    "": "empty",
    "X A": "a header's name has letters, digits and `-` only",
    "X:A": "a header's name has letters, digits and `-` only",
    "X\r\nBcc": "a header's name has letters, digits and `-` only",
    "Blåbær": "a header's name has letters, digits and `-` only",
    "X" * 65: "more than 64 characters",
    "bcc": "this header has a property of its own: `bcc`",
    "FROM": "this header has a property of its own: `mail_from`",
    "List-Unsubscribe": "this header has a property of its own: `list_unsubscribe`",
    "Date": "this header is written by Mailweir or by servers",
    "Content-Type": "this header is written by Mailweir or by servers",
    "ARC-Seal": "this header is written by Mailweir or by servers",
    "Received": "this header is written by Mailweir or by servers",
    "Received-SPF": "this header is written by Mailweir or by servers",
    "Sender": "this header is written by Mailweir or by servers",
}


@pytest.mark.parametrize(("name", "why"), bad_names.items())
def test_structure_is_not_for_further_headers(name: str, why: str) -> None:
    """What addresses, identifies or structures a mail cannot be set as a further header."""
    assert fault_of_name(name) == why


def test_a_character_that_pads_goes_by_itself() -> None:
    """Where no base64 word can end without padding, one character is quoted, so that the next words can."""
    pieces = words("a" + "日本語" * 10, 9)
    assert [piece[1:12] for piece in pieces] == ["=?utf-8?q?a", "=?utf-8?b?5", "=?utf-8?b?5"]
    assert "".join(str(make_header(decode_header(piece[1:]))) for piece in pieces) == "a" + "日本語" * 10


@given(texts, st.integers(3, 70))
def test_encoded_words_are_whole(text: str, used: int) -> None:
    """Each is at most 75 characters, decodes by itself, and together they are the text."""
    pieces = words(text, used)
    whole = ""
    for place, piece in enumerate(pieces):
        assert re.fullmatch(r" =\?utf-8\?(?:b\?[A-Za-z0-9+/]+=*|q\?[A-Za-z0-9!*+/=_-]+)\?=", piece) or not text
        assert len(piece) - 1 <= 75
        if place < len(pieces) - 1 and "?b?" in piece:
            assert not piece.endswith("=?="), "padding before the last word"
        whole += str(make_header(decode_header(piece[1:])))
    assert whole == text


@given(texts, st.booleans())
def test_a_field_is_one_field_of_short_lines(text: str, utf8: bool) -> None:
    """Unfolded it is one line, lines are as short as they can be, and Python's `email` reads the text."""
    written = field("X-Free", text, "headers.X-Free", utf8=utf8)
    if not text.strip(" "):
        assert not written
        return
    assert written.endswith("\r\n")
    lines = written[:-2].split("\r\n")
    assert all(line.startswith(" ") and line.strip(" ") for line in lines[1:])
    assert all(len(line) <= 76 or " " not in line.removeprefix("X-Free: ").strip(" ") for line in lines)
    unfolded = "".join(lines)
    assert str(make_header(decode_header(unfolded.removeprefix("X-Free: ")))) == text.strip(" ")
