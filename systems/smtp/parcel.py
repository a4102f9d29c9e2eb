"""A message inside the system, until each of its recipients has an answer that is worth telling. No I/O.

A server may take only some recipients of a transaction, or go away before it was asked for others: then the rest goes
once more, as a message to those recipients. What was answered is kept, so the caller gets one answer for each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from systems.mail import Answer, Answered, Message, Status, part

# How often a message goes out anew without one more of its recipients being settled.
MOST_ROUNDS: Final = 3


class Job:
    """One call of `send`: where its messages come from, and what became of them."""

    __slots__ = ("_wake", "error", "exhausted", "handing_over", "messages", "open", "results")

    def __init__(
        self,
        messages: Iterator[Message],
        handing_over: Callable[[Sequence[Message]], None],
        wake: Callable[[], None],
    ) -> None:
        """`wake` is called when there is something to tell."""
        self.messages = messages
        self.handing_over = handing_over
        self.results: list[Answered] = []
        self.open = 0  # messages that were taken and are not answered
        self.exhausted = False  # no more are taken
        self.error: BaseException | None = None
        self._wake = wake

    @property
    def finished(self) -> bool:
        """Whether nothing more will be told."""
        return self.exhausted and not self.open

    def take(self) -> Message | None:
        """The next message, if there is one."""
        if self.exhausted:
            return None
        try:
            message = next(self.messages)
        except StopIteration:
            self.stop()
            return None
        except Exception as error:  # noqa: BLE001 - the caller's own: it gets it back
            self.fail(error)
            return None
        self.open += 1
        return message

    def tell(self, answered: Answered) -> None:
        """A message has its answers."""
        self.open -= 1
        if not self.results:
            self._wake()
        self.results.append(answered)

    def stop(self) -> None:
        """Take no more."""
        self.exhausted = True
        self._wake()

    def fail(self, error: BaseException) -> None:
        """Take no more, and tell the caller why."""
        self.error = self.error or error
        self.stop()


class Parcel:
    """A message on its way: `message` is what goes out now, `whole` what the caller gave."""

    # Most messages go once and whole, so these are rarely set.
    rounds = 0
    settled: dict[int, Answer] | None = None  # by the recipient's place in `whole`
    places: tuple[int, ...] | None = None  # of the recipients of `message` in `whole`; None: all of them

    def __init__(self, job: Job, whole: Message) -> None:
        """It is taken and not in a session."""
        self.job = job
        self.whole = self.message = whole
        self.since = 0.0

    def again(self, answers: Sequence[Answer], *, counts: bool = True) -> bool:
        """Take the answers; whether the recipients that were not tried can go once more.

        `counts`: it was a try that somebody else did not end.
        """
        untried = [index for index, answer in enumerate(answers) if answer.status is Status.NOT_TRIED]
        self.rounds = 0 if len(untried) < len(answers) else self.rounds + counts
        places = self.places or tuple(range(len(answers)))
        settled = self.settled = self.settled or {}
        for place, answer in zip(places, answers, strict=True):
            settled[place] = answer
        if not untried or self.rounds >= MOST_ROUNDS:
            return False
        if len(untried) < len(answers):
            self.places = tuple(places[index] for index in untried)
            self.message = part(self.whole, self.places)
        return True

    def answered(self, answers: tuple[Answer, ...]) -> Answered:
        """The message that the caller gave with all of its answers."""
        if self.settled is None:
            return Answered(self.whole, answers)
        return Answered(self.whole, tuple(self.settled[place] for place in range(len(self.settled))))
