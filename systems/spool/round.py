"""One look at the queue, as it goes and what it came to. No I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from systems.mail import Answered, Message, Status, Trouble, part
from systems.spool.lines import Event
from systems.spool.policy import Bury, Finish, Policy, Step, due_after
from systems.spool.record import Queued, answered
from systems.spool.verp import return_path
from systems.window import Full


@dataclass(slots=True)
class Round:
    """How many recipients by what was said of them, and why it ended although something was due."""

    answers: Counter[Status] = field(default_factory=Counter)
    sent: int = 0
    """Messages that all of their recipients have."""
    dead: int = 0
    """Messages that were put aside."""
    damaged: int = 0
    """Messages that cannot be read."""
    full: Full | None = None
    trouble: Trouble | None = None
    refusal: str = ""
    """What this machine said when it refused: its disk is full, or a file cannot be opened."""

    @property
    def progress(self) -> bool:
        """Whether a server said something, so that another look may find more to do."""
        return any(count for status, count in self.answers.items() if status is not Status.NOT_TRIED)

    @property
    def blocked(self) -> bool:
        """Whether another look now would end in the same way."""
        return bool(self.full or self.trouble or self.refusal)

    def did(self, step: Step) -> None:
        """A message came to this."""
        self.sent += isinstance(step, Finish)
        self.dead += isinstance(step, Bury)

    def add(self, other: Round) -> None:
        """Go on with another one."""
        self.answers += other.answers
        self.sent += other.sent
        self.dead += other.dead
        self.damaged = max(self.damaged, other.damaged)
        self.full, self.trouble, self.refusal = other.full, other.trouble, other.refusal


def outgoing(
    found: Queued, content: bytes, places: tuple[int, ...], *, verp: bool, xverp: bool
) -> Iterator[tuple[Message, tuple[int, ...]]]:
    """The messages for these recipients: one, or with `verp` one for each, with keys of their own."""
    whole = Message(found.key, found.envelope._replace(xverp=found.envelope.xverp or xverp), content)
    if not (verp and whole.envelope.sender):
        yield part(whole, places), places
        return
    for place in places:
        one = part(whole, (place,))
        sender = return_path(one.envelope.sender, one.envelope.recipients[0])
        yield one._replace(key=f"{one.key}#{place + 1}", envelope=one.envelope._replace(sender=sender)), (place,)


def what_was_said(
    found: Queued, said: Answered, places: tuple[int, ...], policy: Policy, now: int, jitter: float
) -> Event:
    """The event of an answer, with the times of the next tries."""
    answers = dict(zip(places, said.answers, strict=True))
    due = {}
    for place, answer in answers.items():
        at = due_after(found.recipients[place], answer.status, policy, now, jitter)
        if at is not None:
            due[place] = at
    return answered(answers, due, now)
