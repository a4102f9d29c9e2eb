"""Sources that are read in a thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mailweir.running import Asked, Run
from pipeline.config.load import Options, load
from pipeline.errors import Problem, SourceError, Span
from pipeline.feed import FedSource, Feed, Pulled, UnwantedError, unless
from pipeline.run import Portion, arriving, portions

PATIENCE = 60.0


class Numbers:
    """Gives batches of two; a `gate` holds each but the first, or the `first` too."""

    waits = True
    skipped = 3

    def __init__(
        self,
        count: int,
        gate: threading.Semaphore | None = None,
        fault: Exception | None = None,
        *,
        first: bool = False,
    ) -> None:
        """The fault comes at the end."""
        self.first = first
        self.count = count
        self.gate = gate
        self.fault = fault
        self.threads: set[str] = set()
        self.closed = threading.Event()

    def read(self, since: str | None) -> Iterator[tuple[list[dict[str, Any]], str | None]]:
        """From the position on."""
        try:
            for at in range(int(since or 0), self.count, 2):
                self.threads.add(threading.current_thread().name)
                if (at or self.first) and self.gate is not None:
                    assert self.gate.acquire(timeout=PATIENCE)
                yield [{"_id": str(at)}, {"_id": str(at + 1)}], str(at + 2)
            if self.fault is not None:
                raise self.fault
        finally:
            self.threads.add(threading.current_thread().name)
            self.closed.set()


def pulled(source: FedSource, batch: int = 2, stopping: asyncio.Event | None = None) -> Pulled:
    """Its portions."""
    source.begin(None)
    return Pulled(portions(source, (), None, batch=batch), source.ready, stopping or asyncio.Event())


async def ids(flowing: Any) -> list[str]:
    """All that arrives."""
    return [entity["_id"] async for each in arriving(flowing) for entity in each.entities]


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_all_arrives_in_order_and_from_one_thread(batch: int) -> None:
    """Whatever the size of portions; the thread of the loop does not read."""
    numbers = Numbers(10)
    fed = FedSource(numbers)
    assert asyncio.run(ids(pulled(fed, batch))) == [str(at) for at in range(10)]
    assert fed.skipped == 3
    fed.close()
    assert numbers.closed.wait(PATIENCE)
    assert numbers.threads == {"source"}


def test_portions_that_wait_for_nothing_come_as_they_are() -> None:
    """A list is as good."""
    assert asyncio.run(ids([Portion([{"_id": "1"}], None, 1, 0)])) == ["1"]


def test_others_go_on_while_a_batch_is_waited_for() -> None:
    """What was given is worked on before the next batch is there, in portions of any size."""
    gate = threading.Semaphore(0)

    async def together() -> list[str]:
        seen: list[str] = []
        both = asyncio.Event()

        async def watch() -> None:
            await both.wait()
            gate.release()

        watching = asyncio.create_task(watch())
        async for portion in arriving(pulled(FedSource(Numbers(4, gate)), 1)):
            seen.extend(entity["_id"] for entity in portion.entities)
            if len(seen) == 2:
                both.set()
        await watching
        return seen

    assert asyncio.run(asyncio.wait_for(together(), PATIENCE)) == ["0", "1", "2", "3"]


def test_a_fault_comes_where_it_is() -> None:
    """Behind what was given before."""
    error = SourceError(Problem("E606", "gone", Span("db", 0, 0)))

    async def read() -> list[str]:
        flow = arriving(pulled(FedSource(Numbers(2, fault=error))))
        found = [entity["_id"] for entity in (await anext(flow)).entities]
        with pytest.raises(SourceError, match="E606 gone"):
            await anext(flow)
        return found

    assert asyncio.run(read()) == ["0", "1"]


def test_who_is_to_stop_waits_for_no_source() -> None:
    """The source is left alone; it is closed in its thread when it comes back."""
    gate = threading.Semaphore(0)
    numbers = Numbers(4, gate)
    fed = FedSource(numbers)

    async def read() -> list[str]:
        stopping, found = asyncio.Event(), []
        async for portion in arriving(pulled(fed, stopping=stopping)):
            found += [entity["_id"] for entity in portion.entities]
            stopping.set()
        return found

    assert asyncio.run(read()) == ["0", "1"]
    fed.close()
    gate.release()
    assert numbers.closed.wait(PATIENCE)
    assert numbers.threads == {"source"}


def test_who_is_to_stop_does_not_wait_for_the_first_batch_either() -> None:
    """A server that thinks for minutes before its first row keeps nobody from ending the run."""
    gate = threading.Semaphore(0)
    numbers = Numbers(4, gate, first=True)
    fed = FedSource(numbers)

    async def read() -> list[str]:
        stopping = asyncio.Event()
        asyncio.get_running_loop().call_later(0.01, stopping.set)
        return await asyncio.wait_for(ids(pulled(fed, stopping=stopping)), PATIENCE)

    assert asyncio.run(read()) == []
    fed.close()
    gate.release()
    assert numbers.closed.wait(PATIENCE)


def test_what_a_transform_makes_in_a_thread_is_made_when_it_is_wanted() -> None:
    """Not before the portion that precedes it has been taken: it may look up what that has changed."""
    seen: list[str] = []

    def shape(entity: dict[str, Any]) -> list[dict[str, Any]]:
        seen.append(f"shape {entity['_id']} in {threading.current_thread().name}")
        return [entity]

    async def read() -> None:
        feed = Feed(portions(Numbers(4), [shape], None, batch=2), ahead=False)
        flow = arriving(Pulled(iter(feed), lambda _: feed.ready(), asyncio.Event()))
        for last in ("1", "3"):
            seen.append(f"took {(await anext(flow)).entities[-1]['_id']}")
            assert seen[-1] == f"took {last}"

    asyncio.run(read())
    made = [f"shape {at} in source" for at in range(4)]
    assert seen == [*made[:2], "took 1", *made[2:], "took 3"]


def test_who_is_to_stop_has_no_service_asked_in_vain() -> None:
    """The entity that is on its way is the last one."""
    gate, stopping, asked = threading.Semaphore(0), asyncio.Event(), []
    begun, over = threading.Event(), threading.Event()

    def ask(entity: dict[str, Any]) -> list[dict[str, Any]]:
        asked.append(entity["_id"])
        begun.set()
        assert gate.acquire(timeout=PATIENCE)
        return [entity]

    def shaped() -> Iterator[Portion]:
        try:
            yield from portions(Numbers(8), unless(stopping.is_set, [ask]), None, batch=8)
        except UnwantedError:
            over.set()

    async def read() -> list[str]:
        feed = Feed(shaped(), ahead=False)
        reading = asyncio.create_task(ids(Pulled(iter(feed), lambda _: feed.ready(), stopping)))
        await asyncio.to_thread(begun.wait, PATIENCE)
        stopping.set()
        found = await asyncio.wait_for(reading, PATIENCE)
        feed.close()
        gate.release()
        return found

    assert asyncio.run(read()) == []
    assert over.wait(PATIENCE)
    assert asked == ["0"]


def test_mail_goes_out_while_its_source_waits(tmp_path: Path) -> None:
    """The second batch is given only when the mail of the first has arrived."""
    (tmp_path / "all.conf.json").write_text(
        """[
          {"_id": "office", "type": "system:eml", "folder": "out"},
          {"_id": "p", "type": "pipe", "source": {"type": "empty"},
           "sink": {"type": "mail", "system": "office", "mail_from": "a@example.com", "recipients": "b@example.com",
                    "subject_template": "{{ entity._id }}", "body_template": "Hello"}}
        ]"""
    )

    class Waiting:
        waits = True

        def read(self, since: str | None) -> Iterator[tuple[list[dict[str, Any]], str | None]]:
            yield [{"_id": "1"}], None
            deadline = threading.Event()
            for _ in range(int(PATIENCE * 20)):
                if list(tmp_path.glob("out/*.eml")):
                    break
                deadline.wait(0.05)
            else:
                raise AssertionError("no mail arrived")
            yield [{"_id": "2"}], None

    run = Run(load(tmp_path, Options(environ={}, here=tmp_path)), Asked(source=Waiting()))
    done = asyncio.run(run.go())
    assert [dict(report.outcomes) for report in done.reports] == [{"sent": 2}]
    assert len(list(tmp_path.glob("out/*.eml"))) == 2


def test_what_is_left_out_ahead_is_counted(tmp_path: Path) -> None:
    """Also what the source passes over before anybody has asked for its first batch."""
    config = '{"_id": "p", "type": "pipe", "source": {"type": "empty"}, "sink": {"type": "null"}}'
    (tmp_path / "all.conf.json").write_text(config)

    class Skipping:
        waits = True
        skipped = 0

        def read(self, since: str | None) -> Iterator[tuple[list[dict[str, Any]], str | None]]:
            for at in range(3):
                self.skipped += 1
                yield [{"_id": str(at)}], None

    done = asyncio.run(Run(load(tmp_path, Options(environ={}, here=tmp_path)), Asked(source=Skipping())).go())
    assert [(report.read, report.left_out) for report in done.reports] == [(3, 3)]
