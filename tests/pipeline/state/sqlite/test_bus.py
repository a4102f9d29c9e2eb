"""Topics and the registry, in the state's file: read in order by each reader, and kept as long as somebody needs it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.state.bus import GONE
from pipeline.state.facts import Retention
from pipeline.state.faults import StateError
from pipeline.state.sqlite.bus import SqliteBus
from pipeline.state.sqlite.connection import looker


@pytest.fixture
def bus(states: Any) -> Iterator[SqliteBus]:
    """A bus in the folder of the states."""
    made = SqliteBus(states.folder, states.clock)
    yield made
    made.close()


def bodies(bus: SqliteBus, topic: str, after: int = 0) -> list[bytes]:
    """What is there."""
    return [one.body for one in bus.posted(topic, after, 100)]


def test_messages_are_read_in_order(bus: SqliteBus) -> None:
    """Each topic has its own, in the order in which they were posted."""
    bus.post("a", [b"1", b"2"])
    bus.post("b", [b"other"])
    bus.post("a", [b"3"])
    first, second, third = bus.posted("a", 0, 100)
    assert [one.body for one in (first, second, third)] == [b"1", b"2", b"3"]
    assert bus.posted("a", first.number, 1) == [second]
    assert bodies(bus, "b") == [b"other"]


def test_nothing_is_made_by_a_look(bus: SqliteBus, states: Any) -> None:
    """Where there is no state yet there are no messages and no entities, and no file afterwards."""
    assert bus.posted("a", 0, 10) == ()
    assert bus.get("k") is None
    assert not (states.folder / "state.db").exists()


def test_what_all_readers_have_is_removed(bus: SqliteBus) -> None:
    """A message stays until the last reader has it; a reader goes on where it was."""
    bus.post("a", [b"1", b"2", b"3"])
    numbers = [one.number for one in bus.posted("a", 0, 100)]
    assert bus.begin("a", "fast") == bus.begin("a", "slow") == 0
    bus.settle("a", "fast", numbers[2])
    assert bodies(bus, "a") == [b"1", b"2", b"3"]
    bus.settle("a", "slow", numbers[0])
    assert bodies(bus, "a") == [b"2", b"3"]
    assert (bus.begin("a", "fast"), bus.begin("a", "slow")) == (numbers[2], numbers[0])
    bus.settle("a", "slow", numbers[2])
    bus.post("a", [b"4"])
    assert bodies(bus, "a") == [b"4"]
    assert bus.posted("a", 0, 1)[0].number > numbers[2]


def test_a_reader_that_is_gone_holds_nothing_back(bus: SqliteBus, states: Any) -> None:
    """One that was not seen for three months keeps no messages; one that looks now and then does."""
    bus.post("a", [b"1"])
    (one,) = bus.posted("a", 0, 1)
    bus.begin("a", "gone")
    bus.begin("a", "here")
    states.clock.advance(GONE - 10)
    assert bus.begin("a", "here") == 0
    states.clock.advance(20)
    bus.settle("a", "here", one.number)
    assert bodies(bus, "a") == []


def test_the_registry(bus: SqliteBus, states: Any) -> None:
    """A key has one entity. Taken out, nothing of it is left but that it was there."""
    assert bus.put("k", b'{"n": 1}', 60)
    assert bus.put("k", b'{"n": 1}', 60)
    assert not bus.put("k", b'{"n": 2}', 60)
    assert bus.get("k") == b'{"n": 1}'
    for _ in range(2):
        bus.remove(["k", "nobody"])
        assert bus.get("k") == b""
    assert bus.get("nobody") is None
    assert bus.put("k", b'{"n": 1}', 60)
    assert bus.get("k") == b""
    assert not bus.put("k", b'{"n": 2}', 60)
    states.clock.advance(61)
    assert bus.put("k", b'{"n": 2}', 60)
    assert bus.get("k") == b'{"n": 2}'


def test_entities_expire(bus: SqliteBus, states: Any) -> None:
    """After its time an entity is not there any more, its key is free, and what is left of it is removed."""
    bus.put("k", b"{}", 60)
    bus.put("l", b"{}", 600)
    states.clock.advance(61)
    assert (bus.get("k"), bus.get("l")) == (None, b"{}")
    assert bus.put("k", b"new", 60)
    states.clock.advance(61)
    states.run(states.open().tidy(Retention()))
    with looker(states.folder / "state.db") as file:
        assert file.execute("SELECT key FROM registry").fetchall() == [("l",)]
    file.close()


def test_beside_a_state_and_each_other(bus: SqliteBus, states: Any) -> None:
    """Other processes that have the file open see what is posted, and are not in the way."""
    states.open()
    other = SqliteBus(states.folder, states.clock)
    try:
        other.post("a", [b"1"])
        bus.post("a", [b"2"])
        assert bodies(bus, "a") == bodies(other, "a") == [b"1", b"2"]
    finally:
        other.close()


def test_a_file_that_is_none(bus: SqliteBus, states: Any) -> None:
    """What is wrong with it is said, and it is left as it is."""
    states.folder.mkdir(exist_ok=True)
    states.folder.joinpath("state.db").write_bytes(b"no database" * 100)
    with pytest.raises(StateError):
        bus.post("a", [b"1"])
    with pytest.raises(StateError):
        bus.get("k")


def test_it_can_be_used_again_after_it_was_closed(bus: SqliteBus) -> None:
    """It opens what it needs."""
    bus.post("a", [b"1"])
    bus.close()
    assert bodies(bus, "a") == [b"1"]
    bus.post("a", [b"2"])
    assert bodies(bus, "a") == [b"1", b"2"]
