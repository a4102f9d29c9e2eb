"""What is read in a mail that was caught, whatever its sender wrote."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailweir.caught import Attachment, Caught

WHEN = datetime(2026, 1, 2, 14, 2, 11, 500_000, UTC)


def caught(
    content: bytes, *, sender: str = "a@example.com", recipients: tuple[str, ...] = ("b@example.org",)
) -> Caught:
    """A mail with this content."""
    return Caught(1, WHEN, sender, recipients, content)


def composed() -> EmailMessage:
    """A mail with two texts, an attachment, and words that are not ASCII."""
    message = EmailMessage(policy=SMTP)
    message["From"] = "Kåre <a@example.com>"
    message["Subject"] = "Blåbærsyltetøy til frokost, og litt til i en lang linje som må brytes opp før den er over"
    message["X-Tag"] = "one"
    message["x-tag"] = "two"
    message.set_content("Hei på deg\n.punktum\n")
    message.add_alternative("<p>Hei på deg</p>", subtype="html")
    message.add_attachment(b"%PDF" * 10, maintype="application", subtype="pdf", filename="årsrapport.pdf")
    return message


def test_what_the_standard_library_writes_is_read() -> None:
    """Headers, both texts and the attachment come out as they went in."""
    message = composed()
    mail = caught(message.as_bytes())
    assert mail.subject == message["Subject"]
    assert mail.header("FROM") == "Kåre <a@example.com>"
    assert mail.text == "Hei på deg\n.punktum\n"
    assert mail.html == "<p>Hei på deg</p>\n"
    assert mail.body.attachments == (Attachment("årsrapport.pdf", "application/pdf", 40),)


def test_the_document_has_everything() -> None:
    """The JSON value holds the envelope, the time in UTC, and each header with all of its values."""
    mail = Caught(
        7,
        WHEN.astimezone(timezone(timedelta(hours=2))),
        "",
        ("b@example.org", "c@example.org"),
        b"Subject: Hi\r\nReceived: x\r\nreceived: y\r\n\r\nText\r\n",
        login="kari",
        tls="TLSv1.3",
    )
    assert mail.document() == {
        "schema_version": 1,
        "command": "catch",
        "number": 7,
        "time": "2026-01-02T14:02:11.500Z",
        "sender": "",
        "recipients": ["b@example.org", "c@example.org"],
        "login": "kari",
        "tls": "TLSv1.3",
        "size": 47,
        "subject": "Hi",
        "headers": {"Subject": ["Hi"], "Received": ["x", "y"]},
        "text": "Text\n",
        "html": None,
        "attachments": [],
        "parsed": True,
    }


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (b"plain", "plain"),
        (b"=?utf-8?q?p=C3=A5_deg?=", "på deg"),
        (b"=?UTF-8?B?cMOlIGRlZw==?=", "på deg"),
        (b"=?utf-8?b?cMOlIGRlZw?=", "på deg"),
        (b"=?iso-8859-1*en?q?p=E5?= deg", "på deg"),
        (b"=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
        (b"=?utf-8?q?a?=\r\n =?utf-8?q?b?=", "ab"),
        (b"folded\r\n\tonce", "folded\tonce"),
        ("på deg".encode(), "på deg"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"=?klingon?q?x?=", "=?klingon?q?x?="),
        (b"=?punycode?q?x?=", "=?punycode?q?x?="),
        (b"=?utf-8?b?x?=", "=?utf-8?b?x?="),
        (b"=?utf-8?x?x?=", "=?utf-8?x?x?="),
        (b"=?utf-8?q?never closed", "=?utf-8?q?never closed"),
    ],
)
def test_encoded_words_are_read(written: bytes, read: str) -> None:
    """Encoded words are decoded as RFC 2047 says; what cannot be read stays as it is."""
    assert caught(b"Subject: " + written + b"\r\n\r\n").subject == read


@pytest.mark.parametrize(
    ("content", "text", "html", "types"),
    [
        (b"", "", None, []),
        (b"\r\nno header", "no header", None, []),
        (b"Content-Type: text/plain; charset=klingon\r\n\r\np\xc3\xa5", "på", None, []),
        (b"Content-Type: text/plain; charset=latin-1\r\n\r\np\xe5", "på", None, []),
        (b"Content-Type: text/plain\r\n\r\n\xff", "\ufffd", None, []),
        (b"Content-Type: text/html\r\n\r\n<p>", None, "<p>", []),
        (b"Content-Type: multipart/mixed\r\n\r\nno boundary", None, None, ["multipart/mixed"]),
        (b"Content-Type: image/png\r\n\r\nx", None, None, ["image/png"]),
        (b"Content-Disposition: attachment\r\n\r\nx", None, None, ["text/plain"]),
        (b"Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninner", None, None, ["message/rfc822"]),
        (b"Content-Transfer-Encoding: base64\r\n\r\n!!!", "", None, []),
        (b"Content-Transfer-Encoding: klingon\r\n\r\nx", "x", None, []),
    ],
)
def test_odd_content_is_read_as_far_as_it_goes(
    content: bytes, text: str | None, html: str | None, types: list[str]
) -> None:
    """Missing or wrong declarations cost the part they describe, nothing else."""
    mail = caught(content)
    assert (mail.text, mail.html, [a.type for a in mail.body.attachments]) == (text, html, types)


def test_content_that_breaks_the_parser_is_said_so() -> None:
    """Parts within parts without end leave the texts empty and `parsed` false; the rest is there."""
    head = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(3000))
    mail = caught(b"Subject: deep\r\n" + head)
    document = mail.document()
    assert (document["parsed"], document["text"], document["subject"]) == (False, None, "deep")


@pytest.mark.parametrize(
    "value", [b"=?" * 500_000, b"=?a?q?" * 200_000, b"=?a?q?" + b"x" * 1_000_000, b"?= " * 400_000, b"\r\n " * 400_000]
)
def test_a_header_made_to_be_slow_is_not(value: bytes) -> None:
    """A header of a megabyte is read in one pass: where the time grew with its square, this test would not end."""
    assert caught(b"Subject: " + value + b"\r\n\r\n").line()


def test_a_line_for_people() -> None:
    """A line has the time, who mails whom, the size and the subject."""
    content = b"Subject: Welcome\r\n\r\n"
    assert caught(content).line() == "14:02:11  a@example.com → b@example.org  20 B  Welcome"
    many = tuple(f"{n}@example.org" for n in range(5))
    assert caught(b"x" * 2100, sender="", recipients=many).line() == (
        "14:02:11  <> → 0@example.org, 1@example.org, 2@example.org and 2 more  2.1 kB  (no subject)"
    )


def test_a_line_shows_what_would_move_the_cursor() -> None:
    """Control characters, turned text and long words of a stranger cannot change the screen."""
    content = "Subject: a\x1b[2Jb\x9bc\u202ed\x7f\x00".encode() + b"\r\n\r\n"
    line = caught(content, sender="x\x1b]0;y\x07@example.com", recipients=("b" * 5000 + "@example.org",)).line()
    assert line.isprintable()
    assert len(line) < 400


mostly_mail = st.lists(
    st.sampled_from(
        [
            b"Subject: ",
            b"Content-Type: ",
            b"multipart/mixed; boundary=x",
            b"text/plain; charset=",
            b"utf-7",
            b"\r\n",
            b"\r\n\r\n",
            b"--x",
            b"--x--",
            b"Content-Transfer-Encoding: ",
            b"base64",
            b"quoted-printable",
            b"uuencode",
            b"=?utf-8?q?",
            b"?=",
            b"Content-Disposition: attachment; filename*0*=",
            b"message/rfc822",
        ]
    )
    | st.binary(max_size=20),
    max_size=40,
).map(b"".join)


@given(mostly_mail)
def test_any_bytes_give_a_document_and_a_line(content: bytes) -> None:
    """Whatever bytes come, the document is JSON and the line is printable."""
    mail = caught(content)
    assert json.loads(json.dumps(mail.document()))["size"] == len(content)
    assert mail.line().isprintable()
