"""What a mail costs from rendered texts to bytes, with the standard library's way to the same mail beside it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bench.rounds import measure
from sinks.mail.compose import Composer
from sinks.mail.css import inlined
from sinks.mail.dkim import Signer
from sinks.mail.letter import Attachment, Heading, Letter, Mailbox
from sinks.mail.mime import Writer
from sinks.mail.recipients import recipients
from sinks.mail.text_of_html import text_of

MAILS = 200
SENDER = Mailbox("Example", "post@example.com")
KINDS = {
    "7-bit": ("Ann Lee", "you joined on 2026-01-02. You ordered"),
    "quoted, with a name and subject to encode": ("Bjørn Åsen", "velkommen til oss, her er det du har bestilt"),
    "base64, with a name and subject to encode": ("Привет Мир", "привет " * 60),
}


def letters(name: str, words: str) -> list[Letter]:
    """Small mails of text and HTML."""
    done = []
    for number in range(MAILS):
        ordered = [(f"Item {number}-{row}", f"{row * 7}.50") for row in range(5)]
        text = f"Hello {name},\n\n{words}\n\n" + "".join(f"{item}  {price}\n" for item, price in ordered)
        cells = "".join(f"<tr><td>{item}</td><td>{price}</td></tr>\n" for item, price in ordered)
        html = (
            f"<html><body>\n<p>Hello <b>{name}</b>,</p>\n<p>{words}</p>\n<table>\n{cells}</table>\n"
            f'<p><a href="https://example.com/orders/{number}">Your order</a></p>\n</body></html>\n'
        )
        to = (Mailbox(name, f"customer{number}@example.org"),)
        done.append(
            Letter(f"welcome-mail/c-{number}", 1_800_000_000 + number // 20, to, f"Welcome, {name}", text, html)
        )
    return done


def each(work: Callable[[Letter], object], letters: Iterable[Letter]) -> Callable[[], None]:
    """The work for each letter."""

    def once() -> None:
        for letter in letters:
            work(letter)

    return once


def by_email(letter: Letter) -> bytes:
    """The way of the standard library."""
    (box,) = letter.to
    message = EmailMessage(policy=SMTP)
    message["Date"] = format_datetime(datetime.fromtimestamp(letter.at, UTC))
    message["From"] = Address(SENDER.name, addr_spec=SENDER.address)
    message["To"] = Address(box.name, addr_spec=box.address)
    message["Subject"] = letter.subject
    message["Message-ID"] = make_msgid(domain="example.com")
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text or "")
    message.add_alternative(letter.html or "", subtype="html")
    return message.as_bytes()


def run() -> None:
    """Mails of three kinds, and what else may be done for each."""
    writer = Writer(Heading(SENDER))
    for kind, (name, words) in KINDS.items():
        batch = letters(name, words)
        rivals = {"the writer": each(writer.write, batch), "email.message.EmailMessage": each(by_email, batch)}
        measure(f"A mail of text and HTML to bytes: {kind}", rivals, unit="µs", count=MAILS)
    batch = letters(*KINDS["7-bit"])
    rsa = generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    seed = b64encode(bytes(range(32))).decode()
    file = Attachment("report.pdf", bytes(range(256)) * 400)
    more = {
        "the writer": each(writer.write, batch),
        "… and recipients, envelope, size": each(Composer(Heading(SENDER), largest=10**7).compose, batch),
        "… and the same file of 100 kB": each(writer.write, [one._replace(attachments=(file,)) for one in batch]),
        "… and an Ed25519 signature": each(Writer(Heading(SENDER), [Signer("example.com", "s", seed)]).write, batch),
        "… and an RSA-2048 signature": each(Writer(Heading(SENDER), [Signer("example.com", "s", rsa)]).write, batch),
        "recipients of a property": each(lambda one: recipients(one.to[0].address), batch),
        "text of its HTML": each(lambda one: text_of(one.html or ""), batch),
        "styles inlined": each(lambda one: inlined(one.html or ""), batch),
    }
    measure("The same mail, 7-bit", more, unit="µs", count=MAILS)
