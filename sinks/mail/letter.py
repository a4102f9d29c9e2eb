"""A mail as a person would put it: who, to whom, what. Plain values between templates and bytes. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple


class Mailbox(NamedTuple):
    """An address and the name shown with it (`""`: none)."""

    name: str
    address: str


class Attachment(NamedTuple):
    """A file that goes with a mail. Without a `type` its name says what it is.

    An inline image has a `cid`: the HTML shows it as `<img src="cid:…">`.
    """

    name: str
    content: bytes
    type: str = ""
    cid: str = ""


class Heading(NamedTuple):
    """What all mails of a sink have in common.

    `headers` are further ones as name and value. `message_id_domain` stands after `@` in each Message-ID; without it
    the domain of the sender does. `auto_submitted` keeps programs from answering (RFC 3834); `""` leaves it out.
    `one_click` says that a POST to the URL of `unsubscribe` is enough (RFC 8058).
    """

    sender: Mailbox | None = None
    reply_to: tuple[Mailbox, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    message_id_domain: str = ""
    importance: Literal["", "high", "normal", "low"] = ""
    auto_submitted: str = "auto-generated"
    one_click: bool = False


class Letter(NamedTuple):
    """One mail.

    `key` is its identity: Message-ID and boundaries are made of it, so the same letter is the same bytes. What is meant
    to arrive once more needs another key, for programs show one mail of a Message-ID.

    `at` is when it is written, in seconds since 1970. `sender` and `reply_to` stand in the place of those of the
    heading. `unsubscribe` holds URLs, `https:` or `mailto:`. Nothing of `bcc` is written: it is for the envelope.
    """

    key: str
    at: int
    to: tuple[Mailbox, ...] = ()
    subject: str = ""
    text: str | None = None
    html: str | None = None
    cc: tuple[Mailbox, ...] = ()
    bcc: tuple[Mailbox, ...] = ()
    sender: Mailbox | None = None
    reply_to: tuple[Mailbox, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    unsubscribe: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    images: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no mail: `at` names what is wrong as a path of the letter, `subject` or `attachments.0.name`.

    `index` is the character in that text where the fault stands, None where it is no matter of one place.
    """

    at: str
    text: str
    index: int | None = None


class RefusedError(Exception):
    """Carries a refusal from where it is found to where the letter was handed in; it goes no further."""

    def __init__(self, at: str, text: str, index: int | None = None) -> None:
        """The parts of a refusal."""
        super().__init__(text)
        self.refusal = Refusal(at, text, index)
