"""Lines are added to a record: what is said to be safe is there, whatever became of the line after it."""

from __future__ import annotations

import errno
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from systems.disk import Disk
from systems.file_names import own_name
from systems.mail import Answer, Envelope, Message, Phase, Status
from systems.spool import record
from systems.spool.entry import Entry
from systems.spool.lines import Event, RecordError, lines
from systems.spool.record import Standing

Make = Callable[..., Message]
Said = Callable[..., Answer]


def opened(yard: Any, message: Message, disk: Any = None) -> Entry:
    """The record of a message that is queued now."""
    yard.put(message)
    entry: Entry = yard.store(disk).entry(own_name(message))
    return entry


def again(yard: Any, message: Message) -> Entry:
    """As another process sees it."""
    entry: Entry = yard.store().entry(own_name(message))
    return entry


def test_what_was_added_is_there_for_the_next(yard: Any, mail: Make, said: Said) -> None:
    """Line after line, over the room that was kept for an answer."""
    entry = opened(yard, mail())
    entry.hand(record.handed([0], 1))
    assert entry.settle(record.answered({0: said(Status.TEMPORARY)}, {0: 5}, 2)) is None
    entry.append(record.again([0], 3))
    entry.close()
    entry = again(yard, mail())
    assert [event["what"] for event in entry.events] == ["queued", "handed", "answered", "again"]
    entry.append(record.handed([0], 4))
    entry.close()
    entry = again(yard, mail())
    assert len(entry.events) == 5
    entry.close()


def test_what_was_torn_is_written_over(yard: Any, mail: Make) -> None:
    """A part of a line, of a process that was killed, is not in the way of the next."""
    entry = opened(yard, mail())
    path = entry.path
    entry.close()
    with path.open("ab") as file:
        file.write(b'{"what":"handed","at":1,"to":[0' + b" " * 3000)
    entry = again(yard, mail())
    assert len(entry.events) == 1
    entry.append(record.handed([0], 2))
    entry.close()
    entry = again(yard, mail())
    assert [event["at"] for event in entry.events[1:]] == [2]
    entry.close()


def test_what_was_changed_is_an_error(yard: Any, mail: Make) -> None:
    """Nothing is done with a record that somebody edited, and it is not locked for ever."""
    entry = opened(yard, mail())
    entry.append(record.handed([0], 1))
    entry.close()
    path = entry.path
    path.write_bytes(path.read_bytes().replace(b'"b@example.org"', b'"c@example.org"'))
    for _ in range(2):
        with pytest.raises(RecordError, match="line 1"):
            again(yard, mail())


@pytest.mark.parametrize("text", ["ok", "x" * 5000, "ø" * 5000])
def test_an_answer_finds_room_on_a_full_disk(yard: Any, mail: Make, said: Said, faulty: Any, text: str) -> None:
    """What was handed over is settled, with fewer words; that the disk is full is told."""
    people = [f"{number}@example.org" for number in range(40)]
    disk = faulty()
    entry = opened(yard, mail(*people), disk)
    entry.hand(record.handed(range(40), 1))
    disk.at = 1
    answer = Answer("", Status.ACCEPTED, said(Status.ACCEPTED).phase, "mx", 250, "2.0.0", text)
    told = entry.settle(record.answered(dict.fromkeys(range(40), answer), {}, 2))
    assert told is None or told.errno == errno.ENOSPC
    entry.close()
    entry = again(yard, mail(*people))
    assert {one.standing for one in entry.queued.recipients} == {Standing.ACCEPTED}
    entry.append(record.again([0], 3))
    entry.close()
    entry = again(yard, mail(*people))
    assert len(entry.events) == 4
    entry.close()


def test_each_of_several_answers_finds_room(yard: Any, mail: Make, said: Said, faulty: Any) -> None:
    """Also when the others come first, with many words, and a hand-over failed between them."""
    people = [f"{number}@example.org" for number in range(5)]
    disk = faulty()
    entry = opened(yard, mail(*people), disk)
    for place in range(4):
        entry.hand(record.handed([place], 1))
    disk.at = 1
    with pytest.raises(OSError, match="No space"):
        entry.hand(record.handed([4] * 3000, 1))
    for place in range(4):
        entry.settle(record.answered({place: said(Status.ACCEPTED)}, {}, 2))
    entry.close()
    entry = again(yard, mail(*people))
    standings = [one.standing for one in entry.queued.recipients]
    assert standings == [Standing.ACCEPTED] * 4 + [Standing.WAITING]
    entry.close()


def test_another_refusal_than_a_full_disk_is_not_passed_over(yard: Any, mail: Make, said: Said, faulty: Any) -> None:
    """After an I/O error nobody knows what is on the disk, so it is not tried a second time."""
    disk = faulty(code=errno.EIO)
    entry = opened(yard, mail(), disk)
    entry.hand(record.handed([0], 1))
    disk.at, disk.kill = disk.count + 1, False
    answer = record.answered({0: said(Status.TEMPORARY)}, {0: 1}, 2)
    long = {**answer, "pad": "x" * 5000}
    with pytest.raises(OSError, match="No space") as raised:
        entry.settle(long)
    assert raised.value.errno == errno.EIO
    entry.close()


steps = st.lists(st.sampled_from(["hand", "accept", "refuse", "later", "doubt", "again"]), max_size=12)


@settings(max_examples=60)
@given(steps=steps, at=st.integers(1, 14), kill=st.booleans())
def test_properties_of_a_fault(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str], at: int, faulty: Any, killed: Any, *, kill: bool
) -> None:
    """A write that fails or is cut off at any point: what was said to be safe is there, and what failed is not."""
    path = tmp_path_factory.mktemp("entry") / ("a" * 32)
    message = Message("k", Envelope("a@example.com", ("b@example.org", "c@example.org")), b"")
    Disk().write_new(path, lines([record.queued(message, 0)]))
    entry = Entry(path, faulty(at, kill=kill, for_good=False), lock=True)
    safe = [entry.events[0]]
    handed = False
    with suppress(killed):
        for number, step in enumerate(steps):
            event: Event
            if step == "hand":
                event = record.handed([0, 1], number)
                with suppress(OSError):
                    entry.hand(event)
                    handed = True
                    safe.append(event)
            elif step in {"doubt", "again"}:
                event = record.doubted([0], 1, number) if step == "doubt" else record.again([1], number)
                with suppress(OSError):
                    entry.append(event)
                    safe.append(event)
            elif handed:
                status = {"accept": Status.ACCEPTED, "refuse": Status.PERMANENT, "later": Status.TEMPORARY}[step]
                answer = Answer("", status, Phase.DOT, "mx", 250, "2.0.0", "x" * 400)
                event = record.answered({0: answer, 1: answer}, {0: 1, 1: 1}, number)
                told = entry.settle(event)
                handed = False
                safe.append(record.in_short(event) if told else event)
    entry.close()
    found = Entry(path, Disk(), lock=True)
    # What a process was killed in the middle of may have happened.
    assert [*found.events[: len(safe)]] == safe
    assert len(found.events) <= len(safe) + kill
    found.close()
