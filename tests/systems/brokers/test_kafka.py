"""What of Kafka needs no broker: offsets, records, and that nobody is there."""

from __future__ import annotations

import socket

import pytest
from aiokafka.structs import ConsumerRecord  # type: ignore[import-untyped]

from pipeline.entity import Datetime
from systems.brokers.address import Address
from systems.brokers.kafka import Kafka, Reading, message_of, offsets_of, position_of, starts_of
from systems.brokers.messages import BrokerError
from systems.brokers.settings import Settings

FIRSTS = {0: 5, 1: 0}
LASTS = {0: 90, 1: 70}


def test_positions_come_back() -> None:
    """The offsets of all partitions; of what is no position of ours nothing."""
    assert offsets_of(position_of({1: 7, 0: 12})) == {0: 12, 1: 7}
    assert position_of({10: 1, 2: 3}) == '{"2":3,"10":1}'
    assert offsets_of(None) == offsets_of("17") == offsets_of("[1]") == offsets_of('{"a": 1}') == {}


@pytest.mark.parametrize(
    ("position", "new", "starts", "gone"),
    [
        (None, False, FIRSTS, 0),
        (None, True, LASTS, 0),
        ('{"0":10,"1":20}', False, {0: 10, 1: 20}, 0),
        ('{"0":10,"1":20}', True, {0: 10, 1: 20}, 0),
        ('{"0":10}', True, {0: 10, 1: 0}, 0),
        ('{"0":2,"1":20}', False, {0: 5, 1: 20}, 3),
        ('{"0":10,"1":20,"2":30}', False, {0: 10, 1: 20}, 0),
    ],
)
def test_where_partitions_begin(position: str | None, *, new: bool, starts: dict[int, int], gone: int) -> None:
    """Where the last run stopped; partitions that came later from their start; what was removed unread is counted."""
    assert starts_of(position, FIRSTS, LASTS, new=new) == (starts, gone)


def test_records() -> None:
    """The key names a message, and what else is known of it is plain."""
    record: ConsumerRecord[bytes | None, bytes | None] = ConsumerRecord(
        "orders", 3, 42, 1_700_000_000_000, 0, b"k1", b"{}", None, 2, 2, (("a", b"b"), ("none", None))
    )
    found = message_of(record, '{"3":43}')
    assert (found.place, found.key, found.body, found.position) == ("orders:3:42", "k1", b"{}", '{"3":43}')
    assert found.facts == {
        "topic": "orders",
        "partition": 3,
        "offset": 42,
        "time": Datetime(1_700_000_000_000_000_000),
        "headers": {"a": "b"},
    }


def test_nobody_there() -> None:
    """Who reads and who publishes hear that there is no connection."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = Address(tls=False, servers=(("127.0.0.1", taken.getsockname()[1]),))
        system = Kafka(Settings("queue", address, "me", "s3cr3t-pass"), "PLAIN")
        for opened in (lambda: system.log(Reading("orders"), None), lambda: system.publisher("orders")):
            with pytest.raises(BrokerError) as caught:
                opened()
            assert caught.value.lost
            assert "s3cr3t-pass" not in caught.value.text
