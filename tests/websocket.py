"""The other end of a websocket, for tests: a socket of its own, and the protocol by wsproto."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Mapping
from typing import Any, Self

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Ping,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)

# Far longer than anything here takes on a machine with nothing else to do.
PATIENCE = 120


class WebSocket:
    """A handshake, and what comes of it: `status` is 101 where it is open."""

    def __init__(self, port: int, path: str, headers: Mapping[str, str], *, host: str = "") -> None:
        """Ask for it."""
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self._protocol = WSConnection(ConnectionType.CLIENT)
        self._events = self._protocol.events()
        self._text = ""
        self.status = 0
        self.refusal = b""
        self.closed: tuple[int, str] | None = None
        given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        self._write(Request(host=host or f"127.0.0.1:{port}", target=path, extra_headers=given))
        while not self.status or (self.status != 101 and self.closed is None):
            match event := self._event():
                case AcceptConnection():
                    self.status = 101
                case RejectConnection():
                    self.status = event.status_code
                    if not event.has_body:
                        self.closed = (self.status, "")
                case RejectData():
                    self.refusal += event.data
                    if event.body_finished:
                        self.closed = (self.status, "")
                case None:
                    self.closed = (self.status, "")

        if self.status != 101:
            self._socket.close()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """It is gone."""
        self._socket.close()

    def send(self, value: Any) -> None:
        """A document, or a text or bytes as they are."""
        data = value if isinstance(value, str | bytes) else json.dumps(value)
        self._write(TextMessage(data) if isinstance(data, str) else BytesMessage(data))

    def next(self) -> Any:
        """The next document; None when it was closed."""
        while self.closed is None:
            match event := self._event():
                case TextMessage():
                    self._text += event.data
                    if event.message_finished:
                        found, self._text = json.loads(self._text), ""
                        return found
                case Ping():
                    self._write(event.response())
                case CloseConnection():
                    self.closed = (event.code, event.reason or "")
                case None:
                    self.closed = (1006, "")
        return None

    def until(self, true: Callable[[Any], bool]) -> Any:
        """The next document of which something is true."""
        while (found := self.next()) is not None:
            if true(found):
                return found
        raise AssertionError(f"closed before that: {self.closed}")

    def until_closed(self) -> int:
        """The code with which it is closed, whatever is said before."""
        while self.next() is not None:
            pass
        assert self.closed is not None
        return self.closed[0]

    def event(self, name: str, **facts: Any) -> Any:
        """The next event of this name that has these facts."""
        return self.until(lambda one: one.get("event") == name and facts.items() <= one.items())

    def answer(self, value: Mapping[str, Any]) -> Any:
        """Ask for something; what is answered."""
        self.send({"id": "x", **value})
        return self.until(lambda one: "re" in one)

    def _write(self, event: Any) -> None:
        self._socket.sendall(self._protocol.send(event))

    def _event(self) -> Any:
        """The next one; None at the end of the connection."""
        while True:
            for event in self._events:
                return event
            data = self._socket.recv(65_536)
            if not data:
                return None
            self._protocol.receive_data(data)
            self._events = self._protocol.events()
