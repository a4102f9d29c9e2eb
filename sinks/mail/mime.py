"""The bytes of a mail: the same letter makes the same bytes, and nothing in it makes another header. No I/O.

What is the same for every mail of a sink is written once, when its `Writer` is made.
"""

from __future__ import annotations

from collections.abc import Iterable, MutableSequence, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple, Protocol

from sinks.mail.audit import is_wire_form
from sinks.mail.body import body_of
from sinks.mail.fields import fault_of_name, field, urls
from sinks.mail.letter import Heading, Letter, RefusedError
from sinks.mail.mailboxes import mailboxes, needs_utf8
from systems.address import a_labels, fault_of

_days: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_months: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

# RFC 2156 has Importance; X-Priority is what more programs show.
_importance: Final = {
    "high": (("Importance", "high"), ("X-Priority", "1 (Highest)")),
    "normal": (("Importance", "normal"), ("X-Priority", "3 (Normal)")),
    "low": (("Importance", "low"), ("X-Priority", "5 (Lowest)")),
    "": (),
}


class Fixed(NamedTuple):
    """The fields that all mails of a sink share; `names` are those of `further`."""

    sender: str
    reply_to: str
    further: str
    names: tuple[bytes, ...]


class Written(NamedTuple):
    """A mail. `utf8` says that its header is UTF-8, which servers must know (RFC 6531); `wire` is that of `Message`."""

    content: bytes
    utf8: bool
    wire: bool


class Signs(Protocol):
    """What signs a mail."""

    def field(self, content: bytes, at: int) -> bytes:
        """The field DKIM-Signature for this mail, to be put before it."""
        ...


class Writer:
    """Writes the mails of a sink."""

    def __init__(self, heading: Heading, signers: Sequence[Signs] = ()) -> None:
        """Refuse, with `RefusedError`, a heading that no mail can have."""
        self._heading = heading
        self._signers = signers
        self._domain = ""
        if heading.message_id_domain:
            self._domain = _given_domain(heading.message_id_domain)
        elif heading.sender:
            self._domain = _domain_of(heading.sender.address)
        self._utf8 = needs_utf8([heading.sender, *heading.reply_to] if heading.sender else heading.reply_to)
        self._fixed = _fixed(heading, utf8=self._utf8)
        self._taken = frozenset(name.lower() for name, _ in heading.headers) | {
            name.lower().decode() for name in self._fixed.names
        }

    def write(self, letter: Letter) -> Written:
        """The mail, or `RefusedError`."""
        fixed, utf8 = self._fixed, self._utf8
        if not utf8 and _needs_utf8(letter):
            utf8 = True
            fixed = _fixed(self._heading, utf8=True)
        names = [b"Date", b"From"]
        to = cc = subject = ""
        sender, domain, reply_to = fixed.sender, self._domain, fixed.reply_to
        if letter.sender:
            sender = mailboxes("From", (letter.sender,), "sender", utf8=utf8)
            domain = domain or _domain_of(letter.sender.address)
        elif not sender:
            raise RefusedError("sender", "no sender")
        if letter.to:
            to = mailboxes("To", letter.to, "to", utf8=utf8)
            names.append(b"To")
        if letter.cc:
            cc = mailboxes("Cc", letter.cc, "cc", utf8=utf8)
            names.append(b"Cc")
        if letter.reply_to:
            reply_to = mailboxes("Reply-To", letter.reply_to, "reply_to", utf8=utf8)
        if reply_to:
            names.append(b"Reply-To")
        if letter.subject and (subject := field("Subject", letter.subject, "subject", utf8=utf8)):
            names.append(b"Subject")
        names.append(b"Message-ID")
        further = ""
        if letter.unsubscribe:
            further = self._unsubscribe(letter.unsubscribe, names)
        if letter.headers:
            further += _headers(letter.headers, self._taken, names, utf8=utf8)
        digest = blake2b(letter.key.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
        body = body_of(letter, digest, domain)
        names += fixed.names
        names += body.names
        head = (
            f"Date: {date(letter.at)}\r\n{sender}{to}{cc}{reply_to}{subject}Message-ID: <{digest}@{domain}>\r\n"
            f"{further}{fixed.further}"
        )
        content = head.encode() + body.content
        if self._signers:
            signatures = [signer.field(content, letter.at) for signer in self._signers]
            content = b"".join([*signatures, content])
            names = [*[b"DKIM-Signature"] * len(signatures), *names]
        return Written(content, utf8, is_wire_form(content, tuple(names), body.mark, body.marks))

    def _unsubscribe(self, addresses: tuple[str, ...], names: MutableSequence[bytes]) -> str:
        text = urls("List-Unsubscribe", addresses, "unsubscribe")
        names.append(b"List-Unsubscribe")
        if not self._heading.one_click:
            return text
        if not any(address.lower().startswith("https:") for address in addresses):
            raise RefusedError("unsubscribe", "one click needs an `https:` URL")  # RFC 8058 section 3.1
        names.append(b"List-Unsubscribe-Post")
        return f"{text}List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"


def _fixed(heading: Heading, *, utf8: bool) -> Fixed:
    names: list[bytes] = []
    further = _headers(heading.headers, frozenset(), names, utf8=utf8)
    taken = {name.lower() for name, _ in heading.headers}
    automatic = "" if "auto-submitted" in taken else heading.auto_submitted
    for name, value in (*_importance[heading.importance], ("Auto-Submitted", automatic), ("MIME-Version", "1.0")):
        if text := field(name, value, "auto_submitted"):  # the only one of these that can be wrong
            further += text
            names.append(name.encode())
    return Fixed(
        mailboxes("From", (heading.sender,), "sender", utf8=utf8) if heading.sender else "",
        mailboxes("Reply-To", heading.reply_to, "reply_to", utf8=utf8),
        further,
        tuple(names),
    )


def _headers(
    headers: Iterable[tuple[str, str]], taken: frozenset[str], names: MutableSequence[bytes], *, utf8: bool
) -> str:
    """Further fields, those without a value left out."""
    seen = set(taken)
    further = ""
    for name, value in headers:
        at = f"headers.{name}"
        fault = fault_of_name(name) or ("this header is there twice" if name.lower() in seen else None)
        if fault:
            raise RefusedError(at, fault)
        seen.add(name.lower())
        if text := field(name, value, at, utf8=utf8):
            further += text
            names.append(name.encode())
    return further


def _needs_utf8(letter: Letter) -> bool:
    return (
        needs_utf8(letter.to)
        or bool(letter.cc and needs_utf8(letter.cc))
        or bool(letter.reply_to and needs_utf8(letter.reply_to))
        or bool(letter.sender and needs_utf8((letter.sender,)))
    )


def _given_domain(domain: str) -> str:
    if fault := fault_of(f"a@{domain}"):
        raise RefusedError("message_id_domain", fault)
    return _domain_of(f"a@{domain}")


@lru_cache(maxsize=64)
def _domain_of(address: str) -> str:
    """The domain of an address for identifiers, which are ASCII always: they only have to be nobody else's."""
    domain = address.rpartition("@")[2]
    return domain if domain.isascii() else a_labels(domain) or f"xn--{domain.encode('punycode').decode()}"


@lru_cache(maxsize=16)
def date(at: int) -> str:
    """The time of a mail (RFC 5322 section 3.3), in UTC: it says nothing of where the sender is."""
    then = datetime.fromtimestamp(at, UTC)
    day, month = _days[then.weekday()], _months[then.month - 1]
    return f"{day}, {then.day} {month} {then.year:04} {then.hour:02}:{then.minute:02}:{then.second:02} +0000"
