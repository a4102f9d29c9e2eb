"""Asking a server whether it would take a message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from systems.mail import Status
from systems.smtp.events import Closed

Make = Callable[..., Any]


def test_a_rehearsal_asks_and_sends_nothing(connect: Make, message: Make) -> None:
    """MAIL and RCPT are said one by one, each recipient is answered, and RSET or QUIT follows instead of DATA."""
    protocol = connect()
    assert protocol.rehearse(message("b@example.com", "c@example.com")) == []
    said = []
    replies = {b"MAIL": b"250 a\r\n", b"RCPT": b"250 b\r\n", b"QUIT": b"221 bye\r\n"}
    events: list[Any] = []
    while line := bytes(protocol.data_to_send()):
        said.append(line[:4])
        reply = b"550 5.1.1 no\r\n" if b"c@example.com" in line else replies[line[:4]]
        events += protocol.receive_data(reply)
        if len(said) == 3:
            events += protocol.quit()
    assert said == [b"MAIL", b"RCPT", b"RCPT", b"QUIT"]
    answered, closed = events
    assert [answer.status for answer in answered.answers] == [Status.ACCEPTED, Status.PERMANENT]
    assert closed == Closed(None)
    assert protocol.take_dots() == []


def test_a_rehearsal_needs_an_idle_connection(connect: Make, message: Make) -> None:
    """While a message is on its way nothing else is asked."""
    protocol = connect()
    protocol.send(message())
    with pytest.raises(RuntimeError, match="not idle"):
        protocol.rehearse(message())
