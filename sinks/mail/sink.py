"""The mail sink at work: entities go into the outbox with their position, and out of it to the mail system.

Three portions are on their way at a time, so that connections do not wait for the disk. What earlier runs left is sent
too, when its time has come.
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
from pipeline.run import Portion
from pipeline.state.facts import (
    Ask,
    Batch,
    Claimed,
    Claims,
    Closed,
    Gathered,
    Known,
    MessageState,
    NewMessage,
    Offset,
    Part,
    Settlement,
    outcome_of,
)
from pipeline.state.faults import StateError
from pipeline.state.keys import name_of
from sinks.mail import outbound
from sinks.mail.delivery import Policy, Standing
from sinks.mail.digest import Digest, gathered, names, place_of, refusal, whole, withdrawn
from sinks.mail.maker import Made, Maker
from sinks.mail.outbound import Outbound
from sinks.mail.told import missing, said, was, why_known
from systems.mail import Answer, MailSystem, Message, Trouble

_log = logging.getLogger("mailweir.mail")
_log.addHandler(logging.NullHandler())

# Portions that are admitted and not sent yet.
MOST_ON_THE_WAY: Final = 3
# Seconds of trouble that a run sits out after the system has worked, before it leaves the rest to the next run.
PATIENCE: Final = 60.0
SHORTEST_SLEEP: Final = 0.05
# Seconds without news of a slow server, so that a bar moves.
NEWS_EVERY: Final = 0.5


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

    def __init__(self, pipe: str, maker: Maker, post: Post, running: Running, now: Callable[[], float]) -> None:
        """`now` gives wall seconds."""
        self._pipe = pipe
        self._maker = maker
        self._system = post.system
        self._ask = post.ask
        self._expires_after = post.expires_after
        self._longest_sleep = post.longest_sleep
        self._digest = post.digest
        self._place = place_of(pipe, running.wishes.to)
        self._parts: dict[int, Sequence[Part]] = {}  # of the mails that are made of several entities, by their ids
        self._policies = {
            at_most_once: replace(post.policy, delivery="at_most_once" if at_most_once else "at_least_once")
            for at_most_once in (False, True)
        }
        self._running = running
        self._state = running.state
        self._now = now
        self._told: list[Receipt] = []
        self._answered: list[Settlement] = []  # not on record yet
        self._sending: set[asyncio.Task[None]] = set()
        self._aborted: asyncio.Task[object] | None = None
        self._moved = 0  # mails that an answer has brought further
        self._patience = PATIENCE
        self._queued: set[str] = set()  # told as queued, and the limit may still discard them

    @property
    def trouble(self) -> Trouble | None:
        """Why the mail system carries nothing."""
        return self._system.trouble

    async def write(self, portions: Iterable[Portion]) -> AsyncIterator[Sequence[Receipt]]:
        """The outcomes, as they come. While the system is in trouble nothing more is taken from the source."""
        self._aborted = asyncio.create_task(self._running.aborting.wait())
        try:
            for portion in portions:
                await self._admit(portion)
                while len(self._sending) >= MOST_ON_THE_WAY:
                    await self._one_sent()
                    yield self._tell()
                if self._told:
                    yield self._tell()
                if not await self._goes_on():
                    break
            while self._digest is not None and await self._gathered(self._digest):
                yield self._tell()
            while self._sending:
                await self._one_sent()
                yield self._tell()
            while (claims := await self._due()) is not None:
                before = self._moved
                self._close(claims.closed, {})
                self._send(claims, {})
                while self._sending:
                    await self._one_sent()
                    yield self._tell()
                if self._moved == before and not claims.closed and not await self._worth_waiting(claims):
                    break
                yield self._tell()
            await self._state.flush()
            yield self._tell()
        except StateError:
            await self._abort()
            yield self._tell()
            raise
        finally:
            self._aborted.cancel()
            await self._abort()

    async def _goes_on(self) -> bool:
        """Whether there is a point in taking more; trouble that may pass is waited for."""
        while not self._running.stopping.is_set():
            trouble = self._system.trouble
            if trouble is None:
                return True
            if not self._running.wishes.wait and (not self._moved or self._patience <= 0):
                return False
            self._patience -= await self._sleep(trouble.seconds)
        return False

    def _tell(self) -> Sequence[Receipt]:
        told, self._told = self._told, []
        return told

    async def _one_sent(self) -> None:
        """Wait for one portion, or until there may be news; when the run is aborted, for none."""
        watched = self._sending if self._aborted is None else {*self._sending, self._aborted}
        done, _ = await asyncio.wait(watched, timeout=NEWS_EVERY, return_when=asyncio.FIRST_COMPLETED)
        self._sending -= done
        for task in done:
            task.result()
        if self._aborted in done:
            await self._abort()

    async def _abort(self) -> None:
        """Wait for no answer any more."""
        for task in self._sending:
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)
        self._sending = set()

    async def _admit(self, portion: Portion) -> None:
        """Put a portion into the outbox, and send what may go."""
        offset = None if portion.since is None else Offset(self._pipe, portion.since)
        if self._digest is not None:
            await self._gather(portion.entities, offset, self._digest)
            return
        made, left_alone = await self._made(portion.entities)
        self._told += left_alone
        if made or offset is not None:
            await self._put(made, Batch(tuple(one.new for one in made), offset))

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
                self._parts[number] = [part._replace(entity="") for part in parts[at]]
            if isinstance(fate, Known):
                self._say(number, Receipt(new.entity_id, new.key, Outcome.SKIPPED, why_known(fate)))
            elif new.state is not MessageState.QUEUED:
                self._say(number, Receipt(new.entity_id, new.key, outcome_of[new.state], new.detail))
            elif fate not in taken:
                self._queue(number, new.entity_id, name_of(new.key, new.generation))
            if isinstance(fate, int) and one.message is not None:
                composed[fate] = one.message
        self._close(claims.closed, composed)
        self._send(claims, composed)

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
        self._told += [Receipt(new.entity_id, new.key, Outcome.REJECTED, new.detail) for new in refused]
        for one, new_one in zip(waiting, admitted.gathered, strict=True):
            if new_one and one.entity:
                self._told.append(Receipt(one.entity_id, one.key, Outcome.QUEUED))
            else:
                why = "it was gathered before" if one.entity else "it is deleted"
                self._told.append(Receipt(one.entity_id, one.key, Outcome.SKIPPED, why))

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
        while len(self._sending) >= MOST_ON_THE_WAY:
            await self._one_sent()
        return bool(made)

    def _say(self, number: int, receipt: Receipt) -> None:
        """Tell of a mail; of one that is made of several entities, for each of them."""
        parts = self._parts.get(number)
        if parts is None:
            self._told.append(receipt)
            return
        for part in parts:
            earlier = part.run != self._running.name
            before = None if earlier else receipt.before or Outcome.QUEUED
            self._told.append(receipt._replace(entity_id=part.entity_id, before=before, earlier=earlier))

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

    def _queue(self, number: int, entity_id: str, name: str) -> None:
        """Tell that a mail waits."""
        if self._ask.on_limit == "discard":
            self._queued.add(name)
        self._say(number, Receipt(entity_id, name, Outcome.QUEUED))

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
            queued = one.name in self._queued
            self._say(
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

    def _send(self, claims: Claims, composed: Mapping[int, Message]) -> None:
        """Hand claims to the mail system, in a task."""
        if claims.overdue:
            now = self._state.now()
            for claim in claims.overdue:
                self._settled(claim, outbound.overdue(claim, now), (), new=claim.id in composed)
            self._state.settle([outbound.overdue(claim, now) for claim in claims.overdue])
        if claims.messages:
            outs = {claim.name: outbound.outbound(claim, composed.get(claim.id)) for claim in claims.messages}
            self._sending.add(asyncio.create_task(self._deliver(outs, composed)))

    async def _deliver(self, outs: dict[str, Outbound], composed: Mapping[int, Message]) -> None:
        state, chance, stopping = self._state, self._running.chance, self._running.stopping
        left = dict(outs)
        gone: set[str] = set()
        over = False

        def messages() -> Iterable[Message]:
            for out in outs.values():
                if stopping.is_set():
                    return
                yield out.message

        def handing_over(group: Sequence[Message]) -> None:
            if over:
                # A connection may still be about to send what nobody waits for: its claim is given back.
                raise LookupError("nobody waits for the answer any more")
            self._put_on_record()
            state.handing_over([outs[message.key].claim for message in group])
            gone.update(message.key for message in group)

        try:
            async for group in self._system.send(messages(), handing_over):
                now = state.now()
                settlements = []
                for message, answers in group:
                    out = left.pop(message.key)
                    policy = self._policies[out.claim.at_most_once]
                    settlement = outbound.settlement(out, answers, policy, now, chance())
                    settlements.append(settlement)
                    self._settled(out.claim, settlement, answers, new=out.claim.id in composed, before=out.standings)
                self._put_on_record_soon(settlements)
        finally:
            over = True
            self._put_on_record()
            # The system took no more, or nobody waits for its answers.
            for name, out in left.items():
                claim = out.claim
                earlier = claim.run != self._running.name
                if name in gone:
                    why = "nobody waited for the answer"
                    before = None if earlier or claim.id in composed else was(out.standings)
                    self._say(claim.id, Receipt(claim.entity_id, name, Outcome.IN_DOUBT, why, before, earlier))
                elif claim.id in composed:
                    self._queue(claim.id, claim.entity_id, name)
            if left:
                await state.release([out.claim for out in left.values()])

    def _put_on_record_soon(self, settlements: Sequence[Settlement]) -> None:
        """With all that is answered in this turn of the loop, and before anything more is handed over."""
        if not self._answered:
            asyncio.get_running_loop().call_soon(self._put_on_record)
        self._answered += settlements

    def _put_on_record(self) -> None:
        answered, self._answered = self._answered, []
        self._state.settle(answered)

    def _settled(
        self,
        claim: Claimed,
        settlement: Settlement,
        answers: Sequence[Answer],
        *,
        new: bool,
        before: Sequence[Standing] = (),
    ) -> None:
        earlier = claim.run != self._running.name
        due = None if settlement.due is None else self._now() + max(0.0, settlement.due - self._state.now())
        told = None if new or earlier else was(before)
        detail = said(answers) or settlement.detail
        if settlement.state is MessageState.EXPIRED:
            detail = f"its time is over{'; ' * bool(detail)}{detail}"
        outcome = outcome_of[settlement.state]
        self._moved += settlement.state is not MessageState.QUEUED
        missed = 0
        if len(before) > 1 and outcome is Outcome.SENT:
            missed, why = missing(settlement.result)
            detail = why or detail
        self._say(claim.id, Receipt(claim.entity_id, claim.name, outcome, detail, told, earlier, due, missed))
