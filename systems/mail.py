"""The mail port: what a sink asks of a system that carries mail. No I/O."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal, NamedTuple, Protocol, runtime_checkable

from pydantic import Field

from pipeline.component import Advice, System, SystemConfig


class CarrierConfig(SystemConfig):
    """A system that carries messages, behind a limit."""

    max_per_hour: Annotated[int, Advice("no such limit", ("0 sends nothing; the default is 1000",))] = Field(
        default=1000, ge=0, le=10_000_000
    )
    """The most messages that leave through this system in any span of 60 minutes. It is a sliding window: a message
    counts from the second it is handed to the server until an hour later. It stops run-away sending; in production
    set it to what the provider allows. 0 sends nothing."""
    on_limit: Literal["discard", "queue"] = "discard"
    """What happens to a message over the limit: it is logged and dropped, or kept until a place frees."""
    count_by: Literal["message", "recipient"] = "message"
    """What counts against the limit: a message whatever its recipients, or each recipient."""
    rate_group: str | None = None
    """Systems with the same group share one window; the smallest `max_per_hour` of them holds."""


class MailSystemConfig(CarrierConfig):
    """A system that carries mail, behind a limit."""


def gate_of(config: CarrierConfig, every: Sequence[CarrierConfig]) -> tuple[str, int]:
    """The name and the limit of the gate that a system passes."""
    if config.rate_group is None:
        return config.id, config.max_per_hour
    return config.rate_group, min(one.max_per_hour for one in every if one.rate_group == config.rate_group)


Notify = Literal["NEVER", "SUCCESS", "FAILURE", "DELAY"]


class DeliveryReports(NamedTuple):
    """Which reports of delivery to ask servers for (RFC 3461); a server that knows none is not asked.

    `original` holds the addresses that the recipients had first, one for each recipient, or nothing.
    """

    notify: tuple[Notify, ...] = ()
    returns: Literal["FULL", "HDRS"] | None = None
    envelope_id: str | None = None
    original: tuple[str, ...] = ()


class Envelope(NamedTuple):
    """Who sends and who gets a message. The sender `""` is the null return path of reports.

    `smtputf8` says that the header holds UTF-8, so that every server on the way must know it (RFC 6531). What the
    addresses and the content need, a mail system sees for itself. `xverp` asks for a return path of its own for each
    recipient, from servers that can make them.
    """

    sender: str
    recipients: tuple[str, ...]
    smtputf8: bool = False
    reports: DeliveryReports | None = None
    xverp: bool = False


class Message(NamedTuple):
    """A message as it goes out: every try sends the same bytes. `key` names it in every answer, log and ledger.

    `wire` says that its lines were looked at: each ends with CR LF, none begins with a dot, and there is no NUL.
    """

    key: str
    envelope: Envelope
    content: bytes
    wire: bool = False


def part(whole: Message, places: Sequence[int]) -> Message:
    """The same message to some of its recipients."""
    envelope = whole.envelope
    reports = envelope.reports
    if reports is not None and reports.original:
        reports = reports._replace(original=tuple(reports.original[place] for place in places))
    recipients = tuple(envelope.recipients[place] for place in places)
    return whole._replace(envelope=envelope._replace(recipients=recipients, reports=reports))


class Status(StrEnum):
    """What a mail system can say of one recipient of one message."""

    ACCEPTED = "accepted"  # the server took it: it is the server's now
    TEMPORARY = "temporary"  # certainly not taken; try again later
    PERMANENT = "permanent"  # certainly not taken, and another try would end the same way
    IN_DOUBT = "in_doubt"  # the last byte went out and no answer came: taken or not, nobody knows
    NOT_TRIED = "not_tried"  # certainly not taken, through no fault of the message: no try is counted


class Phase(StrEnum):
    """How far a connection or a message has come. The names of those that wait are those of `timeouts`."""

    BEFORE = "before"  # nothing of the message went out
    GREETING = "greeting"
    TLS = "tls"
    LOGIN = "login"
    IDLE = "idle"  # a connection without work
    MAIL = "mail"
    RECIPIENT = "recipient"
    DATA = "data"
    BLOCK = "block"
    DOT = "dot"
    QUIT = "quit"


class Reason(StrEnum):
    """Why a system cannot be used, in one word for programs."""

    UNREACHABLE = "unreachable"  # no address of it answers
    UNAVAILABLE = "unavailable"  # it greets or goes on with a refusal
    CLOSING = "closing"  # it says that it closes the connection
    DISCONNECTED = "disconnected"  # it closed the connection without a word
    TIMEOUT = "timeout"
    VIOLATION = "violation"  # it does not keep to the protocol, so nothing it says can be believed
    TLS_MISSING = "tls_missing"
    TLS_REFUSED = "tls_refused"
    TLS_FAILED = "tls_failed"
    TLS_INJECTION = "tls_injection"  # bytes in clear stood before the first byte under TLS
    LOGIN_MISSING = "login_missing"  # it offers no login, or none that is known here
    LOGIN_REFUSED = "login_refused"
    LOGIN_LATER = "login_later"
    LOGIN_IN_CLEAR = "login_in_clear"  # the login would cross the network unprotected
    LOGIN_NEEDED = "login_needed"  # it wants a login or TLS that is not configured
    TOO_OLD = "too_old"  # it knows no extension, and the configuration needs one
    NOT_OFFERED = "not_offered"  # it lacks an extension that the configuration demands
    CANCELLED = "cancelled"  # this side gave up
    OWN_FAULT = "own_fault"  # of this program; the log says more


@dataclass(frozen=True, slots=True)
class SystemFault:
    """A fault of a system: no message is to blame for it.

    `retryable` says that waiting may heal it; otherwise somebody has to change something first.
    """

    phase: Phase
    reason: Reason
    text: str
    code: int | None = None
    retryable: bool = True


class Answer(NamedTuple):
    """What became of one recipient of one message, and in which phase that was settled.

    `code` and `enhanced` are what the server said: None and `""` when it said nothing of this recipient. A refusal
    on this side has no `code`, but an `enhanced` one where RFC 3463 has it. `text` has no control characters.
    """

    recipient: str
    status: Status
    phase: Phase
    server: str
    code: int | None = None
    enhanced: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a system carries nothing now, and for how many seconds it will not even try."""

    server: str
    fault: SystemFault
    seconds: float

    @property
    def told(self) -> str:
        """For people: which server, named once, and why."""
        return self.fault.text if self.fault.text.startswith(self.server) else f"{self.server}: {self.fault.text}"

    def told_of(self, system: str) -> str:
        """The same behind the name of the system, which may be all the name that its server has."""
        return self.fault.text.removeprefix(f"{system}: ") if self.server == system else self.told


class Answered(NamedTuple):
    """A message with one answer for each of its recipients, in their order."""

    message: Message
    answers: tuple[Answer, ...]


def answered_alike(message: Message, status: Status, server: str, text: str) -> Answered:
    """The same answer for each recipient, from a system that itself decides what becomes of a message."""
    phase = Phase.BEFORE if status is Status.NOT_TRIED else Phase.DOT
    everyone = message.envelope.recipients
    return Answered(message, tuple(Answer(one, status, phase, server, text=text) for one in everyone))


class MailSystem(System, Protocol):
    """A system that carries mail."""

    def send(
        self, messages: Iterable[Message], handing_over: Callable[[Sequence[Message]], None]
    ) -> AsyncIterator[Sequence[Answered]]:
        """Answer each message once, in groups and in any order.

        The next message is taken when there is room for it. `handing_over` gets messages just before their last byte
        goes out, after which they can be in doubt; it returns when that is on record. If it raises, they do not go,
        and the exception comes back here. While there is `trouble` no message is taken: what was taken is answered,
        and it ends.
        """
        ...

    @property
    def trouble(self) -> Trouble | None:
        """Why nothing can be sent now; None if it can, or if nobody knows."""
        ...


@runtime_checkable
class Remembers(Protocol):
    """A mail system that has learnt something of its servers which is worth keeping for the next run."""

    def learnt(self, wall: float) -> Mapping[str, str]:
        """What to keep, by name; `""` where there is nothing to keep any more. `wall` is the time of day."""
        ...

    def recall(self, learnt: Mapping[str, str], wall: float) -> None:
        """What was kept. For a system that is open, before its first message."""
        ...
