"""A broker that was checked, as plain values, and how one comes back to it when the connection was lost."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Self

from systems.brokers.address import Address
from systems.brokers.messages import BrokerError

# Between two tries to come back: twice as long each time.
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 5.0


@dataclass(frozen=True, slots=True, repr=False)
class Settings:
    """Where it is, and how to get there. It is not to be printed: it holds a password."""

    name: str
    address: Address
    username: str | None = None
    password: str | None = None
    verify: bool = True
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    connect_timeout: float = 10.0
    timeout: float = 30.0
    reconnect_timeout: float = 30.0

    def tls(self) -> ssl.SSLContext | None:
        """How to speak TLS; None if the address says that it is not spoken. `BrokerError` for files without use."""
        if not self.address.tls:
            return None
        try:
            return self._trusting()
        except OSError as error:
            files = ", ".join(one for one in (self.ca_file, self.cert_file, self.key_file) if one is not None)
            raise BrokerError(f"the certificates cannot be read: {files}: {error.strerror or error}") from None

    def _trusting(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.cert_file is not None:
            context.load_cert_chain(self.cert_file, self.key_file)
        return context

    def tries(
        self, now: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> Iterator[None]:
        """The times at which a lost connection is tried again; the end is when no more are left."""
        end, pause = now() + self.reconnect_timeout, _FIRST_PAUSE
        while (left := end - now()) > 0:
            sleep(min(pause, left))
            pause = min(2 * pause, _LONGEST_PAUSE)
            yield


class Broker:
    """The system: it opens nothing before something is read or published."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is connected yet."""
        self.settings = settings
        self.name = settings.name

    async def __aenter__(self) -> Self:
        """Nothing is opened before it is needed."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Who opens something closes it."""
