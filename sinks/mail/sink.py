"""The mail sink at work: entities go into the outbox with their position, and out of it to the mail system.

Three portions are on their way at a time (`sinks.mail.sending`), so that connections do not wait for the disk. What
earlier runs left is sent too, when its time has come.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from pipeline.component import Running
from pipeline.entity import Entity
from pipeline.receipt import Outcome, Receipt
from pipeline.run import Portion, arriving
from pipeline.state.facts import (
    Ask,
    Batch,
    Claims,
    Closed,
    Gathered,
    Known,
    MessageState,
    NewMessage,
    Offset,
    Part,
    outcome_of,
)
from pipeline.state.faults import StateError
from pipeline.state.keys import name_of
from sinks.mail.delivery import Policy
from sinks.mail.digest import Digest, gathered, names, place_of, refusal, whole, withdrawn
from sinks.mail.maker import Made, Makes
from sinks.mail.sending import Sending
from sinks.mail.told import Told, why_known
from systems.mail import MailSystem, Message, Trouble

_log = logging.getLogger("mailweir.mail")
_log.addHandler(logging.NullHandler())

# Portions that are admitted and not sent yet.
MOST_ON_THE_WAY: Final = 3
# Seconds of trouble that a run sits out after the system has worked, before it leaves the rest to the next run.
PATIENCE: Final = 60.0
SHORTEST_SLEEP: Final = 0.05


@dataclass(frozen=True, slots=True)
class Post:
    """Where mails go: the system, what is asked of the state for it, and how patient the sink is.

    `longest_sleep` is how many seconds may pass before it looks again: other processes add mail too. `expires_after` is
    how many seconds a mail may wait.
    """

    system: MailSystem
    ask: Ask
    policy: Policy
    longest_sleep: float = 30.0
    expires_after: float | None = None
    digest: Digest | None = None


class MailSink:
    """Makes mails of entities, and sees them through."""

    def __init__(self, pipe: str, maker: Makes, post: Post, running: Running, now: Callable[[], float]) -> None:
        """`now` gives wall seconds."""
        self._pipe = pipe
        self._maker = maker
        self._system = post.system
        self._ask = post.ask
        self._expires_after = post.expires_after
        self._longest_sleep = post.longest_sleep
        self._digest = post.digest
        self._place = place_of(pipe, running.wishes.to)
        self._running = running
        self._state = running.state
        self._now = now
        self._told = Told(running.name, may_be_discarded=post.ask.on_limit == "discard")
        self._sending = Sending(post.system, post.policy, running, self._told, now)
        self._putting: asyncio.Task[None] | None = None
        self._patience = PATIENCE

    @property
    def trouble(self) -> Trouble | None:
        """Why the mail system carries nothing."""
        return self._system.trouble

    async def write(self, portions: Iterable[Portion]) -> AsyncIterator[Sequence[Receipt]]:
        """The outcomes, as they come. While the system is in trouble nothing more is taken from the source."""
        sending, told = self._sending, self._told
        async with sending:
            try:
                async for portion in arriving(portions):
                    await self._admit(portion)
                    while sending.busy >= MOST_ON_THE_WAY:
                        await sending.some()
                        yield told.take()
                    if told.receipts:
                        yield told.take()
                    if not await self._goes_on():
                        break
                await self._admitted()
                while self._digest is not None and await self._gathered(self._digest):
                    yield told.take()
                while sending.busy:
                    await sending.some()
                    yield told.take()
                while (claims := await self._due()) is not None:
                    before = sending.moved
                    self._close(claims.closed, {})
                    sending.send(claims, {})
                    while sending.busy:
                        await sending.some()
                        yield told.take()
                    if sending.moved == before and not claims.closed and not await self._worth_waiting(claims):
                        break
                    yield told.take()
                await self._state.flush()
                yield told.take()
            except StateError:
                await sending.abort()
                yield told.take()
                raise
            finally:
                if self._putting is not None:
                    self._putting.cancel()
                    await asyncio.wait((self._putting,))

    async def _goes_on(self) -> bool:
        """Whether there is a point in taking more; trouble that may pass is waited for."""
        while not self._running.stopping.is_set():
            trouble = self._system.trouble
            if trouble is None:
                return True
            if not self._running.wishes.wait and (not self._sending.moved or self._patience <= 0):
                return False
            self._patience -= await self._sleep(trouble.seconds)
        return False

    async def _admit(self, portion: Portion) -> None:
        """Begin to put a portion into the outbox, when the one before is in it: mails are made while the disk works."""
        offset = None if portion.since is None else Offset(self._pipe, portion.since)
        if self._digest is not None:
            await self._gather(portion.entities, offset, self._digest)
            return
        if self._running.wishes.resend:
            await self._admitted()  # the same entity may be in it
        made, left_alone = await self._made(portion.entities)
        self._told.receipts += left_alone
        await self._admitted()
        if made or offset is not None:
            batch = Batch(tuple([one.new for one in made]), offset)
            self._putting = asyncio.create_task(self._put(made, batch))

    async def _admitted(self) -> None:
        """Until all that was made is in the outbox."""
        putting, self._putting = self._putting, None
        if putting is not None:
            await putting

    async def _put(self, made: Sequence[Made], batch: Batch, parts: Sequence[Sequence[Part]] = ()) -> None:
        """Admit mails, and send what may go. `parts` are the entities that each of them is made of."""
        ask = None if self._system.trouble else replace(self._ask, most=max(self._ask.most, len(made)))
        admitted = await self._state.admit(batch, ask)
        if admitted.stale:
            return  # another process mailed what was gathered, or is about to: look again
        claims = admitted.claims
        taken = {claim.id for claim in claims.messages} | {claim.id for claim in claims.overdue}
        taken.update(closed.id for closed in claims.closed)
        composed: dict[int, Message] = {}
        for at, (one, fate) in enumerate(zip(made, admitted.fates, strict=True)):
            new = one.new
            number = fate.id if isinstance(fate, Known) else fate
            if parts:
                # Without the entities: those of a million mails would stay for the whole run.
                self._told.parts[number] = [part._replace(entity="") for part in parts[at]]
            if isinstance(fate, Known):
                self._told.say(number, Receipt(new.entity_id, new.key, Outcome.SKIPPED, why_known(fate)))
            elif new.state is not MessageState.QUEUED:
                self._told.say(number, Receipt(new.entity_id, new.key, outcome_of[new.state], new.detail))
            elif fate not in taken:
                self._told.queue(number, new.entity_id, name_of(new.key, new.generation))
            if isinstance(fate, int) and one.message is not None:
                composed[fate] = one.message
        self._close(claims.closed, composed)
        self._sending.send(claims, composed)

    async def _gather(self, entities: Sequence[Entity], offset: Offset | None, digest: Digest) -> None:
        """Let entities wait for the mail that they become with others."""
        pipe, place, run = self._pipe, self._place, self._running.name
        waiting: list[Gathered] = []
        refused: list[NewMessage] = []
        for entity in entities:
            one = withdrawn(entity, place) if entity.get("_deleted") is True else gathered(entity, digest, place, run)
            if isinstance(one, Gathered):
                waiting.append(one)
            else:
                refused.append(refusal(entity, one, pipe, self._ask.system, run))
        again = [(one.entity_id, one.key) for one in waiting if one.entity] if self._running.wishes.resend else ()
        batch = Batch(tuple(refused), offset, gather=tuple(waiting), forget=tuple(again))
        admitted = await self._state.admit(batch)
        self._told.receipts += [Receipt(new.entity_id, new.key, Outcome.REJECTED, new.detail) for new in refused]
        for one, new_one in zip(waiting, admitted.gathered, strict=True):
            if new_one and one.entity:
                self._told.receipts.append(Receipt(one.entity_id, one.key, Outcome.QUEUED))
            else:
                why = "it was gathered before" if one.entity else "it is deleted"
                self._told.receipts.append(Receipt(one.entity_id, one.key, Outcome.SKIPPED, why))

    async def _gathered(self, digest: Digest) -> bool:
        """Make the mails of gatherings that are due; False when there are no more."""
        if not await self._goes_on():
            return False
        due = await self._state.gatherings(self._place, digest.every, digest.most)
        at, expires = self._now(), self._expires_at()
        made: list[Made] = []
        parts: list[Sequence[Part]] = []
        forget: list[tuple[str, str]] = []
        wholes = [whole(gathering) for gathering in due]
        generations = await self._generations(wholes)
        for gathering, entity in zip(due, wholes, strict=True):
            mails = self._maker.make(entity, at, generations, expires)
            if all(mail.message is None for mail in mails):
                # Rejected or held: what was never to be sent may come again, as every other entity.
                forget += names(gathering, digest, self._place)
            made += mails
            parts += [gathering.parts] * len(mails)
        if made:
            used = tuple(part.number for gathering in due for part in gathering.parts)
            batch = Batch(tuple(one.new for one in made), scatter=used, forget=tuple(forget))
            await self._put(made, batch, parts)
        while self._sending.busy >= MOST_ON_THE_WAY:
            await self._sending.some()
        return bool(made)

    def _expires_at(self) -> float | None:
        return None if self._expires_after is None else self._state.now() + self._expires_after

    async def _made(self, entities: Sequence[Entity]) -> tuple[list[Made], list[Receipt]]:
        """The mails of entities, and receipts for those that become none."""
        generations = await self._generations(entities)
        at, make = self._now(), self._maker.make
        expires = self._expires_at()
        made: list[Made] = []
        left_alone: list[Receipt] = []
        for entity in entities:
            mails = make(entity, at, generations, expires)
            if mails:
                made += mails
            else:
                left_alone.append(Receipt(str(entity.get("_id", "")), "", Outcome.SKIPPED, "it is deleted"))
        return made, left_alone

    async def _generations(self, entities: Sequence[Entity]) -> Mapping[str, int]:
        """How often the mails of entities were sent before, if they are to go again on purpose."""
        if not self._running.wishes.resend:
            return {}
        return await self._state.generations([key for entity in entities for key in self._maker.keys(entity)])

    async def _due(self) -> Claims | None:
        """What waits in the outbox and may go now; None when the run goes no further."""
        return await self._state.claim(self._ask) if await self._goes_on() else None

    async def _worth_waiting(self, claims: Claims) -> bool:
        """Wait for what may go later, if that is wanted and there is any."""
        # What was not tried is due at once: without trouble there is nothing to gain by asking again and again.
        if not self._running.wishes.wait or (claims.again_in is None and not claims.messages):
            return False
        await self._sleep(claims.again_in or 1.0)
        return True

    async def _sleep(self, seconds: float) -> float:
        """Wait, or wake up when the run is to end; for how long it was."""
        now = asyncio.get_running_loop().time
        start = now()
        with suppress(TimeoutError):
            async with asyncio.timeout(min(max(seconds, SHORTEST_SLEEP), self._longest_sleep)):
                await self._running.stopping.wait()
        return now() - start

    def _close(self, closed: Sequence[Closed], composed: Mapping[int, Message]) -> None:
        """Tell of what will not be sent: over the limit, or damaged."""
        for one in closed:
            if one.full is not None:
                used, limit, free_at = one.full
                _log.warning(
                    "%s: entity %s is discarded: %s lets %d through in an hour",
                    one.pipe,
                    one.entity_id,
                    self._ask.system,
                    limit,
                    extra={
                        "pipe": one.pipe,
                        "entity": one.entity_id,
                        "system": self._ask.system,
                        "used": used,
                        "limit": limit,
                        "free_at": free_at,
                    },
                )
            else:
                _log.error("%s: entity %s is held: %s", one.pipe, one.entity_id, one.detail)
            queued = one.name in self._told.queued
            self._told.say(
                one.id,
                Receipt(
                    one.entity_id,
                    one.name,
                    outcome_of[one.state],
                    one.detail,
                    Outcome.QUEUED if queued else None,
                    earlier=not queued and one.id not in composed,
                    due=one.full.free_at if one.full else None,
                ),
            )
