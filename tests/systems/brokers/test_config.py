"""Message brokers as they are declared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mailweir.cli.checking import check_paths
from pipeline.config.load import Options


def problems(folder: Path, *components: dict[str, Any]) -> list[tuple[str, str]]:
    """What `mailweir check` says of components, without warnings of what is not used."""
    (folder / "broker.conf.json").write_text(json.dumps(list(components)))
    (folder / ".secrets.env").write_text(
        "pw=s3cr3t-word\nurl=rediss://me:s3cr3t-word@redis.example.com/0\nbad=redis://a b"
    )
    (folder / ".secrets.env").chmod(0o600)
    found = check_paths([folder], Options(environ={}, here=folder)).problems
    assert not any("s3cr3t-word" in problem.message for problem in found)
    return [(problem.code, problem.message) for problem in found if problem.code != "W309"]


REDIS = {"_id": "broker", "type": "system:redis"}


@pytest.mark.parametrize(
    ("system", "code", "words"),
    [
        ({}, "E204", "url"),
        ({"url": "localhost:6379"}, "E203", "`url` does not begin with redis:// or rediss://"),
        ({"url": "redis://localhost/shop"}, "E203", "has no number of a database"),
        ({"url": "redis://a,b"}, "E203", "several servers"),
        ({"url": "$SECRET(bad)"}, "E203", "`url` names a server that has a space"),
        ({"url": "redis://localhost", "key_file": "a.pem"}, "E206", "`key_file` without `cert_file`"),
        ({"url": "redis://localhost", "ca_file": ""}, "E203", "`ca_file` is empty"),
        ({"url": "redis://localhost", "username": "me"}, "E206", "`username` without `password`"),
        ({"url": "redis://redis.example.com", "password": "$SECRET(pw)"}, "E212", "in clear"),
        ({"url": "redis://localhost", "timeout": 0}, "E203", "timeout"),
    ],
)
def test_what_cannot_be_is_told_by_check(tmp_path: Path, system: dict[str, Any], code: str, words: str) -> None:
    """Before anything is connected, at the property."""
    (fault,) = problems(tmp_path, {**REDIS, **system})
    assert fault[0] == code
    assert words in fault[1]


@pytest.mark.parametrize(
    "system",
    [
        {"url": "$SECRET(url)"},
        {"url": "redis://localhost:6379/1", "password": "$SECRET(pw)"},
        {"url": "rediss://redis.example.com", "username": "me", "password": "$SECRET(pw)"},
        {"url": "redis://redis.example.com", "password": "$SECRET(pw)", "allow_plaintext_auth": True},
    ],
)
def test_what_can_be(tmp_path: Path, system: dict[str, Any]) -> None:
    """A login in a URL that is a secret, one on this machine, one behind TLS, and where somebody said that it may."""
    assert problems(tmp_path, {**REDIS, **system}) == []


def test_a_login_in_a_file_is_refused(tmp_path: Path) -> None:
    """Beside the warning that it can be read there; neither repeats it."""
    found = problems(tmp_path, {**REDIS, "url": "rediss://me:s3cr3t-word@redis.example.com"})
    assert sorted(code for code, _ in found) == ["E203", "W302"]


def test_a_consumer_needs_a_group(tmp_path: Path) -> None:
    """So does what else is said of one."""
    source = {"type": "redis_streams", "system": "broker", "stream": "orders", "consumer": "me", "claim_after": 60}
    pipe = {"_id": "orders", "type": "pipe", "source": source}
    found = problems(tmp_path, {**REDIS, "url": "redis://localhost"}, pipe)
    assert [code for code, _ in found] == ["E206", "E206"]


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        ("amqp", "amqps://rabbit.example.com/shop"),
        ("kafka", "kafkas://a.example.com:9093,b.example.com"),
        ("mqtt", "mqtts://mqtt.example.com"),
        ("nats", "tls://a.example.com,b.example.com:4222"),
    ],
)
def test_other_brokers(tmp_path: Path, kind: str, url: str) -> None:
    """Each has URLs of its own, and knows those of others for what they are."""
    login = {"username": "me", "password": "$SECRET(pw)"}
    assert problems(tmp_path, {"_id": "broker", "type": f"system:{kind}", "url": url, **login}) == []
    ((code, words),) = problems(tmp_path, {"_id": "broker", "type": f"system:{kind}", "url": "redis://localhost"})
    assert code == "E203"
    assert "does not begin with" in words


@pytest.mark.parametrize(
    ("kind", "source", "code", "words"),
    [
        ("nats", {"stream": "S", "consumer": "a.b"}, "E203", "no name of a consumer"),
        ("nats", {"stream": "S", "ack_wait": 5}, "E206", "without `consumer`"),
        ("mqtt", {"topics": ["a/+", "a/#/b"]}, "E203", "a `#` that is not the whole last part"),
        ("mqtt", {"topics": "a+/b"}, "E203", "a `+` that is not a whole part"),
        ("mqtt", {"topics": ""}, "E203", "is empty"),
        ("amqp", {"queue": "q", "prefetch": 0}, "E203", "prefetch"),
        ("kafka", {}, "E204", "topic"),
    ],
)
def test_sources_that_cannot_be(tmp_path: Path, kind: str, source: dict[str, Any], code: str, words: str) -> None:
    """They are told at the property."""
    scheme = {"nats": "nats", "mqtt": "mqtt", "amqp": "amqp", "kafka": "kafka"}[kind]
    system = {"_id": "broker", "type": f"system:{kind}", "url": f"{scheme}://localhost"}
    pipe = {"_id": "orders", "type": "pipe", "source": {"type": kind, "system": "broker", **source}}
    ((told, message),) = problems(tmp_path, system, pipe)
    assert told == code
    assert words in message


@pytest.mark.parametrize(
    ("kind", "sink"),
    [("nats", {"subject": "orders.*"}), ("mqtt", {"topic": "orders/#"}), ("nats", {"subject": "a b"})],
)
def test_nobody_publishes_to_many(tmp_path: Path, kind: str, sink: dict[str, Any]) -> None:
    """What stands for several subjects or topics is none to publish to."""
    system = {"_id": "broker", "type": f"system:{kind}", "url": f"{kind}://localhost"}
    source = {"type": "embedded", "entities": [{"_id": "1"}]}
    pipe = {"_id": "orders", "type": "pipe", "source": source, "sink": {"type": kind, "system": "broker", **sink}}
    assert [code for code, _ in problems(tmp_path, system, pipe)] == ["E203"]


def test_another_broker_is_no_system_for_it(tmp_path: Path) -> None:
    """Each source reads its own kind."""
    url = {"_id": "broker", "type": "system:url", "url_pattern": "https://example.com/%s"}
    pipe = {
        "_id": "orders",
        "type": "pipe",
        "source": {"type": "redis_streams", "system": "broker", "stream": "orders"},
    }
    assert [code for code, _ in problems(tmp_path, url, pipe)] == ["E306"]
