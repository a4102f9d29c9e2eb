"""A letter becomes the message that a mail system carries, or a reason why not."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest

from sinks.mail.compose import Composer
from sinks.mail.css import inlined
from sinks.mail.dkim import Signer
from sinks.mail.letter import Heading, Letter, Mailbox, Refusal, RefusedError
from systems.mail import Envelope, Message
from systems.smtp.content import prepare

SENDER = Mailbox("Example", "post@example.com")
ANN, BOB, EVE = (Mailbox("", f"{name}@example.org") for name in ("ann", "bob", "eve"))
SEED = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="


def letter(**values: Any) -> Letter:
    """A letter with these values in it."""
    return Letter("pipe/c-1/v1", 1_800_000_000, (ANN,), "Hello", "Hello")._replace(**values)


def composed(letter: Letter, heading: Heading | None = None, **options: Any) -> Message:
    """The message."""
    message = Composer(heading or Heading(SENDER), **options).compose(letter)
    assert isinstance(message, Message)
    return message


def parsed(message: Message) -> EmailMessage:
    """The mail in it."""
    mail = message_from_bytes(message.content, policy=default)
    assert isinstance(mail, EmailMessage)
    return mail


def test_everybody_gets_it_and_nobody_twice() -> None:
    """The envelope holds To, Cc and Bcc once each; the sender gets what comes back."""
    message = composed(letter(cc=(BOB, Mailbox("Ann", "ann@EXAMPLE.org")), bcc=(EVE, BOB)))
    assert message.key == "pipe/c-1/v1"
    assert message.envelope == Envelope("post@example.com", ("ann@example.org", "bob@example.org", "eve@example.org"))
    assert b"eve" not in message.content


def test_a_return_path_is_that_of_the_envelope() -> None:
    """Another address gets the reports of servers, or nobody does."""
    assert composed(letter(), return_path="bounces@example.com").envelope.sender == "bounces@example.com"
    assert composed(letter(), return_path="").envelope.sender == ""
    assert composed(letter(sender=Mailbox("", "other@example.com"))).envelope.sender == "other@example.com"


def test_utf8_is_asked_for_only_if_the_header_is_utf8() -> None:
    """A recipient in Bcc is in no header."""
    local = Mailbox("", "bjørn@example.org")
    assert composed(letter(to=(local,))).envelope.smtputf8
    assert not composed(letter(bcc=(local,))).envelope.smtputf8


def test_html_brings_its_text() -> None:
    """Without a text of its own, a mail has what a reader of the HTML sees; a picture alone has none."""
    html = '<h1>Hello</h1><p>See <a href="https://example.com/a">this</a>.</p>'
    mail = parsed(composed(letter(text=None, html=html)))
    plain = mail.get_body(("plain",))
    assert plain is not None
    assert plain.get_content() == "Hello\r\n=====\r\n\r\nSee this <https://example.com/a>.\r\n"
    assert parsed(composed(letter(text=None, html="<img src=x>"))).get_content_type() == "text/html"
    assert parsed(composed(letter(text="", html="<p>x</p>"))).get_content_type() == "multipart/alternative"


def test_styles_are_inlined_if_wanted() -> None:
    """What a style hides is not in the text either."""
    html = "<style>.x { display: none } p { color: red }</style><p class=x>a</p><p>b</p>"
    mail = parsed(composed(letter(text=None, html=html), styles=inlined))
    shown, plain = mail.get_body(("html",)), mail.get_body(("plain",))
    assert shown is not None
    assert plain is not None
    assert '<p style="color: red;">b</p>' in shown.get_content()
    assert plain.get_content() == "b\r\n"


def test_a_signature_stands_first() -> None:
    """DKIM signs what is then sent as it is."""
    message = composed(letter(), signers=(Signer("example.com", "s", SEED),))
    assert message.content.startswith(b"DKIM-Signature: v=1; a=ed25519-sha256;")


def test_content_has_its_wire_form() -> None:
    """A mail system sends these bytes without a change."""
    content = composed(letter(text="Hello\n.\n..\r\rFrom me", html="<p>x\n.</p>")).content
    assert prepare(content).text == content


refused: dict[str, tuple[dict[str, Any], dict[str, Any], Refusal]] = {
    "nobody": ({"to": ()}, {}, Refusal("to", "no recipient")),
    "a hidden recipient": ({"bcc": (Mailbox("", "x"),)}, {}, Refusal("bcc.0", "no `@`")),
    "a subject of two lines": ({"subject": "a\nb"}, {}, Refusal("subject", "a line break or control character", 1)),
    "too large": ({"text": "x\n" * 1000}, {"largest": 2000}, Refusal("message", "3289 bytes, more than 2000")),
    "too deep": (
        {"html": "<div>" * 300},
        {"styles": inlined},
        Refusal("html", "elements are nested more than 200 deep, so styles cannot be inlined"),
    ),
}


@pytest.mark.parametrize(("values", "options", "why"), refused.values(), ids=refused)
def test_a_fault_of_a_letter_is_a_value(values: dict[str, Any], options: dict[str, Any], why: Refusal) -> None:
    """It becomes an outcome; nothing is raised."""
    assert Composer(Heading(SENDER), **options).compose(letter(**values)) == why


def test_a_return_path_is_an_address() -> None:
    """What is wrong for every mail is said when the composer is made."""
    with pytest.raises(RefusedError) as caught:
        Composer(Heading(SENDER), return_path="bounces")
    assert caught.value.refusal == Refusal("return_path", "no `@`")
