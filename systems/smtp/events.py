"""What the protocol tells its shell. No I/O."""

from __future__ import annotations

from dataclasses import dataclass

from systems.mail import Answered, SystemFault
from systems.smtp.capabilities import Capabilities


@dataclass(frozen=True, slots=True)
class StartTls:
    """The shell's turn: make the TLS handshake, then call `starttls_done`."""


@dataclass(frozen=True, slots=True)
class Login:
    """The shell's turn: choose one of the mechanisms and call `authenticate`, or `abort`."""

    mechanisms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ready:
    """Messages can go, with these capabilities; also the answer to `reset`."""

    capabilities: Capabilities


@dataclass(frozen=True, slots=True)
class Closed:
    """The last event: write what `data_to_send` still has, close the connection. No `fault`: it ended in order."""

    fault: SystemFault | None


Event = Answered | StartTls | Login | Ready | Closed
