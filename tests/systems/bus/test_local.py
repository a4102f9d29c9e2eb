"""Topics in the state: what a reader is handed, waits for, and has settled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.clock import VirtualClock
from pipeline.state.sqlite.bus import SqliteBus
from systems.brokers.messages import BrokerError, Outgoing
from systems.bus.local import LocalPublisher, LocalQueue, LocalTopics


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteBus]:
    """A state."""
    made = SqliteBus(tmp_path / ".mailweir", VirtualClock())
    yield made
    made.close()


def publish(store: SqliteBus, *bodies: bytes) -> None:
    """To the topic of these tests."""
    assert list(LocalPublisher(store, "t").publish([Outgoing("", one) for one in bodies])) == [""] * len(bodies)


def test_what_is_settled_does_not_come_again(store: SqliteBus) -> None:
    """A reader that begins anew is handed all that it has not settled, and a message behind a gap too."""
    publish(store, b"1", b"2", b"3", b"4")
    topics = LocalTopics("bus", store)
    queue = topics.queue("t", "r", 10)
    found = queue.take(10, 0)
    assert [one.body for one in found] == [b"1", b"2", b"3", b"4"]
    assert queue.take(10, 0) == ()
    queue.settle([found[0], found[2]])
    assert [one.body for one in topics.queue("t", "r", 10).take(10, 0)] == [b"2", b"3", b"4"]
    queue.settle([found[1]])
    assert [one.body for one in topics.queue("t", "r", 10).take(10, 0)] == [b"4"]


def test_the_first_message_is_waited_for(store: SqliteBus) -> None:
    """As long as was said, and not a moment longer when it comes."""
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds
        if now[0] >= 0.5:
            publish(store, b"1")

    queue = LocalQueue(store, "t", "r", lambda: now[0], sleep)
    assert queue.take(10, 0.2) == ()
    assert 0.2 <= now[0] < 0.3
    (one,) = queue.take(10, 60)
    assert one.body == b"1"
    assert one.counted
    assert one.place.startswith("t:")
    assert now[0] < 1


def test_a_state_that_cannot_be_used(tmp_path: Path) -> None:
    """It is told as of a broker."""
    folder = tmp_path / ".mailweir"
    folder.mkdir(0o700)
    folder.joinpath("state.db").write_bytes(b"no database" * 100)
    topics = LocalTopics("bus", SqliteBus(folder, VirtualClock()))
    with pytest.raises(BrokerError):
        topics.queue("t", "r", 10)
    with pytest.raises(BrokerError):
        topics.publisher("t").publish([Outgoing("", b"1")])
