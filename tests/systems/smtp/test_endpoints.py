"""Where to connect, as declared."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.secret import Secret
from systems.smtp.config import SmtpConfig
from systems.smtp.endpoints import Endpoint, TlsSpec, endpoints, has_login


def config(**properties: Any) -> SmtpConfig:
    """A system with these properties."""
    return SmtpConfig.model_validate({"_id": "mail", "type": "system:smtp", **properties})


@pytest.mark.parametrize(
    ("properties", "host", "port", "mode"),
    [
        ({}, "localhost", 25, "none"),
        ({"use_tls": True}, "localhost", 25, "starttls"),
        ({"use_tls": True, "smtp_port": 465}, "localhost", 465, "implicit"),
        ({"use_tls": True, "smtp_port": 587}, "localhost", 587, "starttls"),
        ({"use_tls": False, "smtp_port": 465}, "localhost", 465, "none"),
        ({"tls": "opportunistic"}, "localhost", 25, "opportunistic"),
        ({"url": "smtp://mx.example.com"}, "mx.example.com", 25, "none"),
        ({"url": "smtp://mx.example.com:2525"}, "mx.example.com", 2525, "none"),
        ({"url": "smtps://mx.example.com"}, "mx.example.com", 465, "implicit"),
        ({"url": "smtps://mx.example.com:9465"}, "mx.example.com", 9465, "implicit"),
        ({"url": "smtp://mx.example.com:587", "use_tls": True}, "mx.example.com", 587, "starttls"),
        ({"url": "smtp://[2001:db8::1]:587"}, "2001:db8::1", 587, "none"),
        ({"smtp_server": "[::1]"}, "::1", 25, "none"),
    ],
)
def test_a_declaration_is_an_endpoint(properties: dict[str, Any], host: str, port: int, mode: str) -> None:
    """Host, port and TLS follow from what is declared."""
    (endpoint,) = endpoints(config(**properties))
    assert (endpoint.host, endpoint.port, endpoint.tls.mode) == (host, port, mode)


def test_servers_take_what_they_do_not_say_from_the_system() -> None:
    """Each server has its own words first; a login of its own is never mixed with the system's."""
    one, two, three = endpoints(
        config(
            smtp_username="kari",
            smtp_password=Secret("p"),
            use_tls=True,
            ca_file="ca.pem",
            servers=[
                {"smtp_server": "a.example.com", "smtp_port": 587},
                {"url": "smtps://b.example.com", "smtp_username": "ola", "smtp_password": Secret("q")},
                {"smtp_server": "c.example.com", "tls": "none", "ca_file": "own.pem", "verify_host": False},
            ],
        )
    )
    assert one == Endpoint("a.example.com", 587, TlsSpec("starttls", ca_file="ca.pem"), Secret("kari"), Secret("p"))
    assert (two.name, two.tls.mode, two.user, two.password) == (
        "b.example.com:465",
        "implicit",
        Secret("ola"),
        Secret("q"),
    )
    assert (three.port, three.tls.mode, three.tls.ca_file, three.tls.verify_host) == (25, "none", "own.pem", False)


def test_a_server_that_is_named_twice_is_there_once() -> None:
    """The same host and port is one server, whatever the second entry says."""
    servers = [{"smtp_server": name} for name in ("a.example.com", "b.example.com", "a.example.com")]
    assert [one.name for one in endpoints(config(servers=servers))] == ["a.example.com:25", "b.example.com:25"]


@pytest.mark.parametrize(
    ("endpoint", "name", "local"),
    [
        (Endpoint("mx.example.com", 25, TlsSpec()), "mx.example.com:25", False),
        (Endpoint("::1", 25, TlsSpec()), "[::1]:25", True),
        (Endpoint("localhost", 25, TlsSpec()), "localhost:25", True),
        (Endpoint("mx.example.com", 25, TlsSpec(), socket="/run/smtp"), "/run/smtp", True),
    ],
)
def test_an_endpoint_has_a_name(endpoint: Endpoint, name: str, local: bool) -> None:
    """The name is what people would write, and it is known whether it is on this machine."""
    assert endpoint.name == name
    assert endpoint.local is local


def test_a_login_needs_both_parts() -> None:
    """A user with a password, or with a way to a token, logs in; a user alone does not."""
    both = Endpoint("h", 25, TlsSpec(), Secret("u"), Secret("p"))
    alone = Endpoint("h", 25, TlsSpec(), Secret("u"))
    oauth = config(oauth={"token": Secret("t")}).oauth
    assert has_login(both, None)
    assert not has_login(alone, None)
    assert has_login(alone, oauth)
    assert not has_login(Endpoint("h", 25, TlsSpec()), oauth)
