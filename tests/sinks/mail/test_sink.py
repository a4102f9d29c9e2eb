"""The mail sink between a real state and a mail system in memory."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Self

import pytest

from pipeline.clock import VirtualClock
from pipeline.component import Running, Wishes
from pipeline.durations import BOUNDS
from pipeline.entity import Entity
from pipeline.receipt import Outcome, Report
from pipeline.run import Portion
from pipeline.state.facts import Ask, Batch, Gathered, Offset
from pipeline.state.faults import StateError, StateReason
from pipeline.state.sqlite.store import SqliteState
from sinks.mail import outbound
from sinks.mail.build import guards
from sinks.mail.config import MailConfig
from sinks.mail.maker import Maker
from sinks.mail.settings import policy, settings
from sinks.mail.sink import MailSink, Post
from systems.mail import Answer, Answered, Message, Phase, Reason, Status, SystemFault, Trouble

DOWN = Trouble("office", SystemFault(Phase.GREETING, Reason.UNREACHABLE, "connection refused"), 600.0)


class Postmaster:
    """A mail system in memory. `verdict` says what becomes of mail to an address; `most` is when it breaks down."""

    def __init__(self, verdict: Callable[[str], Status] = lambda _: Status.ACCEPTED, most: int | None = None) -> None:
        """An empty office."""
        self.taken: list[str] = []
        self.messages: list[Message] = []
        self.trouble: Trouble | None = None
        self._verdict = verdict
        self._most = most

    async def __aenter__(self) -> Self:
        """Nothing to open."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Nothing to close."""

    async def send(
        self, messages: Iterable[Message], handing_over: Callable[[Sequence[Message]], None]
    ) -> AsyncIterator[Sequence[Answered]]:
        """Answer each message, and take none in trouble."""
        for message in messages:
            if self._most is not None and len(self.taken) >= self._most:
                self.trouble = DOWN
                answer = [Answer(to, Status.NOT_TRIED, Phase.BEFORE, "office") for to in message.envelope.recipients]
                yield [Answered(message, tuple(answer))]
                return
            handing_over([message])
            self.taken.append(message.key)
            self.messages.append(message)
            yield [Answered(message, tuple(self._answer(to) for to in message.envelope.recipients))]
            await asyncio.sleep(0)

    def _answer(self, to: str) -> Answer:
        status = self._verdict(to)
        return Answer(to, status, Phase.DOT, "office", 250 if status is Status.ACCEPTED else 451, "", status.value)


class Office:
    """A sink with all that is around it."""

    def __init__(self, folder: Path, system: Postmaster, **more: Any) -> None:
        """Properties of the sink, and `wishes`, `limit` and `on_limit`."""
        self.clock = VirtualClock()
        self.system = system
        self.folder = folder
        self.wishes: Wishes = more.pop("wishes", Wishes())
        self.ask = Ask("office", "office", more.pop("limit", 1000), more.pop("on_limit", "discard"))
        given = {
            "type": "mail",
            "system": "office",
            "mail_from": "hello@example.com",
            "recipients_property": "email",
            "subject_template": "Hello {{ name }}",
            "body_template": "Hello {{ name }}",
        }
        self.config = MailConfig.model_validate({**given, **more})
        self.stopping = asyncio.Event()
        self.aborting = asyncio.Event()
        self.run = 0
        self.heard: Callable[[Report], None] = lambda _: None

    async def mail(self, entities: Iterable[Entity], since: str | None = None, size: int = 10) -> Report:
        """A run over these entities."""
        self.run += 1
        report = Report("welcome")
        everything = list(entities)
        async with SqliteState.open(self.folder / ".mailweir", self.clock, outbound.stranded) as state:
            running = Running(f"r{self.run}", self.wishes, state, lambda: 0.5, self.stopping, self.aborting)
            self.durations = running.durations
            maker = Maker(settings(self.config, str(self.folder), guards(self.wishes)), "welcome", running.name)
            expires, digest = self.config.expires_after, self.config.gathers()
            post = Post(self.system, self.ask, policy(self.config), 0.05, expires, digest)
            sink = MailSink("welcome", maker, post, running, self.clock.wall)
            parts = [everything[at : at + size] for at in range(0, len(everything), size)] or [[]]

            def portions() -> Iterable[Portion]:
                for place, part in enumerate(parts, 1):
                    report.read += len(part)
                    yield Portion(part, since if place == len(parts) else None, len(part), 0)

            async for group in sink.write(portions()):
                for receipt in group:
                    report.take(receipt)
                self.heard(report)
            self.offset = await state.offset("welcome")
        return report


def people(count: int, **more: object) -> list[Entity]:
    """Entities with an address each."""
    return [{"_id": f"c{at}", "email": f"c{at}@example.com", "name": f"N{at}", **more} for at in range(count)]


def counts(report: Report) -> dict[str, int]:
    """The outcomes by their words."""
    return {outcome.value: many for outcome, many in report.outcomes.items() if many}


def go(work: Callable[[], Any]) -> None:
    """Run a coroutine function."""
    asyncio.run(work())


def test_each_answer_has_its_duration(tmp_path: Path) -> None:
    """How long a message took is counted once, from when the system took it, whatever the answer was."""
    office: Office

    def slow(to: str) -> Status:
        office.clock.advance(2)
        return Status.ACCEPTED if to < "c1" else Status.PERMANENT

    office = Office(tmp_path, Postmaster(slow))
    go(lambda: office.mail(people(3)))
    assert sum(office.durations.counts) == 3
    assert office.durations.seconds == 6
    assert office.durations.counts[BOUNDS.index(2.5)] == 3


def test_all_is_sent_and_the_second_time_skipped(tmp_path: Path) -> None:
    """Outcomes add up to what was read; what was handed over is not mailed again."""
    system = Postmaster()

    async def run() -> None:
        office = Office(tmp_path, system)
        first = await office.mail(people(25), "25")
        assert counts(first) == {"sent": 25}
        assert office.offset == "25"
        second = await office.mail(people(26))
        assert counts(second) == {"sent": 1, "skipped": 25}
        assert second.shown[Outcome.SKIPPED][0].detail == "it was sent before"

    go(run)
    assert len(system.taken) == len(set(system.taken)) == 26


def test_the_limit_lets_exactly_so_many_through(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Of 250 mails 100 go, and each of the others has a log record and a receipt."""
    system = Postmaster()

    async def run() -> None:
        report = await Office(tmp_path, system, limit=100).mail(people(250), size=64)
        assert counts(report) == {"sent": 100, "discarded": 150}

    with caplog.at_level(logging.WARNING, "mailweir.mail"):
        go(run)
    assert len(system.taken) == 100
    records = [record for record in caplog.records if record.name == "mailweir.mail"]
    assert len(records) == 150
    assert {record.__dict__["limit"] for record in records} == {100}


def test_over_the_limit_mail_can_wait(tmp_path: Path) -> None:
    """With `on_limit: queue` nothing is discarded, and a later run sends what waits."""
    system = Postmaster()

    async def run() -> None:
        office = Office(tmp_path, system, limit=10, on_limit="queue")
        assert counts(await office.mail(people(25))) == {"sent": 10, "queued": 15}
        office.clock.advance(3601)
        later = await office.mail([])
        assert (later.total, later.earlier[Outcome.SENT]) == (0, 10)

    go(run)
    assert len(system.taken) == 20


def test_what_becomes_no_mail_has_its_word_too(tmp_path: Path) -> None:
    """Rejected, held, deleted: each entity ends in one outcome."""

    async def run() -> None:
        office = Office(tmp_path, Postmaster(), wishes=Wishes(only_to=("c1@example.com",)))
        entities = [*people(3), {"_id": "none", "name": "x"}, {"_id": "gone", "_deleted": True}]
        report = await office.mail(entities)
        assert counts(report) == {"sent": 1, "held": 2, "rejected": 1, "skipped": 1}
        assert report.total == report.read == 5
        assert report.shown[Outcome.REJECTED][0].entity_id == "none"

    go(run)


def test_a_mail_that_is_turned_away_is_tried_again_by_a_later_run(tmp_path: Path) -> None:
    """It counts as retrying, with the time of the next try, and is sent when that has come."""
    verdicts = {"c0@example.com": Status.TEMPORARY}
    system = Postmaster(lambda to: verdicts.get(to, Status.ACCEPTED))

    async def run() -> None:
        office = Office(tmp_path, system)
        report = await office.mail(people(3))
        assert counts(report) == {"sent": 2, "retrying": 1}
        (waiting,) = report.shown[Outcome.RETRYING]
        assert waiting.detail == "451 temporary"
        assert waiting.due is not None
        assert waiting.due > office.clock.wall()
        assert (await office.mail([])).earlier == Counter()
        verdicts.clear()
        office.clock.advance(600)
        assert (await office.mail([])).earlier == Counter({Outcome.SENT: 1})

    go(run)


def test_trouble_stops_the_source_and_loses_nothing(tmp_path: Path) -> None:
    """While the system is out of order nothing more is read; what was read is queued and goes with the next run."""
    system = Postmaster(most=0)

    async def run() -> None:
        office = Office(tmp_path, system)
        report = await office.mail(people(200), "200")
        assert set(counts(report)) == {"queued"}
        assert report.total == report.read < 200
        assert office.offset is None
        system.trouble, system._most = None, None
        report = await office.mail(people(200), "200")
        assert report.outcomes[Outcome.SENT] + report.outcomes[Outcome.SKIPPED] + report.outcomes[Outcome.QUEUED] == 200

    go(run)
    assert len(system.taken) == len(set(system.taken)) == 200


def test_a_disk_that_cannot_record_stops_the_mail(tmp_path: Path) -> None:
    """When the hand-over cannot be put on record nothing goes, the fault comes back, and the mail is still there."""
    system = Postmaster()

    class Refusing(Postmaster):
        async def send(
            self, messages: Iterable[Message], handing_over: Callable[[Sequence[Message]], None]
        ) -> AsyncIterator[Sequence[Answered]]:
            raise StateError(StateReason.FULL, "the disk is full", passing=True)
            yield []

    async def run() -> None:
        office = Office(tmp_path, Refusing())
        reports: list[Report] = []
        office.heard = reports.append
        with pytest.raises(StateError, match="the disk is full"):
            await office.mail(people(5))
        assert counts(reports[-1]) == {"queued": 5}
        office.system = system
        assert (await office.mail([])).earlier == Counter({Outcome.SENT: 5})

    go(run)


def test_a_run_that_is_stopped_takes_no_more(tmp_path: Path) -> None:
    """What is on its way comes home; the rest stays queued."""

    async def run() -> None:
        office: Office

        class Stopping(Postmaster):
            def _answer(self, to: str) -> Answer:
                office.stopping.set()
                return super()._answer(to)

        office = Office(tmp_path, Stopping())
        report = await office.mail(people(100))
        assert 1 <= report.outcomes[Outcome.SENT] < 100
        assert report.total == report.read
        assert set(counts(report)) == {"sent", "queued"}

    go(run)


def test_who_does_not_wait_leaves_what_was_handed_over_in_doubt(tmp_path: Path) -> None:
    """A mail whose last byte went out is never queued again as if nothing had happened."""
    system = Postmaster()

    async def run() -> None:
        handed = asyncio.Event()

        class Silent(Postmaster):
            async def send(
                self, messages: Iterable[Message], handing_over: Callable[[Sequence[Message]], None]
            ) -> AsyncIterator[Sequence[Answered]]:
                handing_over([next(iter(messages))])
                handed.set()
                await asyncio.Event().wait()
                yield []

        office = Office(tmp_path, Silent())
        mailing = asyncio.create_task(office.mail(people(3)))
        await handed.wait()
        office.stopping.set()
        office.aborting.set()
        report = await mailing
        assert counts(report) == {"in_doubt": 1, "queued": 2}
        office.stopping.clear()
        office.aborting.clear()
        office.system = system
        again = await office.mail([])
        assert again.earlier == Counter({Outcome.SENT: 2})
        office.clock.advance(61)
        assert (await office.mail([])).earlier == Counter({Outcome.SENT: 1})

    go(run)
    assert len(system.taken) == 3


def test_what_nobody_waits_for_is_not_handed_over_any_more(tmp_path: Path) -> None:
    """A connection that gets its turn after the run was aborted must not send a mail that is queued again."""
    callbacks: list[Callable[[Sequence[Message]], None]] = []
    messages_of: list[Message] = []

    async def run() -> None:
        begun = asyncio.Event()

        class Slow(Postmaster):
            async def send(
                self, messages: Iterable[Message], handing_over: Callable[[Sequence[Message]], None]
            ) -> AsyncIterator[Sequence[Answered]]:
                callbacks.append(handing_over)
                messages_of.extend(messages)
                begun.set()
                await asyncio.Event().wait()
                yield []

        office = Office(tmp_path, Slow())
        mailing = asyncio.create_task(office.mail(people(2)))
        await begun.wait()
        office.stopping.set()
        office.aborting.set()
        assert counts(await mailing) == {"queued": 2}
        with pytest.raises(LookupError):
            callbacks[0](messages_of)

    go(run)


def test_a_retry_that_nobody_waits_for_counts_once(tmp_path: Path) -> None:
    """A mail that was retrying, went out again and then was left without an answer is one mail in doubt."""

    async def run() -> None:
        again = asyncio.Event()

        class LaterSilent(Postmaster):
            async def send(
                self, messages: Iterable[Message], handing_over: Callable[[Sequence[Message]], None]
            ) -> AsyncIterator[Sequence[Answered]]:
                (message,) = messages
                handing_over([message])
                self.taken.append(message.key)
                if len(self.taken) == 1:
                    answer = Answer("c0@example.com", Status.TEMPORARY, Phase.DOT, "office", 451, "", "later")
                    yield [Answered(message, (answer,))]
                else:
                    again.set()
                    await asyncio.Event().wait()

        office = Office(tmp_path, LaterSilent(), wishes=Wishes(wait=True))
        mailing = asyncio.create_task(office.mail(people(1)))
        while not again.is_set():
            office.clock.advance(600)
            await asyncio.sleep(0.01)
        office.stopping.set()
        office.aborting.set()
        report = await mailing
        assert counts(report) == {"in_doubt": 1}
        assert report.total == report.read == 1

    go(run)


def test_news_of_a_slow_server_comes_while_it_works(tmp_path: Path) -> None:
    """Each answer is told soon, also when the rest of its portion takes long."""

    async def run() -> None:
        more = asyncio.Event()

        class Slow(Postmaster):
            async def send(
                self, messages: Iterable[Message], handing_over: Callable[[Sequence[Message]], None]
            ) -> AsyncIterator[Sequence[Answered]]:
                async for group in super().send(messages, handing_over):
                    yield group
                    await more.wait()

        office = Office(tmp_path, Slow())
        office.heard = lambda report: more.set() if report.outcomes[Outcome.SENT] == 1 else None
        async with asyncio.timeout(60):
            assert counts(await office.mail(people(3))) == {"sent": 3}

    go(run)


def test_what_was_sent_goes_again_only_by_name(tmp_path: Path) -> None:
    """With `resend` a mail goes once more, and under a name of its own."""
    system = Postmaster()

    async def run() -> None:
        office = Office(tmp_path, system)
        await office.mail(people(2))
        office.wishes = Wishes(resend=True)
        assert counts(await office.mail(people(2))) == {"sent": 2}

    go(run)
    assert len(set(system.taken)) == 4


def test_receipts_of_several_tries_count_once(tmp_path: Path) -> None:
    """With `wait` a mail that was retrying and then sent is one sent mail."""
    tries: Counter[str] = Counter()
    turned_away = asyncio.Event()

    def verdict(to: str) -> Status:
        tries[to] += 1
        turned_away.set()
        return Status.TEMPORARY if to == "c0@example.com" and tries[to] == 1 else Status.ACCEPTED

    async def run() -> None:
        office = Office(tmp_path, Postmaster(verdict), wishes=Wishes(wait=True))
        mailing = asyncio.create_task(office.mail(people(3)))
        await turned_away.wait()
        office.clock.advance(4000)
        report = await mailing
        assert counts(report) == {"sent": 3}

    go(run)


def test_a_mail_that_waited_too_long_is_not_sent(tmp_path: Path) -> None:
    """After `expires_after` it is of no use to anybody, and dead."""
    system = Postmaster(most=0)

    async def run() -> None:
        office = Office(tmp_path, system, expires_after=3600)
        assert counts(await office.mail(people(2))) == {"queued": 2}
        office.clock.advance(3601)
        office.system = Postmaster()
        late = await office.mail([])
        assert late.earlier == Counter({Outcome.DEAD: 2})
        assert late.shown[Outcome.DEAD][0].detail == "its time is over"
        assert office.system.taken == []

    go(run)


BOOK = {
    "digest": {"by": "email"},
    "subject_template": "{{ entities | length }} for {{ email }}",
    "body_template": "{% for one in entities %}{{ one.name }} {% endfor %}",
}


def orders(count: int, *, start: int = 0) -> list[Entity]:
    """Orders of two customers in turns."""
    return [
        {"_id": f"o{at}", "email": f"c{at % 2}@example.com", "name": f"N{at}"} for at in range(start, start + count)
    ]


def test_entities_of_one_customer_become_one_mail(tmp_path: Path) -> None:
    """At the end of the run each customer gets one mail with all orders; each order counts as sent, and once."""
    system = Postmaster()

    async def run() -> None:
        office = Office(tmp_path, system, **BOOK)
        report = await office.mail([*orders(7), {"_id": "none", "name": "x"}], "8", size=3)
        assert counts(report) == {"sent": 7, "rejected": 1}
        assert report.shown[Outcome.REJECTED][0].detail == "E502 the entity has no `email` to gather by"
        assert office.offset == "8"
        again = await office.mail(orders(7))
        assert counts(again) == {"skipped": 7}

    go(run)
    assert len(system.taken) == 2
    assert sorted(message.content.partition(b"Subject: ")[2].partition(b"\r\n")[0] for message in system.messages) == [
        b"3 for c1@example.com",
        b"4 for c0@example.com",
    ]


def test_a_digest_waits_for_its_time_or_until_it_is_full(tmp_path: Path) -> None:
    """Entities of several runs go together; a newer version takes the place of the older, a deleted one goes out."""
    system = Postmaster()

    async def run() -> None:
        office = Office(tmp_path, system, **{**BOOK, "digest": {"by": "email", "every": 3600, "most": 4}})
        assert counts(await office.mail(orders(4))) == {"queued": 4}
        office.clock.advance(1800)
        changed = {**orders(1)[0], "name": "new"}
        report = await office.mail([changed, {"_id": "o1", "_deleted": True}, *orders(2, start=4)])
        assert counts(report) == {"queued": 3, "skipped": 1}
        assert system.taken == []
        office.clock.advance(1801)
        late = await office.mail([])
        assert late.earlier == Counter({Outcome.SENT: 5})
        report = await office.mail(orders(10, start=10))
        assert counts(report) == {"sent": 8, "queued": 2}

    go(run)
    texts = [message.content.decode() for message in system.messages]
    assert "new N2 N4" not in texts[0]
    assert "N2 new N4" in texts[0]
    assert "N3 N5" in texts[1]
    assert len(texts) == 4


def test_a_digest_that_is_refused_or_late_is_told_of_each_entity(tmp_path: Path) -> None:
    """Each entity has the word of the mail that it is in, through all its tries."""
    verdicts = {"c0@example.com": Status.TEMPORARY}
    system = Postmaster(lambda to: verdicts.get(to, Status.ACCEPTED))

    async def run() -> None:
        office = Office(tmp_path, system, limit=2, **BOOK)
        assert counts(await office.mail(orders(4))) == {"sent": 2, "retrying": 2}
        verdicts.clear()
        assert counts(await office.mail([{**one, "email": "x@example.com"} for one in orders(3, start=9)])) == {
            "sent": 3
        }
        assert counts(await office.mail(orders(2, start=20))) == {"discarded": 2}

    go(run)


def test_a_digest_that_was_rejected_or_held_comes_again(tmp_path: Path) -> None:
    """What was never to be sent is not skipped when its entities are read again: it goes, once."""
    system = Postmaster()

    async def run() -> None:
        office = Office(tmp_path, system, **{**BOOK, "subject_template": "{{ nothing }}"})
        assert counts(await office.mail(orders(4))) == {"rejected": 4}
        office.config = office.config.model_copy(update={"subject_template": "Your orders"})
        office.wishes = Wishes(only_to=("c0@*",))
        assert counts(await office.mail(orders(4))) == {"sent": 2, "held": 2}
        office.wishes = Wishes()
        assert counts(await office.mail(orders(4))) == {"sent": 2, "skipped": 2}
        assert counts(await office.mail(orders(4))) == {"skipped": 4}

    go(run)
    assert len(system.taken) == 2


def test_a_digest_that_is_sent_elsewhere_takes_nothing_from_its_recipients(tmp_path: Path) -> None:
    """What waits for them goes on waiting, and they get what somebody else was shown."""
    system = Postmaster()

    async def run() -> None:
        office = Office(tmp_path, system, **{**BOOK, "digest": {"by": "email", "every": 60}})
        assert counts(await office.mail(orders(2))) == {"queued": 2}
        office.clock.advance(61)
        office.wishes = Wishes(to="me@example.com")
        assert counts(await office.mail(orders(2))) == {"queued": 2}
        office.wishes = Wishes()
        assert (await office.mail([])).earlier == Counter({Outcome.SENT: 2})
        office.clock.advance(61)
        office.wishes = Wishes(to="me@example.com")
        assert (await office.mail([])).earlier == Counter({Outcome.SENT: 2})

    go(run)
    to = [message.envelope.recipients for message in system.messages]
    assert to == [("c0@example.com",), ("c1@example.com",), ("me@example.com",), ("me@example.com",)]


def test_a_digest_goes_again_by_name(tmp_path: Path) -> None:
    """With `resend` entities that were mailed together are gathered and mailed once more."""
    system = Postmaster()

    async def run() -> None:
        office = Office(tmp_path, system, **BOOK)
        await office.mail(orders(4))
        office.wishes = Wishes(resend=True)
        assert counts(await office.mail(orders(4))) == {"sent": 4}

    go(run)
    assert len(set(system.taken)) == 4


def test_an_entity_is_in_one_mail_of_several_processes(tmp_path: Path) -> None:
    """A mail is not admitted when what it is made of was mailed by somebody else, or has changed, in the meantime."""

    async def run() -> None:
        one = Gathered("p", "x", "a", "0" * 32, '{"_id":"a"}')
        other = Gathered("p", "x", "b", "1" * 32, '{"_id":"b"}')
        async with SqliteState.open(tmp_path / ".mailweir", VirtualClock(), outbound.stranded) as state:
            await state.admit(Batch(gather=(one, other)))
            (seen,) = await state.gatherings("p", 0, 10)
            await state.admit(Batch(gather=(one._replace(key="2" * 32, entity='{"_id":"a","new":1}'),)))
            numbers = tuple(part.number for part in seen.parts)
            late = await state.admit(Batch(offset=Offset("p", "1"), scatter=numbers))
            assert late.stale
            assert await state.offset("p") is None
            (fresh,) = await state.gatherings("p", 0, 10)
            assert {part.entity_id for part in fresh.parts} == {"a", "b"}
            assert not (await state.admit(Batch(scatter=tuple(part.number for part in fresh.parts)))).stale

    go(run)
