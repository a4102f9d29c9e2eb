"""Mails on their way: claims go to the mail system, and what it answers goes on record and is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, Self

from pipeline.component import Running
from pipeline.receipt import Outcome, Receipt
from pipeline.state.facts import Claimed, Claims, MessageState, Settlement, outcome_of
from sinks.mail import outbound
from sinks.mail.delivery import Policy, Standing
from sinks.mail.outbound import Outbound
from sinks.mail.told import Told, missing, said, was
from systems.mail import Answer, MailSystem, Message, Status

# Seconds without news of a slow server, so that a bar moves.
NEWS_EVERY: Final = 0.5
# Members of enumerations by names of their own, and tuples without a function of Python around them: they are needed
# for every mail.
_accepted, _sent = Status.ACCEPTED, Outcome.SENT
_new: Final = tuple.__new__


class Sending:
    """The tasks that deliver. What is on its way when it is left, or the run aborted, is waited for no more."""

    def __init__(
        self, system: MailSystem, policy: Policy, running: Running, told: Told, now: Callable[[], float]
    ) -> None:
        """`now` gives wall seconds."""
        self._system = system
        self._policies = {
            at_most_once: replace(policy, delivery="at_most_once" if at_most_once else "at_least_once")
            for at_most_once in (False, True)
        }
        self._running = running
        self._state = running.state
        self._told = told
        self._now = now
        self._tasks: set[asyncio.Task[None]] = set()
        self._aborted: asyncio.Task[object] | None = None
        self._outs: dict[str, Outbound] = {}  # what the system has, by the names of the claims
        self._began: dict[str, float] = {}  # when the system took them, in steady time
        self._gone: set[str] = set()  # of these, what can be in doubt
        self._answered: list[Settlement] = []  # not on record yet
        self.moved = 0
        """How many mails an answer has brought further."""

    async def __aenter__(self) -> Self:
        """Listen for the end of the run."""
        self._aborted = asyncio.create_task(self._running.aborting.wait())
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Leave what is on its way."""
        if self._aborted is not None:
            self._aborted.cancel()
        await self.abort()

    @property
    def busy(self) -> int:
        """How many groups of claims are on their way."""
        return len(self._tasks)

    async def some(self) -> None:
        """Wait for one group, or until there may be news; when the run is aborted, for none."""
        watched = self._tasks if self._aborted is None else {*self._tasks, self._aborted}
        done, _ = await asyncio.wait(watched, timeout=NEWS_EVERY, return_when=asyncio.FIRST_COMPLETED)
        self._tasks -= done
        for task in done:
            task.result()
        if self._aborted in done:
            await self.abort()

    async def abort(self) -> None:
        """Wait for no answer any more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = set()

    def send(self, claims: Claims, composed: Mapping[int, Message]) -> None:
        """Hand claims to the mail system, in a task. `composed` are those that were admitted just now, by their ids."""
        if claims.overdue:
            now = self._state.now()
            late = [outbound.overdue(claim, now) for claim in claims.overdue]
            for claim, settlement in zip(claims.overdue, late, strict=True):
                self._settled(claim, settlement, (), new=claim.id in composed)
            self._state.settle(late)
        if claims.messages:
            outs = {claim.name: outbound.outbound(claim, composed.get(claim.id)) for claim in claims.messages}
            self._tasks.add(asyncio.create_task(self._deliver(outs, composed)))

    async def _deliver(self, left: dict[str, Outbound], composed: Mapping[int, Message]) -> None:
        state, chance, stopping, told = self._state, self._running.chance, self._running.stopping, self._told
        on_the_way, gone, began, took = self._outs, self._gone, self._began, self._running.durations
        outs = tuple(left.values())
        on_the_way.update(left)

        def messages() -> Iterable[Message]:
            for out in outs:
                if stopping.is_set():
                    return
                began[out.claim.name] = state.now()
                yield out.message

        try:
            async for group in self._system.send(messages(), self._handing_over):
                now = state.now()
                settlements = []
                for message, answers in group:
                    name = message.key
                    out = left.pop(name)
                    claim = out.claim
                    settlement = outbound.settlement(out, answers, self._policies[claim.at_most_once], now, chance())
                    settlements.append(settlement)
                    if len(answers) == 1 and answers[0].status is _accepted and claim.id in composed:  # most mails
                        self.moved += 1
                        what = (claim.entity_id, name, _sent, said(answers), None, False, None, 0)
                        told.say(claim.id, _new(Receipt, what))
                    else:
                        self._settled(claim, settlement, answers, new=claim.id in composed, before=out.standings)
                    del on_the_way[name]
                    gone.discard(name)
                    took.add(now - began.pop(name, now))
                self._put_on_record_soon(settlements)
        finally:
            self._put_on_record()
            if left:
                await self._leave(left, composed)

    async def _leave(self, left: Mapping[str, Outbound], composed: Mapping[int, Message]) -> None:
        """The system took no more of these, or nobody waits for its answers."""
        for name, out in left.items():
            claim = out.claim
            del self._outs[name]
            self._began.pop(name, None)
            if name in self._gone:
                self._gone.discard(name)
                earlier = claim.run != self._running.name
                before = None if earlier or claim.id in composed else was(out.standings)
                why = "nobody waited for the answer"
                self._told.say(claim.id, Receipt(claim.entity_id, name, Outcome.IN_DOUBT, why, before, earlier))
            elif claim.id in composed:
                self._told.queue(claim.id, claim.entity_id, name)
        await self._state.release([out.claim for out in left.values()])

    def _handing_over(self, group: Sequence[Message]) -> None:
        """Put on record that these are about to go, with what was answered meanwhile."""
        # A connection may still be about to send what nobody waits for: its claim was given back, so it is not found.
        names = [message.key for message in group]
        claims = [self._outs[name].claim for name in names]
        answered, self._answered = self._answered, []
        self._state.handing_over(claims, answered)
        self._gone.update(names)

    def _put_on_record_soon(self, settlements: Sequence[Settlement]) -> None:
        """With all that is answered in this turn of the loop, and before anything more is handed over.

        One turn later a system that goes on has handed over more, and one write served both.
        """
        if not self._answered:
            loop = asyncio.get_running_loop()
            loop.call_soon(loop.call_soon, self._put_on_record)
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
        """Tell what became of a claim."""
        earlier = claim.run != self._running.name
        due = None if settlement.due is None else self._now() + max(0.0, settlement.due - self._state.now())
        told = None if new or earlier else was(before)
        detail = said(answers) or settlement.detail
        if settlement.state is MessageState.EXPIRED:
            detail = f"its time is over{'; ' * bool(detail)}{detail}"
        outcome = outcome_of[settlement.state]
        self.moved += settlement.state is not MessageState.QUEUED
        missed = 0
        if len(before) > 1 and outcome is Outcome.SENT:
            missed, why = missing(settlement.result)
            detail = why or detail
        self._told.say(claim.id, Receipt(claim.entity_id, claim.name, outcome, detail, told, earlier, due, missed))
