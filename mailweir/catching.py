"""The mail systems of a project with a catcher in place of every server.

No configuration and no option leads past it: of what a mail system declares only its limits are left, and the place to
connect to is an address of this machine, so that no name server is asked either.
"""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self
from urllib.parse import urlsplit

from mailweir.catcher import HOST, Catcher
from mailweir.systems_of import Systems
from systems.mail import Answered, CarrierConfig, MailSystem, Message, Trouble
from systems.sms import SmsSystemConfig
from systems.smtp.build import build
from systems.smtp.config import SmtpConfig

if TYPE_CHECKING:
    from pathlib import Path

    from mailweir.caught import Caught
    from pipeline.component import System
    from pipeline.config.load import Loaded

DEFAULT_PORT: Final = 1025
# So many ports after the one that was asked for are tried, then any that is free.
MOST_TRIED: Final = 20
_NOWHERE: Final = "sms.invalid"


class Place(NamedTuple):
    """Where all mail goes: an address of this machine, never a name."""

    host: str
    port: int

    def __str__(self) -> str:
        """As people write it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class CatchingSystems(Systems):
    """Every mail system is the catcher."""

    def __init__(self, loaded: Loaded, place: Place, state: Path) -> None:
        """`state` is the folder in which this run counts, apart from what is real."""
        if not ip_address(place.host).is_loopback:
            raise ValueError(f"{place} is not on this machine")
        super().__init__(loaded)
        self.state = str(state)
        self._place = place

    def _build(self, config: Any) -> System:  # noqa: ANN401 - as in `Systems`
        if not isinstance(config, CarrierConfig):
            return super()._build(config)
        declared: dict[str, Any] = {
            "_id": config.id,
            "type": "system:smtp",
            "smtp_server": self._place.host,
            "smtp_port": self._place.port,
            "tls": "none",
            "max_message_bytes": config.max_message_bytes if isinstance(config, SmtpConfig) else None,
            # One connection: mail is caught in the order in which it was made, and a person finds the first one first.
            "connections": 1,
        }
        catcher = build(SmtpConfig.model_validate(declared), self.root)
        return AsMail(catcher) if isinstance(config, SmsSystemConfig) else catcher


class AsMail:
    """Lets a mail system take text messages: telephone numbers become addresses that lead nowhere (RFC 6761)."""

    def __init__(self, system: MailSystem) -> None:
        """Take the system that gets them."""
        self._system = system

    async def __aenter__(self) -> Self:
        """Open it."""
        await self._system.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Close it."""
        await self._system.__aexit__(*exc)

    @property
    def trouble(self) -> Trouble | None:
        """Its trouble."""
        return self._system.trouble

    async def send(
        self, messages: Iterable[Message], handing_over: Callable[[Sequence[Message]], None]
    ) -> AsyncIterator[Sequence[Answered]]:
        """Hand them on, and answer for the numbers."""
        numbered: dict[str, Message] = {}

        def addressed() -> Iterator[Message]:
            for message in messages:
                numbered[message.key] = message
                people = tuple(f"{number}@{_NOWHERE}" for number in message.envelope.recipients)
                yield message._replace(envelope=message.envelope._replace(sender=f"sms@{_NOWHERE}", recipients=people))

        def over(group: Sequence[Message]) -> None:
            handing_over([numbered[message.key] for message in group])

        async for group in self._system.send(addressed(), over):
            found = []
            for message, answers in group:
                own = numbered.pop(message.key)
                pairs = zip(answers, own.envelope.recipients, strict=True)
                found.append(Answered(own, tuple(answer._replace(recipient=number) for answer, number in pairs)))
            yield found


def place_of(url: str) -> Place:
    """The place that a URL names; `ValueError` if it is none, or not on this machine."""
    parts = urlsplit(url)
    if parts.scheme != "smtp" or not parts.hostname or parts.path.strip("/") or parts.query or parts.username:
        raise ValueError("write smtp://127.0.0.1:1025")
    try:
        # What `localhost` means is not asked: a name server could say something else.
        address = ip_address(HOST if parts.hostname == "localhost" else parts.hostname)
    except ValueError:
        address = None
    if address is None or not address.is_loopback:
        raise ValueError(f"{parts.hostname} is not this machine: only localhost, 127.0.0.1 or [::1] can be told")
    return Place(str(address), parts.port or DEFAULT_PORT)


async def catcher_near(stack: AsyncExitStack, port: int, keep: Callable[[Caught], None]) -> Catcher:
    """A catcher that listens on this port, or on the next that is free, until the stack is closed."""
    for one in [*range(port, min(port + MOST_TRIED, 65_536)), 0]:
        try:
            return await stack.enter_async_context(Catcher(one, keep=keep))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    raise OSError(errno.EADDRINUSE, "no port is free")
