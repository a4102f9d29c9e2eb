"""The client's side of SMTP as a machine: bytes and messages in, bytes and answers out. No I/O.

Rules. Each has its tests.

Rule 1  The state is what is awaited: `_expected` has one `Step` for every command whose reply has not come, in the
        order of the commands. A reply does what the table in `steps` says for the first of them, and nothing else
        reads replies.
Rule 2  A reply is taken only for a command that the shell has taken from `data_to_send`. Whatever comes while nothing
        is outstanding ends the connection, be it half a line. So a reply that stands behind a 354 never becomes the
        answer to a dot that has not gone out, and nothing that was said before TLS is read under TLS. An answer that
        begins while content goes out block by block is heard to its end, and no dot follows.
Rule 3  After a violation, a timeout, a 421 or the end of the stream the machine is closed for good.
Rule 4  Each message handed in is answered once, with one answer for each recipient, whatever happens.
Rule 5  `in_doubt` is decided by one question: has the dot begun to go out (with BDAT: all of the content), and no
        reply to it come? Only a 2xx to the dot makes `accepted`.
Rule 6  DATA ends a group. The next envelope goes out behind the dot before it and never earlier (RFC 2920 section
        3.1), so one message at most can be in doubt; with BDAT as many as `window` says.

How it works. The shell puts something in (`receive_data`, `send`, ...), which gives events; then it takes and writes
what `data_to_send` has, until that is empty. A message waits in `_early` until the server is ready, in `_waiting`
until there is room, and is in `_wire` from its MAIL to its last reply: the first of `_wire` is the one whose replies
come. `_advance` alone moves messages on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from systems.mail import Answered, Message, Phase, Reason, SystemFault
from systems.smtp.capabilities import Capabilities
from systems.smtp.events import Closed, Event
from systems.smtp.opening import Opening
from systems.smtp.replies import Kind, Reply
from systems.smtp.settings import Settings
from systems.smtp.steps import PHASES, WAITING, Step, action
from systems.smtp.talk import said
from systems.smtp.transaction import status_of
from systems.smtp.transfer import USUAL, Transfer


class Protocol(Opening, Transfer):
    """One connection. Calls out of turn raise `RuntimeError`; all that the world does is a value."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is said before `start`."""
        super().__init__(settings)
        self._handed = 0  # bytes that the shell took

    @property
    def capabilities(self) -> Capabilities:
        """What the server offers, so far as it can be believed now."""
        return self._offers

    @property
    def encrypted(self) -> bool:
        """Whether TLS protects what is said."""
        return self._encrypted

    @property
    def ended(self) -> bool:
        """Whether `Closed` has been told."""
        return self._ended

    @property
    def in_flight(self) -> int:
        """How many messages were handed in and are not answered."""
        return len(self._wire) + len(self._waiting) + len(self._early)

    @property
    def can_send(self) -> bool:
        """Whether one more message keeps the connection busy; what is handed in without it waits its turn."""
        return self.room() > 0

    def room(self) -> int:
        """How many more messages keep the connection busy."""
        if not self._ready or self._leaving or self._mails_left == 0:
            return 0
        return self._window - len(self._wire) - len(self._waiting)

    def has_more(self) -> bool:
        """Whether `data_to_send` has more, or nothing follows any more."""
        return self._body is not None or self._ended

    @property
    def phase(self) -> Phase:
        """What the connection is doing."""
        if self._ended:
            return Phase.QUIT
        if self._expected:
            return PHASES[self._expected[0]]
        if self._body is not None:
            return Phase.BLOCK
        return self._turn or Phase.IDLE

    @property
    def deadline_kind(self) -> Phase | None:
        """Which of the `timeouts` runs; None while nothing is awaited."""
        if self._expected:
            return WAITING[self._expected[0]]
        phase = self.phase
        return None if self._ended or phase is Phase.IDLE else phase

    def send(self, message: Message) -> list[Event]:
        """Hand in a message; it waits if it must. Events come at once if it cannot go at all."""
        if self._ready:
            self._admit(message)
            if self._mails_left == 0:
                self._advance()
        elif self._ended:
            self._events.append(self._untried(message, "the connection is closed"))
        else:
            self._early.append(message)
        return self._take_events()

    def rehearse(self, message: Message) -> list[Event]:
        """Ask an idle server whether it would take a message: MAIL and RCPT, and no content ever.

        `ACCEPTED` means then that it would. From then on the connection is for rehearsals.
        """
        if not self._ready or self._leaving or self._wire or self._expected:
            raise RuntimeError("the connection is not idle")
        self._pipelined = self._chunked = False
        self._rehearsing = True
        return self.send(message)

    def reset(self) -> bool:
        """See whether an idle connection is alive: `Ready` or `Closed` follows. False if it is not idle."""
        if not self._ready or self._leaving or self._wire or self._expected:
            return False
        self._ask(Step.PROBE, b"RSET\r\n")
        return True

    def quit(self) -> list[Event]:
        """Take no more messages, and say goodbye when those handed in are answered."""
        self._leaving = True
        if self._ready:
            self._advance()
        elif not self._ended:
            self._end(None, polite=True)
        return self._take_events()

    def receive_data(self, data: bytes) -> list[Event]:
        """Read what the server sent, in any portions."""
        if self._ended:
            return []
        expected, parser = self._expected, self._parser
        replies = parser.feed(data)
        self.progress += len(replies)
        if len(replies) == 4 and expected == USUAL and not (self._unsent or parser.is_pending()):  # noqa: SIM102
            if self._usual_turn(replies):
                return self._take_events()
        for reply in replies:
            if len(expected) > self._unsent:
                step = self._step = expected.popleft()
                _actions[step][reply.kind](self, reply)
            else:
                self._unasked(reply)
            if self._ended:
                return self._take_events()
        if parser.violation is not None:
            self._violate(str(parser.violation))
        elif parser.is_pending() and len(expected) <= self._unsent and not self._body_at:
            self._violate("the server speaks when nothing is asked")
        return self._take_events()

    def receive_eof(self, *, unsent: int = 0) -> list[Event]:
        """The server closed the connection; the last `unsent` bytes that were taken never left this machine."""
        return self.abort(Reason.DISCONNECTED, "the server closed the connection", unsent=unsent)

    def abort(self, reason: Reason, text: str, *, retryable: bool = True, unsent: int = 0) -> list[Event]:
        """End it from this side: a deadline passed, the handshake failed, the work is cancelled."""
        if not self._ended:
            self._end(SystemFault(self.phase, reason, text, retryable=retryable), unsent=unsent)
        return self._take_events()

    def data_to_send(self) -> bytes | memoryview:
        """What to write now; empty when there is nothing. Large content comes block by block, one a call."""
        if self._body is not None and not self._out:
            self._next_block(self._body)
        out = self._out
        if not out:
            return b""
        data = out[0] if len(out) == 1 else b"".join(out)
        self._out = []
        self._unsent = 0
        self._handed += len(data)
        return data

    def take_dots(self) -> list[Message]:
        """The messages whose end is in what was taken since the last call: on record before that is written."""
        if not self._dots:
            return []
        dots, self._dots = self._dots, []
        return dots

    def _unasked(self, reply: Reply) -> None:
        early = self._body_at > 0  # the answer comes before the content has ended
        if reply.kind is Kind.CLOSING and (early or self.phase is Phase.IDLE):
            self._end(SystemFault(self.phase, Reason.CLOSING, said("the server closes the connection", reply), 421))
        elif early and reply.kind in {Kind.LATER, Kind.NO}:
            # The content must not end any more, so the connection cannot be used again.
            self._settle(status_of(reply), reply, Phase.BLOCK)
            self._end(None)
        else:
            self._violate(said("the server speaks when nothing is asked", reply))

    def _violate(self, text: str) -> None:
        if self._turn is Phase.TLS:
            text = f"before TLS, in clear: {text}"
            self._end(SystemFault(Phase.TLS, Reason.TLS_INJECTION, text, retryable=False))
        else:
            self._end(SystemFault(self.phase, Reason.VIOLATION, text))

    def _goodbye(self, reply: Reply) -> None:
        self._end(None)

    def _end(self, fault: SystemFault | None, *, unsent: int = 0, polite: bool = False) -> None:
        if Step.QUIT in self._expected:
            fault = None  # all is answered: how a server takes leave is its own affair
        if fault is not None:
            code = fault.code if self._step in {Step.MAIL, Step.RCPT, Step.DATA} else None
            for transaction in self._wire:
                transaction.give_up(fault, self._handed - unsent, code)
                self._events.append(transaction.answered())
                code = None
            self._wire.clear()
        self._dismiss("the connection closes before its turn" if fault is None else fault.text)
        # What was to be done next is to be done no more.
        self._events = [event for event in self._events if isinstance(event, Answered)]
        self._events.append(Closed(fault))
        self._out = [b"QUIT\r\n"] if polite and not self._expected else []
        self._expected.clear()
        self._unsent = self._body_at = 0
        self._body = self._turn = None
        if self._exchange is not None:
            self._exchange = None
        self._dots = []
        self._ready = False
        self._ended = True


# `TRANSITIONS` as functions, by step and kind; no reply has a kind below 2.
_actions: Final[tuple[tuple[Callable[[Protocol, Reply], None], ...], ...]] = tuple(
    (Protocol._unexpected,) * 2 + tuple(getattr(Protocol, f"_{action(step, kind)}") for kind in Kind)  # noqa: SLF001
    for step in Step
)
