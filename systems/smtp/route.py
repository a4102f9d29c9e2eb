"""The way to a server: all that a session needs to know of it, and why it cannot be reached, for people."""

from __future__ import annotations

import errno
import os
import socket as sockets
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

from pipeline.secret import Secret
from systems.mail import Phase
from systems.smtp.endpoints import Endpoint
from systems.smtp.settings import Settings
from systems.smtp.token import Tokens

# Replies are short. One buffer serves all connections of a loop: it is read before the next one is filled.
READ_AT_ONCE: Final = 16_384


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds for each phase, for reaching the server, and for a whole message."""

    phases: dict[Phase, float]
    connect: float
    message: float
    minimum_rate: int  # bytes a second, 0: any


@dataclass(frozen=True, slots=True)
class Route:
    """All that is needed to open a session at a server. `nonce` gives random bytes for a login."""

    endpoint: Endpoint
    settings: Settings
    timeouts: Timeouts
    context: ssl.SSLContext | None
    plaintext_login: bool
    nonce: Callable[[], bytes]
    mechanisms: tuple[str, ...] | None = None
    token: Tokens | None = None
    source_address: str | None = None
    log: Callable[[str], None] | None = None
    buffer: memoryview = field(default_factory=lambda: memoryview(bytearray(READ_AT_ONCE)))

    @property
    def mark(self) -> str:
        """Changes with what is declared of the login, and of how it is made.

        Of 16 bits: too few to tell anything of a password, enough to see it change.
        """
        made_of = () if self.token is None else self.token.made_of
        parts = (self.endpoint.user, self.endpoint.password, *(self.mechanisms or ()), *made_of)
        login = "\0".join(part.reveal() if isinstance(part, Secret) else part or "" for part in parts)
        return blake2b(login.encode("utf-8", "surrogatepass"), digest_size=2).hexdigest()


def words(error: BaseException) -> str:
    """An error of the operating system in its words, without numbers and addresses."""
    if isinstance(error, OSError) and error.errno is not None and not isinstance(error, sockets.gaierror):
        return os.strerror(error.errno)
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).strip("[]")


# What this machine has run out of, or what it has not got.
_local: Final = {
    errno.EMFILE: "this process has no file descriptor left: raise its limit, or lower `connections`",
    errno.ENFILE: "this machine has no file descriptor left",
    errno.EADDRNOTAVAIL: "this machine has no local address or port to connect from",
}


def unreachable(error: BaseException, route: Route) -> str:
    """Why a server cannot be reached, for people."""
    name = route.endpoint.name
    if isinstance(error, sockets.gaierror):
        return f"the name `{route.endpoint.host}` has no address: {words(error).lower()}"
    if isinstance(error, TimeoutError) and error.errno is None:
        return f"{name} does not answer within {route.timeouts.connect:g} s"
    if isinstance(error, OSError) and error.errno in _local:
        return _local[error.errno]
    return f"{name} cannot be reached: {words(error).lower()}"
