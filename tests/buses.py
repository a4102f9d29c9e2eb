"""Buses for tests: that of the state, and one over each broker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from tests.brokers import NatsServer, RabbitServer, RedisServer, Server, running

CARRIERS: Final[dict[str, type[Server] | None]] = {
    "local": None,
    "redis": RedisServer,
    "nats": NatsServer,
    "amqp": RabbitServer,
}


@contextmanager
def bus_of(name: str) -> Iterator[list[dict[str, Any]]]:
    """The systems of a project with a bus; where there is no such broker, a test is skipped."""
    kind = CARRIERS[name]
    if kind is None:
        yield [{"_id": "bus", "type": "system:bus"}]
        return
    with running(kind) as server:
        yield [{"_id": "bus", "type": "system:bus", "system": "broker"}, server.system()]
