"""One message on one connection: what to say for it, and what has been said of each recipient. No I/O.

What cannot go to this server is refused here before a byte of it is sent.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

from systems.address import LONGEST_ADDRESS
from systems.mail import Answer, Answered, Message, Phase, Reason, Status, SystemFault
from systems.smtp.capabilities import Capabilities, Limits
from systems.smtp.commands import (
    fault_of_reports,
    is_usual,
    mail_reports,
    recipient_reports,
    wire_address,
    wire_sender,
)
from systems.smtp.content import Content
from systems.smtp.replies import Kind, Reply
from systems.smtp.settings import Settings

# What ends a connection without a fault of the message under way, however far it came.
BLAMELESS: Final = frozenset({Reason.CLOSING, Reason.LOGIN_NEEDED, Reason.CANCELLED})


_the_only_one: Final = (0,)


class Terms:
    """What holds for every message on a connection, until the server turns out to take less than it said."""

    __slots__ = ("largest", "offers", "plain", "server", "settings", "size")

    def __init__(self, offers: Capabilities, settings: Settings) -> None:
        """Nothing here changes later."""
        self.offers = offers
        self.settings = settings
        limits = (offers.largest, settings.largest)
        self.largest = min((limit for limit in limits if limit is not None), default=sys.maxsize)
        self.server = settings.server
        self.size = offers.size
        self.plain = not (offers.limits.crowd or settings.xverp)  # nothing is counted, nothing added


class Transaction:
    """A message between MAIL and the answer to its last byte."""

    # What holds until a reply changes it: a message costs less if each does not set it anew.
    mail = ""
    recipients: Sequence[str] = ()  # the RCPT commands
    asked: Sequence[int] = ()  # whom the RCPT name, as indexes of the message's recipients
    taken: Sequence[int] = ()  # the recipients that the server took
    next = 0  # how many RCPT are answered
    began = False  # the server answered MAIL
    refusal: Reply | None = None  # its answer to MAIL, if it was no
    strange = False  # it took a recipient all the same
    again = False  # it may be the optional parameters that it refused
    go_ahead = False  # it answered DATA with 354
    dot_at = -1  # where in the stream of bytes this message's last one stands, once it is due

    def __init__(self, message: Message, content: Content, terms: Terms) -> None:
        """Say what there is to say to a server that offers this; without `asked` there is nothing."""
        self.message = message
        self.content = content
        self.terms = terms
        self.answers: list[Answer | None] = [None] * len(message.envelope.recipients)
        envelope = message.envelope
        size = len(content.text)
        # What nearly all messages are: 7-bit, of no great size, to one plain address.
        if (
            content.seven_bit
            and size <= terms.largest
            and terms.plain
            and len(envelope.recipients) == 1
            and not (content.fault or envelope.smtputf8 or envelope.xverp or envelope.reports)
        ):
            sender, address = wire_sender(envelope.sender), envelope.recipients[0]
            if sender is not None and sender.isascii() and is_usual(address) and len(address) <= LONGEST_ADDRESS:
                self.mail = f"MAIL FROM:<{sender}> SIZE={size}\r\n" if terms.size else f"MAIL FROM:<{sender}>\r\n"
                self.recipients = (f"RCPT TO:<{address}>\r\n",)
                self.asked = _the_only_one
                return
        refusal = self._fault()
        if refusal is None:
            self._write()
        else:
            for index in range(len(self.answers)):
                self._refuse(index, *refusal)

    def _fault(self) -> tuple[str, str] | None:
        """Why no recipient of this server can have the message, with the enhanced code for it."""
        envelope, content = self.message.envelope, self.content
        offers, settings = self.terms.offers, self.terms.settings
        sender = wire_sender(envelope.sender)
        utf8 = offers.utf8 and settings.smtputf8
        size = len(content.text)
        if sender is None:
            return "5.1.7", "the sender is no address"
        if content.fault is not None:
            return "5.6.0", content.fault
        if not (content.seven_bit or offers.eight_bit):
            return "5.6.3", "the content is 8-bit and the server takes 7-bit only"
        if offers.largest is not None and size > offers.largest:
            return "5.3.4", f"{size} bytes, and the server takes {offers.largest}"
        if settings.largest is not None and size > settings.largest:
            return "5.3.4", f"{size} bytes, and `max_message_bytes` is {settings.largest}"
        if envelope.smtputf8 and not utf8:
            return "5.6.9", "the header is UTF-8 and the server does not take it"
        if not (utf8 or sender.isascii()):
            return "5.6.7", "the sender is not ASCII and the server does not take it"
        if envelope.reports is not None:
            fault = fault_of_reports(envelope.reports, len(envelope.recipients))
            if fault is not None:
                return "5.5.4", fault
        return None

    def _write(self) -> None:
        """The commands, for the recipients that this server can have."""
        envelope, offers, settings = self.message.envelope, self.terms.offers, self.terms.settings
        sender = wire_sender(envelope.sender) or ""
        utf8 = envelope.smtputf8 or not sender.isascii()
        reports = envelope.reports if offers.reports else None
        room = _Room(offers.limits) if offers.limits.crowd else None
        asked: list[int] = []
        commands: list[str] = []
        self.asked, self.recipients = asked, commands
        for index, recipient in enumerate(envelope.recipients):
            address = wire_address(recipient)
            if address is None:
                self._refuse(index, "5.1.3", "the recipient is no address")
                continue
            if not address.isascii():
                if not (offers.utf8 and settings.smtputf8):
                    self._refuse(index, "5.6.7", "the recipient is not ASCII and the server does not take it")
                    continue
                utf8 = True
            if room is not None and (full := room.full(address)):
                self.answers[index] = Answer(recipient, Status.NOT_TRIED, Phase.BEFORE, self.server, text=full)
                continue
            asked.append(index)
            wanted = "" if reports is None else recipient_reports(reports, index)
            commands.append(f"RCPT TO:<{address}>{wanted}\r\n")
        self.mail = (
            f"MAIL FROM:<{sender}>"
            f"{f' SIZE={len(self.content.text)}' if offers.size else ''}"
            f"{'' if self.content.seven_bit else ' BODY=8BITMIME'}"
            f"{' SMTPUTF8' if utf8 else ''}"
            f"{'' if reports is None else mail_reports(reports)}"
            f"{' XVERP' if (settings.xverp or envelope.xverp) and offers.verp and sender else ''}\r\n"
        )

    def _refuse(self, index: int, enhanced: str, text: str) -> None:
        recipient = self.message.envelope.recipients[index]
        self.answers[index] = Answer(recipient, Status.PERMANENT, Phase.BEFORE, self.server, None, enhanced, text)

    @property
    def server(self) -> str:
        """The server's name in answers."""
        return self.terms.server

    @property
    def optional(self) -> bool:
        """Whether MAIL says something that it could do without."""
        return self.terms.offers.size or (self.terms.offers.reports and self.message.envelope.reports is not None)

    @property
    def phase(self) -> Phase:
        """How far this message has come without its end, once its MAIL went out."""
        if self.go_ahead or self.dot_at >= 0:
            return Phase.BLOCK
        if not self.began:
            return Phase.MAIL
        return Phase.RECIPIENT if self.next < len(self.asked) else Phase.DATA

    def settle(self, index: int, status: Status, phase: Phase, reply: Reply) -> None:
        """Answer one recipient with a reply."""
        recipient = self.message.envelope.recipients[index]
        self.answers[index] = Answer(recipient, status, phase, self.server, reply.code, reply.enhanced, reply.text)

    def settle_taken(self, status: Status, phase: Phase, reply: Reply) -> None:
        """Answer every recipient that the server took."""
        for index in self.taken:
            self.settle(index, status, phase, reply)

    def settle_rest(self, status: Status, phase: Phase, text: str, code: int | None = None) -> None:
        """Answer every recipient that has no answer, with words of our own."""
        recipients = self.message.envelope.recipients
        for index, answer in enumerate(self.answers):
            if answer is None:
                self.answers[index] = Answer(recipients[index], status, phase, self.server, code, "", text)

    def settle_refusal(self, refusal: Reply) -> None:
        """Answer every recipient that has no answer with the refusal of the sender."""
        status = status_of(refusal)
        if self.again or (refusal.code == 552 and self._lacks_storage(refusal)):
            status = Status.TEMPORARY
        for index, answer in enumerate(self.answers):
            if answer is None:
                self.settle(index, status, Phase.MAIL, refusal)

    def _lacks_storage(self, refusal: Reply) -> bool:
        """Whether 552 to MAIL speaks of the server's disk rather than of the size that MAIL announced (RFC 1870)."""
        enhanced = refusal.enhanced
        return not enhanced.endswith(".3.4") if enhanced else not self.terms.offers.size

    def refuse_recipient(self, reply: Reply) -> bool:
        """Take the refusal of the next recipient; true if the server says that it has enough of them."""
        index = self.asked[self.next]
        crowded = reply.code in {452, 552} and reply.enhanced in _crowded[reply.code]
        if crowded and self.taken:
            self.settle(index, Status.NOT_TRIED, Phase.RECIPIENT, reply)
        elif crowded or reply.kind is Kind.LATER:
            self.settle(index, Status.TEMPORARY, Phase.RECIPIENT, reply)
        else:
            self.settle(index, Status.PERMANENT, Phase.RECIPIENT, reply)
        return crowded and bool(self.taken)

    def give_up(self, fault: SystemFault, sent: int, code: int | None) -> None:
        """Answer every recipient that has no answer: the connection is over, and `sent` bytes of it went out."""
        if fault.reason is Reason.VIOLATION and not self.go_ahead:
            # Answers may stand one place off: what was read of this group belongs to nobody for certain.
            self.refusal = None
            self.answers = [None if answer and answer.code else answer for answer in self.answers]
        if self.refusal is not None:
            self.settle_refusal(self.refusal)
        elif sent > self.dot_at >= 0:
            self.settle_rest(Status.IN_DOUBT, Phase.DOT, fault.text)
        else:
            charged = self.began and fault.reason not in BLAMELESS
            self.settle_rest(Status.TEMPORARY if charged else Status.NOT_TRIED, self.phase, fault.text, code)

    def answered(self) -> Answered:
        """The message with its answers."""
        return Answered(self.message, tuple(self.answers))  # type: ignore[arg-type]  # none is None any more


def status_of(refusal: Reply) -> Status:
    """What a refusal means for a message."""
    return Status.TEMPORARY if refusal.kind is Kind.LATER else Status.PERMANENT


# RFC 5321 section 4.5.3.1.10 has a plain 452 for too many recipients; 552 says it with its enhanced code only.
_crowded = {452: ("", "4.5.3"), 552: ("5.5.3",)}


class _Room:
    """How many recipients one transaction has room for (RFC 9422)."""

    __slots__ = ("_domains", "_limits", "_recipients")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._recipients = 0
        self._domains: set[str] = set()

    def full(self, address: str) -> str | None:
        """Count one more recipient; why there is no room for it, if there is none."""
        most, most_domains = self._limits.recipients, self._limits.domains
        if most is not None and self._recipients >= most:
            return f"the server takes {most} recipients at a time"
        domain = address.rpartition("@")[2].lower()
        if most_domains is not None and len(self._domains | {domain}) > most_domains:
            return f"the server takes {most_domains} domains at a time"
        self._recipients += 1
        self._domains.add(domain)
        return None
