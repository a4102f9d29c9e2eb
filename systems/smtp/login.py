"""The login as a talk in base64 (RFC 4954); what is said in it is the mechanism's. No I/O."""

from __future__ import annotations

from binascii import Error, a2b_base64, b2a_base64
from typing import Final, Protocol

from systems.mail import Reason
from systems.smtp.commands import LONGEST_COMMAND, is_mechanism
from systems.smtp.replies import Reply

# No mechanism here needs more than three; a server that asks on and on gets no more.
MOST_CHALLENGES: Final = 10


class Complaint(Protocol):
    """Why a mechanism does not go on."""

    @property
    def reason(self) -> Reason:
        """In one word."""
        ...

    @property
    def text(self) -> str:
        """In a sentence, without anything secret."""
        ...


class Mechanism(Protocol):
    """One login by one SASL mechanism. It is used once."""

    @property
    def name(self) -> str:
        """The name under which servers offer it."""
        ...

    def start(self) -> bytes | None:
        """What the client says first; None if the server begins."""
        ...

    def step(self, challenge: bytes) -> bytes | None:
        """The response to a challenge; None if this is where it ends, and `refusal` says why."""
        ...

    def satisfied(self) -> bool:
        """Whether the server has proved what it must prove, once it says that the login is done."""
        ...

    @property
    def refusal(self) -> Complaint | None:
        """Why it does not go on."""
        ...


class Exchange:
    """A login under way."""

    __slots__ = ("_challenges", "_held", "mechanism")

    def __init__(self, mechanism: Mechanism) -> None:
        """Nothing is said yet."""
        self.mechanism = mechanism
        self._held: bytes | None = None  # what the client says first, when AUTH has no place for it
        self._challenges = 0

    def command(self) -> bytes | None:
        """The AUTH command; None if the mechanism has a name that cannot stand in one."""
        name = self.mechanism.name
        if not is_mechanism(name):
            return None
        first = self.mechanism.start()
        command = b"AUTH " + name.encode("ascii")
        if first is not None:
            whole = command + b" " + (b2a_base64(first, newline=False) or b"=") + b"\r\n"
            if len(whole) <= LONGEST_COMMAND:  # RFC 4954 section 4
                return whole
            self._held = first
        return command + b"\r\n"

    def respond(self, reply: Reply) -> bytes | None:
        """The line that answers a challenge; None if it is not one to answer."""
        self._challenges += 1
        challenge = _decode(reply)
        if challenge is None or self._challenges > MOST_CHALLENGES:
            return None
        response: bytes | None
        if self._held is not None:
            response, self._held = (None if challenge else self._held), None
        else:
            response = self.mechanism.step(challenge)
        return None if response is None else b2a_base64(response)[:-1] + b"\r\n"


def _decode(reply: Reply) -> bytes | None:
    if len(reply.lines) != 1:
        return None
    try:
        return a2b_base64(reply.lines[0], strict_mode=True)
    except Error:
        return None
