"""One connection to a mail server, watched: how far it comes, and what the server says on the way."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from systems.mail import Answered, Message, SystemFault
from systems.smtp.route import Route
from systems.smtp.session import Session

if TYPE_CHECKING:
    from systems.smtp.capabilities import Capabilities


@dataclass(slots=True)
class Seen:
    """What there was to see. `fault` ended it; without one the server would take mail now."""

    addresses: tuple[str, ...] = ()
    connected_in: float | None = None
    capabilities: Capabilities | None = None
    tls_version: str | None = None
    certificate: dict[str, Any] = field(default_factory=dict)
    ready: bool = False
    fault: SystemFault | None = None
    answered: list[Answered] = field(default_factory=list)


async def resolve(host: str, port: int) -> tuple[str, ...]:
    """The addresses of a host, in the order in which they are tried. `OSError` if there are none."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(one[4][0]) for one in found))


async def probe(route: Route, messages: Sequence[Message] = (), *, send: bool = False) -> Seen:
    """Connect as for mail, then rehearse the messages, or send them. Nothing else is said."""
    watching = _Watching(messages, send=send)
    session = Session(route, watching)
    watching.begun = asyncio.get_running_loop().time()
    session.open()
    while not watching.over.is_set():
        session.check(asyncio.get_running_loop().time())
        try:
            async with asyncio.timeout(0.1):
                await watching.over.wait()
        except TimeoutError:
            continue
    return watching.seen


class _Watching:
    """The owner of the one session."""

    def __init__(self, messages: Sequence[Message], *, send: bool) -> None:
        self.seen = Seen()
        self.over = asyncio.Event()
        self.begun = 0.0
        self._messages = list(messages)
        self._send = send

    def connected(self, session: Session) -> None:
        """The connection stands."""
        self.seen.connected_in = asyncio.get_running_loop().time() - self.begun

    def ready(self, session: Session) -> None:
        """It could carry mail."""
        self.seen.ready = True
        self._look(session)
        self._go_on(session)

    def answered(self, session: Session, answered: Answered) -> None:
        """The server said what it would do, or did."""
        self.seen.answered.append(answered)
        asyncio.get_running_loop().call_soon(self._go_on, session)

    def turn(self, session: Session) -> None:
        """There is no other session to wait for."""
        session.flush()

    def handing_over(self, session: Session, messages: Sequence[Message]) -> bool:
        """Nothing is kept of it here."""
        return True

    def closed(self, session: Session, fault: SystemFault | None) -> None:
        """It ended, perhaps early."""
        self.seen.fault = fault
        self._look(session)

    def gone(self, session: Session) -> None:
        """Nothing is left."""
        self.over.set()

    def _look(self, session: Session) -> None:
        self.seen.capabilities = session.machine.capabilities
        if session.tls is not None:
            self.seen.tls_version = session.tls.version()
            self.seen.certificate = dict(session.tls.getpeercert() or {})

    def _go_on(self, session: Session) -> None:
        if session.machine.ended:
            return
        if not self._messages:
            session.quit()
        elif self._send:
            session.send(self._messages.pop(0))
            session.flush()
        else:
            session.rehearse(self._messages.pop(0))
