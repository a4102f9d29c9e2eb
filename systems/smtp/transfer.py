"""Messages on their way through one connection: what goes when, and what each reply does to whom. No I/O."""

from __future__ import annotations

from collections import deque
from typing import Final

from systems.mail import Answer, Answered, Message, Phase, Status, answered_alike
from systems.smtp.content import Content, prepare
from systems.smtp.events import Ready
from systems.smtp.replies import Kind, Reply
from systems.smtp.settings import Settings
from systems.smtp.steps import Step
from systems.smtp.talk import Talk
from systems.smtp.transaction import Terms, Transaction, status_of

# Content up to this goes out in one piece with its dot. Of more, the shell gets so much at a time, so that a server
# that answers before the end is heard.
BLOCK: Final = 65_536

GO_AHEAD: Final = 354  # RFC 5321 section 4.1.1.4 knows no other answer to DATA that is no refusal
_for_one = (Step.MAIL, Step.RCPT, Step.DATA)
USUAL: Final = deque((Step.DOT, *_for_one))
"""What is awaited while one message to one recipient rides behind the dot of another."""
_dot: Final = b".\r\n"
# Members of enumerations by names of their own, which are quicker to look up: they are needed for every message.
_yes, _step_dot, _accepted, _at_dot = Kind.YES, Step.DOT, Status.ACCEPTED, Phase.DOT
# Without the call of a function of Python that `NamedTuple` makes of it.
_new: Final = tuple.__new__
_comes_too_late: Final = "the connection closes before its turn"


class Transfer(Talk):
    """The second part of `Protocol`."""

    def __init__(self, settings: Settings) -> None:
        """Nothing can go yet."""
        super().__init__(settings)
        self._ready = False
        self._leaving = False  # no more messages are taken
        self._pipelined = False
        self._chunked = False
        self._window = 1
        self._crossed = False  # a transaction may still be open at the server: RSET before the next
        self._mails_left: int | None = None
        self._early: deque[Message] = deque()
        self._waiting: deque[Transaction] = deque()
        self._wire: deque[Transaction] = deque()
        self._given = b""  # the last content, and its wire form
        self._content = prepare(b"")
        self._terms = Terms(self._offers, settings)
        self._body: memoryview | None = None  # content that goes out block by block
        self._body_at = 0
        self._dots: list[Message] = []
        self.progress = 0
        """Goes up with every reply and every block: as long as it stands, one deadline runs."""

    def _ready_now(self) -> None:
        settings, offers = self._settings, self._offers
        self._ready = True
        self._pipelined = offers.pipelining and settings.pipelining != "NO"
        self._chunked = offers.chunking and settings.chunking
        self._mails_left = offers.limits.mails
        if self._pipelined:  # one on the wire, and one to ride behind its dot
            self._window = max(settings.window, 2) if self._chunked else 2
        self._events.append(Ready(offers))
        while self._early:
            self._admit(self._early.popleft())
        self._advance()

    def _admit(self, message: Message) -> None:
        """Make a transaction of a message, if this server can have it."""
        if self._leaving or self._mails_left == 0:
            self._events.append(self._untried(message, _comes_too_late))
            return
        transaction = self._transaction(message)
        if not transaction.asked:
            self._events.append(transaction.answered())
            return
        if self._mails_left is not None:
            self._mails_left -= 1
        if not self._waiting and self._room():
            self._open(transaction)
        else:
            self._waiting.append(transaction)

    def _transaction(self, message: Message) -> Transaction:
        # A newsletter is the same content many times over.
        if message.content is not self._given:
            content = self._given = message.content
            self._content = Content(content, content, content.isascii()) if message.wire else prepare(content)
        terms = self._terms
        if terms.offers is not self._offers:
            terms = self._terms = Terms(self._offers, self._settings)
        return Transaction(message, self._content, terms)

    def _untried(self, message: Message, text: str) -> Answered:
        """The answers to a message of which nothing went out."""
        return answered_alike(message, Status.NOT_TRIED, self._settings.server, text)

    def _dismiss(self, text: str) -> None:
        """Answer what has not begun."""
        for transaction in self._waiting:
            transaction.settle_rest(Status.NOT_TRIED, Phase.BEFORE, text)
            self._events.append(transaction.answered())
        self._waiting.clear()
        self._events += [self._untried(message, text) for message in self._early]
        self._early.clear()

    def _advance(self) -> None:
        """Open what there is room for; leave when that is wanted and all is answered."""
        while self._waiting and self._room():
            self._open(self._waiting.popleft())
        if self._mails_left == 0 and not self._waiting:
            self._leaving = True
        if self._leaving and not (self._wire or self._waiting or self._expected):
            self._ask(Step.QUIT, b"QUIT\r\n")

    def _room(self) -> bool:
        """Whether MAIL may be said now."""
        if not self._pipelined:
            return not self._wire and not self._expected
        return not self._wire or (self._wire[-1].dot_at >= 0 and len(self._wire) < self._window)

    def _open(self, transaction: Transaction) -> None:
        # Behind a BDAT that may fail too: its transaction would stay open (RFC 3030 section 2).
        if self._crossed or (self._chunked and self._wire):
            self._crossed = False
            self._ask(Step.RSET, b"RSET\r\n")
            if not self._pipelined:
                self._waiting.appendleft(transaction)
                return
        self._wire.append(transaction)
        recipients = transaction.recipients
        if not self._pipelined:
            self._ask(Step.MAIL, transaction.mail.encode())
        elif self._chunked:
            self._put(f"{transaction.mail}{''.join(recipients)}".encode())
            self._expect(Step.MAIL, *[Step.RCPT] * len(recipients))
            self._chunk(transaction)
        elif len(recipients) == 1:
            self._put(f"{transaction.mail}{recipients[0]}DATA\r\n".encode())
            self._expected.extend(_for_one)
            self._unsent += 3
        else:
            self._put(f"{transaction.mail}{''.join(recipients)}DATA\r\n".encode())
            self._expect(Step.MAIL, *[Step.RCPT] * len(recipients), Step.DATA)

    def _chunk(self, transaction: Transaction) -> None:
        text = transaction.content.text
        self._put(b"BDAT %d LAST\r\n" % len(text))
        self._begin(transaction, text)

    def _begin(self, transaction: Transaction, content: bytes) -> None:
        """Send the content: at once with its end, or block by block."""
        size = len(content)
        if size > BLOCK:
            self._body = memoryview(content)
        else:
            self._put(content)
            self._finish(transaction)

    def _next_block(self, body: memoryview) -> None:
        """Send a block of large content, unless the server has begun to answer what has not ended: no dot then."""
        if self._parser.is_pending() and not self._expected:
            return
        block = body[self._body_at : self._body_at + BLOCK]
        self._body_at += len(block)
        self.progress += 1
        self._put(block)
        if self._body_at == len(body):
            self._body = None
            self._body_at = 0
            self._finish(self._wire[-1])
            self._advance()

    def _finish(self, transaction: Transaction) -> None:
        """The content is out: end it."""
        self._dots.append(transaction.message)
        if self._chunked:
            transaction.dot_at = self._queued - 1
            self._expect(Step.CHUNK)
        else:
            transaction.dot_at = self._queued
            self._ask(Step.DOT, _dot)

    def _sender_taken(self, reply: Reply) -> None:
        transaction = self._wire[0]
        transaction.began = True
        if not self._pipelined:
            self._ask(Step.RCPT, transaction.recipients[0].encode())

    def _sender_refused(self, reply: Reply) -> None:
        transaction = self._wire[0]
        transaction.began = True
        transaction.refusal = reply
        # A parameter that the server does not take after all (RFC 5321 section 4.1.1.11): once more, without.
        transaction.again = reply.code in {504, 555} and transaction.optional
        if not self._pipelined:
            self._refused(transaction)

    def _recipient_taken(self, reply: Reply) -> None:
        transaction = self._wire[0]
        if transaction.refusal is None:
            transaction.taken = (*transaction.taken, transaction.asked[transaction.next])
        else:
            transaction.strange = True
        transaction.next += 1
        if not self._pipelined:
            self._next_recipient(transaction, reply)

    def _recipient_refused(self, reply: Reply) -> None:
        transaction = self._wire[0]
        if transaction.refusal is None and transaction.refuse_recipient(reply):
            self._offers = self._offers.with_room_for(len(transaction.taken))
        transaction.next += 1
        if not self._pipelined:
            self._next_recipient(transaction, reply)

    def _recipient_out_of_step(self, reply: Reply) -> None:
        if self._wire[0].refusal is None:
            self._out_of_step(reply)
        else:
            self._wire[0].next += 1

    def _next_recipient(self, transaction: Transaction, reply: Reply) -> None:
        if transaction.next < len(transaction.asked):
            self._ask(Step.RCPT, transaction.recipients[transaction.next].encode())
        elif not transaction.taken or self._rehearsing:
            transaction.settle_taken(Status.ACCEPTED, Phase.RECIPIENT, reply)
            self._refused(transaction)
        elif self._chunked:
            self._chunk(transaction)
        else:
            self._ask(Step.DATA, b"DATA\r\n")

    def _data_refused(self, reply: Reply) -> None:
        transaction = self._wire[0]
        transaction.settle_taken(status_of(reply), Phase.DATA, reply)
        self._refused(transaction)

    def _data_out_of_step(self, reply: Reply) -> None:
        if self._wire[0].taken:
            self._out_of_step(reply)
        else:
            self._refused(self._wire[0])

    def _refused(self, transaction: Transaction) -> None:
        """No dot was due or will be: answer the message, or try once more without what its MAIL could do without."""
        self._wire.popleft()
        self._crossed = self._crossed or transaction.refusal is None or transaction.strange
        if transaction.again and self._mails_left != 0:
            if self._mails_left is not None:
                self._mails_left -= 1
            self._offers = self._offers.without_parameters()
            again = (transaction, *self._waiting)
            self._waiting = deque(self._transaction(one.message) for one in again)
        else:
            if transaction.refusal is not None:
                transaction.settle_refusal(transaction.refusal)
            self._events.append(transaction.answered())
        self._advance()

    def _go_ahead(self, reply: Reply) -> None:
        transaction = self._wire[0]
        if reply.code != GO_AHEAD or transaction.strange:
            self._unexpected(reply)
        elif transaction.taken:
            transaction.go_ahead = True
            self._begin(transaction, transaction.content.stuffed)
            self._advance()
        else:
            self._end_for_nobody(transaction)

    def _end_for_nobody(self, transaction: Transaction) -> None:
        """End content that has no recipient by its dot (RFC 2920 section 3.1), then leave a server that wanted it."""
        self._leaving = True
        self._mails_left = 0
        self._dismiss(_comes_too_late)
        self._ask(Step.LONE_DOT, b".\r\n")
        self._refused(transaction)

    def _accepted(self, reply: Reply) -> None:
        wire = self._wire
        transaction = wire[0]
        if not transaction.taken:
            self._unexpected(reply)
            return
        self._settle(Status.ACCEPTED, reply)
        if self._waiting or not wire:
            self._advance()

    def _usual_turn(self, replies: list[Reply]) -> bool:
        """Do at once what four replies without a no do one by one to `USUAL`; False if it is not just that."""
        taken, sender, recipient, go_ahead = replies
        if not (taken.kind is sender.kind is recipient.kind is _yes and go_ahead.code == GO_AHEAD):
            return False
        done, transaction = self._wire
        content = transaction.content.stuffed
        size = len(content)
        if len(done.answers) != 1 or size > BLOCK:
            return False
        self._wire.popleft()
        message = done.message
        who = message.envelope.recipients[0]
        # By place: to unpack what is more than a plain tuple takes several times as long.
        said = (who, _accepted, _at_dot, done.terms.server, taken[0], taken[2], taken[3])
        answer = _new(Answer, said)
        self._events.append(_new(Answered, (message, (answer,))))
        transaction.began = transaction.go_ahead = True
        transaction.next = 1
        transaction.taken = transaction.asked
        self._out += (content, _dot)
        transaction.dot_at = self._queued + size
        self._queued += size + len(_dot)
        self._dots.append(transaction.message)
        self._expected = deque((_step_dot,))
        self._unsent = 1
        if self._waiting or self._leaving:
            self._advance()
        return True

    def _content_refused(self, reply: Reply) -> None:
        transaction = self._wire[0]
        if self._chunked:
            transaction.settle_taken(status_of(reply), Phase.DOT, reply)
            self._refused(transaction)
        else:
            self._settle(status_of(reply), reply)
            self._advance()

    def _content_out_of_step(self, reply: Reply) -> None:
        if self._wire[0].taken:
            self._settle(Status.TEMPORARY, reply)
            self._out_of_step(reply)
        else:
            self._content_refused(reply)

    def _closing_at_dot(self, reply: Reply) -> None:
        self._settle(Status.TEMPORARY, reply)
        self._closing(reply)

    def _login_needed_at_dot(self, reply: Reply) -> None:
        self._settle(Status.NOT_TRIED, reply)
        self._login_needed(reply)

    def _settle(self, status: Status, reply: Reply, phase: Phase = Phase.DOT) -> None:
        """The reply is the last word on the first message."""
        transaction = self._wire.popleft()
        transaction.settle_taken(status, phase, reply)
        if transaction.refusal is not None:
            transaction.settle_refusal(transaction.refusal)
        self._events.append(transaction.answered())

    def _cleared(self, reply: Reply) -> None:
        self._advance()

    def _alive(self, reply: Reply) -> None:
        self._events.append(Ready(self._offers))
        self._advance()
