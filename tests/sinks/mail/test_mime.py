"""The bytes of a mail, and what makes none."""

from __future__ import annotations

from typing import Any

import pytest

from sinks.mail.letter import Attachment, Heading, Letter, Mailbox, Refusal, RefusedError
from sinks.mail.mime import Writer, date
from tests.sinks.mail import strict_reader

WHEN = 1_800_000_000
SENDER = Mailbox("Example", "post@example.com")
ANN = Mailbox("Ann Lee", "ann@example.org")

SMALL = """\
Date: Fri, 15 Jan 2027 08:00:00 +0000
From: Example <post@example.com>
To: Ann Lee <ann@example.org>
Subject: Welcome, Ann
Message-ID: <f3f8e7a1@example.com>
Auto-Submitted: auto-generated
MIME-Version: 1.0
Content-Type: multipart/alternative;
 boundary="=_f3f8e7a1a"

--=_f3f8e7a1a
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 7bit

Hello Ann
--=_f3f8e7a1a
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: quoted-printable

<p>Hello Ann =E2=80=93 welcome</p>

--=_f3f8e7a1a--
"""


def letter(**values: Any) -> Letter:
    """A small letter, with these values in it."""
    return Letter("k", WHEN, (ANN,), "Welcome, Ann", "Hello Ann")._replace(**values)


def written(heading: Heading | None = None, **values: Any) -> str:
    """The mail as text, with a short digest; a strict reader has read it."""
    content = Writer(heading or Heading(SENDER)).write(letter(**values)).content
    strict_reader.read(content)
    text = content.decode()
    digest = text.partition("Message-ID: <")[2].partition("@")[0]
    return text.replace(digest, "f3f8e7a1").replace("\r\n", "\n")


def header(heading: Heading | None = None, **values: Any) -> str:
    """The header of that mail."""
    return written(heading, **values).partition("\n\n")[0]


def test_a_small_mail_is_these_bytes() -> None:
    """Text and HTML, each in the encoding that fits it."""
    assert written(html="<p>Hello Ann – welcome</p>\n") == SMALL


def test_one_text_is_a_mail_of_one_part() -> None:
    """Without HTML and files there is no multipart, and the text ends with a line's end."""
    mail = written()
    assert mail.endswith(
        "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 7bit\n\nHello Ann\n"
    )


def test_files_and_images_stand_where_programs_look_for_them() -> None:
    """Mixed holds alternative and files, alternative holds text and related, related holds HTML and images."""
    mail = written(
        html='<img src="cid:logo">',
        images=(Attachment("logo.png", b"\x89PNG", cid="logo"),),
        attachments=(Attachment("a.pdf", b"%PDF"),),
    )
    kinds = [
        line.removeprefix("Content-Type: ").partition(";")[0] for line in mail.split("\n") if "Content-Type" in line
    ]
    assert kinds == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
        "application/pdf",
    ]
    assert "Content-ID: <0.f3f8e7a1@example.com>\n" in mail
    assert '<img src="cid:0.f3f8e7a1@example.com">' in mail


def test_images_are_found_in_attributes_only() -> None:
    """Names of images change in `src`, `background` and `url()`, not in the words of the text."""
    html = "<b background=cid:a style=\"x: url(cid:a) url('CID:a')\">cid:a is cid:b</b>"
    mail = written(html=html, images=(Attachment("a.gif", b"GIF", cid="a"),))
    name = "cid:0.f3f8e7a1@example.com"
    plain = mail.replace("=\n", "").replace("=3D", "=")
    assert f"<b background={name} style=\"x: url({name}) url('{name}')\">cid:a is cid:b</b>" in plain


def test_what_a_sink_says_stands_in_every_mail() -> None:
    """Reply-To, further headers, importance and the domain of identifiers come from the heading."""
    heading = Heading(
        SENDER,
        (Mailbox("Help", "help@example.com"),),
        (("X-Pipe", "welcome-mail"), ("X-Empty", " "), ("X-Name", "Bjørn")),
        "mail.example.com",
        "high",
        "",
    )
    assert header(heading).split("\n")[3:-2] == [
        "Reply-To: Help <help@example.com>",
        "Subject: Welcome, Ann",
        "Message-ID: <f3f8e7a1@mail.example.com>",
        "X-Pipe: welcome-mail",
        "X-Name: =?utf-8?q?Bj=C3=B8rn?=",
        "Importance: high",
        "X-Priority: 1 (Highest)",
        "MIME-Version: 1.0",
    ]


def test_a_sink_may_say_by_itself_how_automatic_it_is() -> None:
    """A further header takes the place of the one that is there by default."""
    text = header(Heading(SENDER, headers=(("auto-submitted", "auto-replied"),)))
    assert "\nauto-submitted: auto-replied\n" in text
    assert "auto-generated" not in text


def test_a_letter_may_have_its_own_sender_and_replies() -> None:
    """They stand in the place of those of the heading; identifiers follow the sender."""
    text = header(Heading(), sender=Mailbox("", "a@blåbær.example"), reply_to=(ANN,))
    assert "From: a@xn--blbr-roah.example\n" in text
    assert "Reply-To: Ann Lee <ann@example.org>\n" in text
    assert "Message-ID: <f3f8e7a1@xn--blbr-roah.example>\n" in text


def test_hidden_recipients_are_not_written() -> None:
    """Nothing of Bcc is in the mail."""
    mail = written(cc=(Mailbox("", "cc@example.org"),), bcc=(Mailbox("", "hidden@example.org"),))
    assert "Cc: cc@example.org\n" in mail
    assert "hidden" not in mail
    assert "Bcc" not in mail


def test_one_click_unsubscribe_is_announced() -> None:
    """RFC 8058: both headers, the URL whole."""
    url = "https://example.com/u?t=" + "x" * 200
    text = header(Heading(SENDER, one_click=True), unsubscribe=(url, "mailto:u@example.com"))
    assert f"List-Unsubscribe: <{url}>,\n <mailto:u@example.com>\n" in text
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click\n" in text
    assert "List-Unsubscribe-Post" not in header(unsubscribe=(url,))


def test_a_header_is_utf8_only_if_an_address_needs_it() -> None:
    """SMTPUTF8 asks something of every server on the way, so it is not asked for a name or a domain."""
    names = letter(to=(Mailbox("Bjørn", "b@blåbær.example"),), subject="Bjørn")
    assert not Writer(Heading(SENDER)).write(names).utf8
    local = Writer(Heading(SENDER)).write(names._replace(cc=(Mailbox("", "bjørn@example.com"),)))
    assert local.utf8
    assert "Subject: Bjørn\r\nMessage-ID" in local.content.decode()
    assert 'To: "Bjørn" <b@blåbær.example>\r\n' in local.content.decode()
    assert Writer(Heading(Mailbox("", "bjørn@example.com"))).write(letter()).utf8


def test_identifiers_come_from_the_key() -> None:
    """The key alone makes the Message-ID; two keys make two."""
    writer = Writer(Heading(SENDER))
    one, two = (writer.write(letter(key=key)).content.partition(b"Message-ID: ")[2][:26] for key in ("k", "l"))
    assert one != two
    assert writer.write(letter(subject="Other", at=0)).content.partition(b"Message-ID: ")[2][:26] == one


def test_a_boundary_is_never_in_the_content() -> None:
    """A text that holds the boundary of its own mail gets another one."""
    writer = Writer(Heading(SENDER))
    first = writer.write(letter(html="x")).content
    boundary = first.partition(b'boundary="')[2].partition(b'"')[0].decode()
    again = writer.write(letter(html="x", text=f"--{boundary}\n--{boundary}--\n")).content
    assert f'boundary="{boundary}"' not in again.decode()
    strict_reader.read(again)


dates = {
    0: "Thu, 1 Jan 1970 00:00:00 +0000",
    951_782_400: "Tue, 29 Feb 2000 00:00:00 +0000",
    2_147_483_648: "Tue, 19 Jan 2038 03:14:08 +0000",
    4_102_444_799: "Thu, 31 Dec 2099 23:59:59 +0000",
}


@pytest.mark.parametrize(("at", "text"), dates.items())
def test_a_date_is_in_utc(at: int, text: str) -> None:
    """It says when, not where."""
    assert date(at) == text


refused: dict[str, tuple[Heading, dict[str, Any], Refusal]] = {
    "no sender": (Heading(), {}, Refusal("sender", "no sender")),
    "no body": (Heading(SENDER), {"text": None}, Refusal("text", "neither text nor HTML")),
    "a subject of two lines": (
        Heading(SENDER),
        {"subject": "Hi\r\nBcc: x@example.com"},
        Refusal("subject", "a line break or control character", 2),
    ),
    "a header of two lines": (
        Heading(SENDER),
        {"headers": (("X-A", "a\nb"),)},
        Refusal("headers.X-A", "a line break or control character", 1),
    ),
    "a header that is not free": (
        Heading(SENDER),
        {"headers": (("Bcc", "x@example.com"),)},
        Refusal("headers.Bcc", "this header has a property of its own: `bcc`"),
    ),
    "a header twice": (
        Heading(SENDER, headers=(("X-A", "a"),)),
        {"headers": (("x-a", "b"),)},
        Refusal("headers.x-a", "this header is there twice"),
    ),
    "a header of ours": (
        Heading(SENDER),
        {"headers": (("Auto-Submitted", "no"),)},
        Refusal("headers.Auto-Submitted", "this header is there twice"),
    ),
    "an image that is not there": (
        Heading(SENDER),
        {"html": '<img src="cid:logo">'},
        Refusal("html", "no inline image is called `logo`", 10),
    ),
    "an image without HTML": (
        Heading(SENDER),
        {"images": (Attachment("a.png", b"", cid="a"),)},
        Refusal("images", "without HTML there is nothing to show an image"),
    ),
    "two images of one name": (
        Heading(SENDER),
        {"html": "x", "images": (Attachment("a.png", b"", cid="a"),) * 2},
        Refusal("images.1.cid", "a second image with this `cid`"),
    ),
    "an image's name with spaces": (
        Heading(SENDER),
        {"html": "x", "images": (Attachment("a.png", b"", cid="a b"),)},
        Refusal("images.0.cid", "a `cid` has letters, digits and `.-_@` only"),
    ),
    "one click by mail": (
        Heading(SENDER, one_click=True),
        {"unsubscribe": ("mailto:u@example.com",)},
        Refusal("unsubscribe", "one click needs an `https:` URL"),
    ),
    "a file that is a multipart": (
        Heading(SENDER),
        {"attachments": (Attachment("a", b"", "multipart/mixed"),)},
        Refusal("attachments.0.type", "a file cannot be `multipart`"),
    ),
    "no address": (Heading(SENDER), {"to": (Mailbox("Ann", "ann"),)}, Refusal("to", "no `@`")),
}


@pytest.mark.parametrize(("heading", "values", "why"), refused.values(), ids=refused)
def test_what_makes_no_mail_says_why(heading: Heading, values: dict[str, Any], why: Refusal) -> None:
    """Each fault names the value and, in a text, the character."""
    with pytest.raises(RefusedError) as caught:
        Writer(heading).write(letter(**values))
    assert caught.value.refusal == why


headings = {
    "the sender": (Heading(Mailbox("", "post")), Refusal("sender", "no `@`")),
    "a header": (Heading(SENDER, headers=(("X A", ""),)), "headers.X A"),
    "a sender that is no text": (
        Heading(Mailbox("", "a@\ud800é")),
        Refusal("sender", "a line break or control character"),
    ),
    "what says that it is automatic": (Heading(SENDER, auto_submitted="a\nb"), "auto_submitted"),
    "the domain": (Heading(SENDER, message_id_domain="a b"), "message_id_domain"),
    "replies": (Heading(SENDER, (Mailbox("", "x"),)), "reply_to"),
}


@pytest.mark.parametrize(("heading", "why"), headings.values(), ids=headings)
def test_a_heading_that_no_mail_can_have_makes_no_writer(heading: Heading, why: Refusal | str) -> None:
    """What is wrong for every mail is said once, before the first."""
    with pytest.raises(RefusedError) as caught:
        Writer(heading)
    assert why in {caught.value.refusal, caught.value.refusal.at}


class Forger:
    """Signs with a field of its own choice."""

    def field(self, content: bytes, at: int) -> bytes:
        """Not a signature."""
        return b"Bcc: x@example.com\r\n"


def test_the_last_look_is_at_all_of_the_mail() -> None:
    """What a signer puts before a mail is looked at too."""
    with pytest.raises(RefusedError) as caught:
        Writer(Heading(SENDER), (Forger(),)).write(letter())
    assert caught.value.refusal == Refusal("message", "the header has other fields than the intended ones")
