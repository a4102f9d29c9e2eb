"""What all parts of the protocol stand on: what is to be said, what is awaited, and how it goes wrong. No I/O."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from typing import TYPE_CHECKING

from systems.mail import Phase, Reason, SystemFault
from systems.smtp.capabilities import Capabilities
from systems.smtp.events import Event
from systems.smtp.replies import Reply, ReplyParser
from systems.smtp.settings import Settings
from systems.smtp.steps import PHASES, Step

if TYPE_CHECKING:
    from systems.smtp.login import Exchange


class Talk(ABC):
    """The queue of commands. `_expected` is the state of the whole machine."""

    # What few connections need is set when they need it: CPython keeps the attributes of an object in line only while
    # they are 30 at most, and those of the machine are read for every message.
    _encrypted = False
    _exchange: Exchange | None = None
    _rehearsing = False  # nothing goes beyond RCPT

    def __init__(self, settings: Settings) -> None:
        """Nothing is said yet."""
        self._settings = settings
        self._offers = Capabilities()
        self._parser = ReplyParser()
        if settings.encrypted:
            self._encrypted = True
        self._ended = False
        self._turn: Phase | None = Phase.GREETING  # what the shell is to do before the talk goes on
        self._step = Step.GREETING  # whose reply is being read
        self._expected: deque[Step] = deque()
        self._unsent = 0  # how many of the expected, from the right, the shell has not taken yet
        self._out: list[bytes | memoryview] = []
        self._queued = 0  # bytes that ever were in _out
        self._events: list[Event] = []

    @abstractmethod
    def _ready_now(self) -> None:
        """Messages can go."""

    @abstractmethod
    def _end(self, fault: SystemFault | None, *, unsent: int = 0, polite: bool = False) -> None:
        """Close for good: every message is answered, then comes `Closed`. `polite`: with a QUIT, if it can be."""

    def _put(self, data: bytes | memoryview) -> None:
        self._out.append(data)
        self._queued += len(data)

    def _ask(self, step: Step, line: bytes) -> None:
        self._put(line)
        self._expected.append(step)
        self._unsent += 1

    def _expect(self, *steps: Step) -> None:
        self._expected.extend(steps)
        self._unsent += len(steps)

    def _take_events(self) -> list[Event]:
        if not self._events:
            return []
        events, self._events = self._events, []
        return events

    def _fail(
        self, reason: Reason, text: str, reply: Reply | None = None, *, retryable: bool = True, polite: bool = False
    ) -> None:
        """End with a fault of the system, in the step whose reply is being read; the reply follows the text."""
        code = None
        if reply is not None:
            code = reply.code
            text = said(text, reply)
        self._end(SystemFault(PHASES[self._step], reason, text, code, retryable), polite=polite)

    def _unexpected(self, reply: Reply) -> None:
        self._fail(Reason.VIOLATION, "an answer that does not fit", reply)

    def _out_of_step(self, reply: Reply) -> None:
        self._fail(Reason.VIOLATION, "the server has lost its place", reply)

    def _closing(self, reply: Reply) -> None:
        self._fail(Reason.CLOSING, "the server closes the connection", reply)

    def _login_needed(self, reply: Reply) -> None:
        text = "the server wants a login or TLS first"
        self._fail(Reason.LOGIN_NEEDED, text, reply, retryable=False, polite=True)


def said(text: str, reply: Reply) -> str:
    """Words of ours and what the server said, for people."""
    return f"{text}: {' '.join(part for part in (str(reply.code), *(reply.enhanced, reply.text)) if part)}"
