"""A connection that is ready, and messages to send over it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from systems.mail import DeliveryReports, Envelope, Message
from systems.smtp.events import Ready
from systems.smtp.protocol import Protocol
from systems.smtp.settings import Settings

USUAL = ("PIPELINING", "SIZE 10000000", "8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES", "CHUNKING")


def _connect(*offers: str, **settings: Any) -> Protocol:
    protocol = Protocol(Settings("mx.example.com:25", helo="client.example.com", **settings))
    protocol.start()
    assert protocol.receive_data(b"220 mx.example.com ESMTP\r\n") == []
    assert protocol.data_to_send() == b"EHLO client.example.com\r\n"
    lines = ("mx.example.com", *(offers or USUAL))
    text = "".join(f"250{'-' if line is not lines[-1] else ' '}{line}\r\n" for line in lines)
    assert protocol.receive_data(text.encode()) == [Ready(protocol.capabilities)]
    assert protocol.data_to_send() == b""
    return protocol


def _message(
    *recipients: str,
    content: bytes = b"Subject: Hi\r\n\r\nHello\r\n",
    sender: str = "a@example.com",
    smtputf8: bool = False,
    reports: DeliveryReports | None = None,
    key: str = "k",
) -> Message:
    return Message(key, Envelope(sender, recipients or ("b@example.com",), smtputf8, reports), content)


@pytest.fixture(scope="session")
def connect() -> Callable[..., Protocol]:
    """Open a connection to a server that offers `offers`, with `settings`; nothing is outstanding then."""
    return _connect


@pytest.fixture(scope="session")
def message() -> Callable[..., Message]:
    """Make a message."""
    return _message
