"""Parts of a mail: what a file is called, what it is, and how it crosses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.mail.file_types import type_of
from sinks.mail.letter import Attachment, RefusedError
from sinks.mail.parts import Part, of_file
from tests.sinks.mail import strict_reader
from tests.sinks.mail.seen import Leaf


def leaf(file: Attachment) -> Leaf:
    """The file as a strict reader sees it."""
    tree = strict_reader.sub_part(of_file(file, "", "attachments.0").content)
    assert isinstance(tree, Leaf)
    return tree


def head(file: Attachment) -> list[str]:
    """The lines of the part's header."""
    return of_file(file, "", "attachments.0").content.partition(b"\r\n\r\n")[0].decode().split("\r\n")


names = {
    "plain": ("report.pdf", ' filename="report.pdf"'),
    "spaces": ("a b.pdf", ' filename="a b.pdf"'),
    "a folder": ("../../etc/passwd", ' filename="passwd"'),
    "a folder of Windows": ("C:\\a\\b.doc", ' filename="b.doc"'),
    "not ASCII": ("blåbær.txt", " filename*=utf-8''bl%C3%A5b%C3%A6r.txt"),
    "a quote": ('a"b.txt', " filename*=utf-8''a%22b.txt"),
    "a semicolon": ("a;b.txt", " filename*=utf-8''a%3Bb.txt"),
    "looks encoded": ("=?x?=", " filename*=utf-8''%3D%3Fx%3F%3D"),
    "turned around": ("photo\u202egpj.exe", ' filename="photogpj.exe"'),
    "two lines": ("a\r\nBcc: x.txt", ' filename="aBcc: x.txt"'),
    "only dots": ("..", ' filename="attachment"'),
    "nothing": ("", ' filename="attachment"'),
    "half a character": ("a\ud800.txt", ' filename="a.txt"'),
}


@pytest.mark.parametrize(("name", "parameter"), names.values(), ids=names)
def test_a_file_name_is_a_name(name: str, parameter: str) -> None:
    """It leads into no folder, hides nothing, and is written as every program reads it."""
    assert head(Attachment(name, b""))[-1] == f"Content-Disposition: attachment;{parameter}"


def test_a_long_file_name_goes_in_sections() -> None:
    """RFC 2231 sections, none of which breaks a character."""
    name = "日本語のとても長い名前" * 3 + ".pdf"
    lines = head(Attachment(name, b""))
    sections = [line for line in lines if "filename*" in line]
    assert len(sections) > 3
    assert all(len(line) <= 76 for line in lines)
    for line in sections:
        text = line.partition("=")[2].removeprefix("utf-8''").rstrip(";")
        assert text.count("%") % 3 == 0, "a character of three bytes is broken"
    assert leaf(Attachment(name, b"")).file_name == name
    with pytest.raises(RefusedError, match="more than 255 characters"):
        head(Attachment("x" * 256, b""))


types = {
    "by its name": (Attachment("a.PDF", b""), "Content-Type: application/pdf"),
    "by no name": (Attachment("README", b""), "Content-Type: application/octet-stream"),
    "as given": (Attachment("a.pdf", b"", "Image/PNG"), "Content-Type: image/png"),
    "text, ASCII": (Attachment("a.txt", b"a"), "Content-Type: text/plain; charset=us-ascii"),
    "text, UTF-8": (Attachment("a.txt", "æ".encode()), "Content-Type: text/plain; charset=utf-8"),
    "text, of another charset": (Attachment("a.txt", b"\xe6"), "Content-Type: text/plain"),
    "a charset as given": (
        Attachment("a.csv", b"\xe6", "text/csv; charset=iso-8859-1"),
        "Content-Type: text/csv; charset=iso-8859-1",
    ),
    "parameters": (
        Attachment("a.ics", b"", "text/calendar; method=REQUEST;Charset=utf-8"),
        "Content-Type: text/calendar; method=REQUEST; charset=utf-8",
    ),
    "a name of its own": (
        Attachment("a.pdf", b"", 'application/pdf; name="b.exe"; name*0=x'),
        "Content-Type: application/pdf",
    ),
    "no type": (Attachment("a.pdf", b"", "pdf"), "Content-Type: application/octet-stream"),
    "two lines": (Attachment("a.pdf", b"", "a/b\r\nBcc: x"), "Content-Type: application/octet-stream"),
    "a part of a message": (Attachment("a", b"", "message/partial"), "Content-Type: application/octet-stream"),
    "a whole page": (Attachment("a", b"", f"a/b; c={'d' * 300}"), "Content-Type: application/octet-stream"),
}


@pytest.mark.parametrize(("file", "line"), types.values(), ids=types)
def test_a_type_is_said_or_guessed(file: Attachment, line: str) -> None:
    """A name says it if nobody does; what is no type is a file of an unknown kind."""
    assert head(file)[0] == line


def test_a_mail_within_a_mail_has_no_encoding() -> None:
    """RFC 2046: a message stays as it is, in 7 or 8 bits; what cannot is a file."""
    seven = of_file(Attachment("m.eml", b"Subject: x\n\nHi\n"), "", "")
    eight = of_file(Attachment("m.eml", "Subject: x\n\nBjørn\n".encode()), "", "")
    long = of_file(Attachment("m.eml", b"Subject: x\n\n" + b"x" * 999), "", "")
    assert b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n" in seven.content
    assert seven.content.endswith(b"\r\n\r\nSubject: x\r\n\r\nHi\r\n")
    assert b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n" in eight.content
    assert b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n" in long.content
    assert (seven.eight_bit, eight.eight_bit, long.eight_bit) == (False, True, False)
    assert (seven.open, eight.open, long.open) == (True, True, False)


def test_text_with_the_line_ends_of_mail_can_be_read_as_it_stands() -> None:
    """Other text files go in base64, so that they arrive to the byte."""
    assert of_file(Attachment("a.csv", b"a,b\r\n"), "", "").content.endswith(b"7bit\r\nContent-Disposition: "
        b'attachment; filename="a.csv"\r\n\r\na,b\r\n')  # fmt: skip
    assert b"base64" in of_file(Attachment("a.csv", b"a,b\n"), "", "").content


def test_a_file_of_many_mails_is_encoded_once() -> None:
    """The same file is the same object, unless it is too large to keep."""

    def part(size: int) -> Part:
        return of_file(Attachment("a.bin", b"x" * size), "", "attachments.0")

    assert part(1000) is part(1000)
    assert part(1_000_001) is not part(1_000_001)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.tar.gz", "application/gzip"), (".pdf", "application/pdf"), ("a.", "application/octet-stream")],
)
def test_the_last_ending_counts(name: str, kind: str) -> None:
    """As in every program."""
    assert type_of(name) == kind


@given(st.text(max_size=80), st.binary(max_size=100), st.text(max_size=40))
def test_any_file_is_one_strict_part(name: str, content: bytes, kind: str) -> None:
    """Whatever it is called and said to be, it is one part with its bytes."""
    file = Attachment(name, content, kind)
    seen = leaf(file)
    assert seen.content == content
    assert seen.file_name
    assert seen.file_name.isprintable() or not seen.file_name.isascii()
    assert "/" not in seen.file_name
    assert "\\" not in seen.file_name
