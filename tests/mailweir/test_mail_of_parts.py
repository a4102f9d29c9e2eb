"""One mail made of what a caller gives."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest

from mailweir.mail_of_parts import boxes, composed, ready
from systems.mail import Envelope, Message

GIVEN: dict[str, Any] = {"sender": "Shop <a@example.com>", "recipients": "b@example.com", "body": "Hello\n"}


def made(**more: Any) -> Message:
    """A mail of these parts."""
    return composed("k", 0, **GIVEN | more)


def parsed(message: Message) -> EmailMessage:
    """As another parser reads it."""
    return message_from_bytes(message.content, policy=default)


def test_a_mail_has_what_was_given() -> None:
    """Addresses, subject, text, headers and files arrive as given, and blind copies only in the envelope."""
    message = made(
        recipients=["Kari Æ <b@example.com>", "c@example.com"],
        subject="Hæ",
        cc="d@example.com",
        bcc=["e@example.com"],
        headers=["X-A: one", ("X-B", "two")],
        attachments=[("a.txt", b"file"), ("b.bin", b"\0", "application/x-b")],
    )
    assert message.envelope == Envelope(
        "a@example.com", ("b@example.com", "c@example.com", "d@example.com", "e@example.com")
    )
    mail = parsed(message)
    assert (mail["From"], mail["Subject"], mail["X-A"], mail["X-B"]) == ("Shop <a@example.com>", "Hæ", "one", "two")
    assert mail["To"] == "Kari Æ <b@example.com>, c@example.com"
    assert b"e@example.com" not in message.content
    body = mail.get_body()
    assert body is not None
    assert body.get_content().split() == ["Hello"]
    assert [(one.get_filename(), one.get_content_type()) for one in mail.iter_attachments()] == [
        ("a.txt", "text/plain"),
        ("b.bin", "application/x-b"),
    ]


def test_html_brings_a_text_along() -> None:
    """Of HTML a plain text is made, so that every reader has something."""
    mail = parsed(made(body="<p>Hei <b>du</b></p>", content_type="text/html"))
    assert mail.get_content_type() == "multipart/alternative"
    plain = mail.get_body(("plain",))
    assert plain is not None
    assert "Hei" in plain.get_content()


def test_another_kind_and_charset_are_kept() -> None:
    """A body of any kind goes in its charset, and reads back as it was."""
    mail = parsed(made(body="BEGIN:Hæ", content_type="text/calendar; method=REQUEST", charset="iso-8859-1"))
    assert mail.get_content_type() == "text/calendar"
    assert mail.get_content() == "BEGIN:Hæ"
    assert mail.get_param("method") == "REQUEST"


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"recipients": "x@"}, "recipients: 'x@' is not an address"),
        ({"recipients": ""}, "recipients"),
        ({"sender": "a@example.com, b@example.com"}, "sender: one address"),
        ({"headers": ["nothing"]}, "has no colon"),
        ({"headers": {"X": "a\nBcc: e@example.com"}}, "line break"),
        ({"headers": {"Content-Type": "text/x"}}, "headers.Content-Type"),
        ({"subject": "a\r\nBcc: e@example.com"}, "subject"),
        ({"charset": "us-ascii-2"}, "charset"),
        ({"body": "æ", "charset": "koi8-r", "content_type": "text/x"}, "charset"),
        ({"content_type": "text/x\r\nBcc: e"}, "content_type"),
        ({"content_type": "text/x", "attachments": [("a", b"")]}, "cannot have attachments"),
    ],
)
def test_what_cannot_be_a_mail_is_refused(parts: dict[str, Any], words: str) -> None:
    """Each part that is wrong is named."""
    with pytest.raises(ValueError, match=words):
        made(**parts)


def test_a_whole_mail_goes_as_it_is() -> None:
    """Bytes stay bytes, a message of the standard library is written down, and recipients are there once."""
    assert ready("k", "", ["b@example.com", "B <b@example.com>"], b"Subject: x\r\n\r\nx") == Message(
        "k", Envelope("", ("b@example.com",)), b"Subject: x\r\n\r\nx"
    )
    standard = EmailMessage()
    standard["Subject"] = "x"
    standard.set_content("y")
    assert ready("k", "A <a@example.com>", "b@example.com", standard).content.startswith(b"Subject: x\r\n")
    assert ready("k", "a@example.com", "b@example.com", "Subject: æ").content == "Subject: æ".encode()
    with pytest.raises(ValueError, match="recipients: none"):
        ready("k", "a@example.com", [], b"")


def test_a_comma_too_many_is_no_address() -> None:
    """People end lists with commas."""
    assert [box.address for box in boxes("to", "a@example.com, b@example.com,")] == ["a@example.com", "b@example.com"]
