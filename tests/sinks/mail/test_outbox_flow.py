"""From a composed message to the receipt: the state, the delivery table and a mail system, all real, in one process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from pathlib import Path
from typing import Self

from pipeline.clock import VirtualClock
from pipeline.state.facts import Ask, Batch, Claims, Known, MessageState, NewMessage, Offset
from pipeline.state.keys import message_key
from pipeline.state.port import State
from pipeline.state.sqlite.store import SqliteState
from sinks.mail import outbound
from sinks.mail.delivery import Policy
from systems.mail import Answer, Answered, Envelope, Message, Phase, Status, Trouble

ASK = Ask("office", "office", limit=100)
POLICY = Policy()


class Postmaster:
    """A mail system in memory: it takes a message when it is told that the handing over is on record.

    An address says what becomes of mail to it: `gone@` is refused, `later@` is turned away the first time, and of
    `silent@` no answer ever comes.
    """

    def __init__(self) -> None:
        """An empty office."""
        self.taken: list[tuple[str, str]] = []
        self._seen: set[str] = set()

    async def __aenter__(self) -> Self:
        """Nothing to open."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Nothing to close."""

    @property
    def trouble(self) -> Trouble | None:
        """None."""
        return None

    async def send(
        self, messages: Iterable[Message], handing_over: Callable[[Sequence[Message]], None]
    ) -> AsyncIterator[Sequence[Answered]]:
        """Answer each message."""
        for message in messages:
            handing_over([message])
            yield [Answered(message, tuple(self._answer(message, to) for to in message.envelope.recipients))]
            await asyncio.sleep(0)

    def _answer(self, message: Message, recipient: str) -> Answer:
        name = recipient.partition("@")[0]
        if name == "gone":
            return Answer(recipient, Status.PERMANENT, Phase.RECIPIENT, "office", 550, "5.1.1", "no such user")
        if name == "later" and message.key not in self._seen:
            self._seen.add(message.key)
            return Answer(recipient, Status.TEMPORARY, Phase.RECIPIENT, "office", 450, "4.2.0", "come back")
        self.taken.append((message.key, recipient))
        if name == "silent":
            return Answer(recipient, Status.IN_DOUBT, Phase.DOT, "office", text="timed out")
        return Answer(recipient, Status.ACCEPTED, Phase.DOT, "office", 250, "2.0.0", "ok")


def message(number: int, *to: str) -> NewMessage:
    """A message, composed."""
    recipients = to or (f"customer-{number}@example.com",)
    return NewMessage(
        message_key("welcome", f"c-{number}", "v1", recipients),
        "welcome",
        "office",
        f"c-{number}",
        recipients,
        outbound.stored(Envelope("hello@example.com", recipients)),
        f"Subject: Hello {number}\r\n\r\n".encode(),
        f'{{"_id":"c-{number}"}}',
    )


async def send(state: State, system: Postmaster, claims: Claims) -> None:
    """What a sink does with its claims."""
    outs = {claim.name: outbound.outbound(claim) for claim in claims.messages}

    def handing_over(messages: Sequence[Message]) -> None:
        state.handing_over([outs[each.key].claim for each in messages])

    async for group in system.send((out.message for out in outs.values()), handing_over):
        now = state.now()
        state.settle(
            [outbound.settlement(outs[each.message.key], each.answers, POLICY, now, jitter=1.0) for each in group]
        )


def opened(folder: Path, clock: VirtualClock) -> SqliteState:
    """The state of a project."""
    return SqliteState.open(folder / ".mailweir", clock, outbound.stranded)


def test_the_way_of_mail(tmp_path: Path) -> None:
    """Admitted with the position, sent within the limit, discarded beyond it, and skipped when it is read again."""
    clock, system = VirtualClock(), Postmaster()
    batch = Batch(tuple(message(number) for number in range(250)), Offset("welcome", "250"))

    async def first_run() -> None:
        async with opened(tmp_path, clock) as state:
            admitted = await state.admit(batch, ASK)
            await send(state, system, admitted.claims)
            assert [closed.state for closed in admitted.claims.closed] == [MessageState.DISCARDED] * 150

    async def second_run() -> None:
        async with opened(tmp_path, clock) as state:
            assert await state.offset("welcome") == "250"
            fates = (await state.admit(Batch(batch.messages[:100]), ASK)).fates
            assert all(isinstance(fate, Known) and fate.state is MessageState.SENT for fate in fates)
            (usage,) = await state.usage({"office": 100})
            assert (usage.used, usage.free) == (100, 0)
            assert (await state.discards("office", 0.0)).many == 150

    asyncio.run(first_run())
    asyncio.run(second_run())
    assert len(system.taken) == len(set(system.taken)) == 100


def test_each_recipient_goes_its_own_way(tmp_path: Path) -> None:
    """Taken, refused, turned away, unanswered: in one message, over several tries, and nobody gets it twice."""
    clock, system = VirtualClock(), Postmaster()
    people = ("ann@example.com", "gone@example.com", "later@example.com", "silent@example.com")

    async def run() -> None:
        async with opened(tmp_path, clock) as state:
            await send(state, system, (await state.admit(Batch((message(1, *people),)), ASK)).claims)
            again = (await state.claim(ASK)).again_in
            words = []
            while again is not None:
                clock.advance(again)
                claims = await state.claim(ASK)
                await send(state, system, claims)
                words.append(
                    (clock.boot() - 1000, [out.claim.entity_id for out in map(outbound.outbound, claims.messages)])
                )
                again = (await state.claim(ASK)).again_in
            assert [at for at, _ in words] == [60, 120, 180, 300]
            detail = await state.message(1)
            assert detail is not None
            assert detail.row.state is MessageState.HELD
            assert '"no such user"' in detail.row.result

    asyncio.run(run())
    taken = [to for _, to in system.taken]
    assert (taken.count("ann@example.com"), taken.count("later@example.com"), taken.count("silent@example.com")) == (
        1,
        1,
        4,
    )
