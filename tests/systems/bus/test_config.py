"""What a bus, and whoever names a topic, must say."""

from __future__ import annotations

import json

import pytest

from pipeline.config.installed import installed
from pipeline.config.project import compile_project
from pipeline.config.resolve import Lookup
from pipeline.config.text import read
from systems.bus.carried import named
from systems.bus.config import is_topic

BUS = {"_id": "bus", "type": "system:bus"}


def codes(*components: object) -> list[tuple[str, str]]:
    """The faults of a configuration."""
    document = read(json.dumps(components).encode(), "x.conf.json")
    lookup = Lookup(take_env=False, take_secrets=False)
    return [(one.code, one.message) for one in compile_project([document], installed(), lookup).errors]


@pytest.mark.parametrize("kind", ["redis", "nats", "amqp"])
def test_brokers_that_carry_a_bus(kind: str) -> None:
    """Redis, NATS and AMQP do."""
    broker = {"_id": "b", "type": f"system:{kind}", "url": f"{kind}://localhost"}
    assert codes({**BUS, "system": "b"}, broker) == []


def test_a_broker_that_does_not() -> None:
    """MQTT keeps no messages that nobody has subscribed to."""
    ((code, message),) = codes({**BUS, "system": "b"}, {"_id": "b", "type": "system:mqtt", "url": "mqtt://localhost"})
    assert (code, message) == ("E306", '"b" is system:mqtt, which cannot carry a bus')


@pytest.mark.parametrize("topic", ["SERVICE.MAILER", "orders", "a-b_c.1"])
def test_topics(topic: str) -> None:
    """Names with points between parts."""
    assert is_topic(topic)


@pytest.mark.parametrize("topic", ["", ".", "a.", ".a", "a..b", "a b", "a.*", "a.>", "a#", "å", "a" * 121, "a\n"])
def test_what_is_no_topic(topic: str) -> None:
    """Nothing that a broker would read as a pattern, or refuse."""
    assert not is_topic(topic)
    source = {"type": "bus", "system": "bus", "topic": topic}
    sink = {"type": "bus", "system": "bus", "topic": topic}
    pipe = {"_id": "p", "type": "pipe", "source": source, "sink": sink}
    assert [code for code, _ in codes(BUS, pipe)] == ["E203", "E203"]


def test_names_for_nats() -> None:
    """What it takes stays; no two others become the same."""
    assert named("mailer-1") == "mailer-1"
    assert named("a.b") != named("a:b")
    assert named("a.b").startswith("a_b-")
