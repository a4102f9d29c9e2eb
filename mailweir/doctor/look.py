"""Looking at the mail servers of a project."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from mailweir.doctor.finding import Finding, Verdict
from mailweir.doctor.probe import Seen, probe, resolve
from mailweir.doctor.servers import Look, findings
from systems.address import split
from systems.mail import Envelope, Message
from systems.smtp.build import routes
from systems.smtp.config import SmtpConfig

if TYPE_CHECKING:
    from pipeline.config.resolve import Use
    from pipeline.config.typed import Component
    from systems.smtp.route import Route

# More senders or recipients of a project are not asked about.
MOST_ASKED: Final = 10
RESOLVE_WITHIN: Final = 10.0

_login: Final[Mapping[str, str]] = {"smtp_username": "user name", "smtp_password": "password", "oauth": "token"}


async def look(
    system: Component, components: Sequence[Component], uses: Iterable[Use], root: str, *, live: bool
) -> list[Finding]:
    """What there is to say of one system; `live` asks about the fixed recipients too."""
    config = system.config
    if config is None:
        return [Finding(system.id, Verdict.SKIP, "its configuration has errors: mailweir check", "connect")]
    if not isinstance(config, SmtpConfig):
        return [Finding(system.id, Verdict.SKIP, f"`{system.type}` has no server to connect to", "connect")]
    try:
        ways = routes(config, root)
    except OSError as error:
        named = f"{error.filename}: " if error.filename else ""
        text = f"a file of TLS cannot be used: {named}{error.strerror or error}"
        return [Finding(system.id, Verdict.FAIL, text, "TLS")]
    messages = list(_rehearsals(system.id, components, live=live))
    origins = list(_origins(system.id, uses))
    found: list[Finding] = []
    for way in ways:
        name = system.id if len(ways) == 1 else f"{system.id} at {way.endpoint.name}"
        seen = await _see(way, messages, origins)
        found += findings(name, seen, datetime.now(UTC))
    return found


async def _see(way: Route, messages: Sequence[Message], origins: Sequence[str]) -> Look:
    endpoint, login = way.endpoint, way.settings.login
    addresses: Sequence[str] = ()
    if endpoint.socket is None:
        try:
            async with asyncio.timeout(RESOLVE_WITHIN):
                addresses = await resolve(endpoint.host, endpoint.port)
        except TimeoutError:
            return Look(endpoint, login, name_fault=f"no answer about this name within {RESOLVE_WITHIN:g} s")
        except OSError as error:
            return Look(endpoint, login, name_fault=(error.strerror or str(error)).lower())
    seen: Seen = await probe(way, messages)
    return Look(
        endpoint,
        login,
        addresses,
        connected_in=seen.connected_in,
        capabilities=seen.capabilities,
        tls_version=seen.tls_version,
        certificate=seen.certificate,
        fault=seen.fault,
        rehearsed=seen.answered,
        origins=origins,
    )


def _rehearsals(system: str, components: Sequence[Component], *, live: bool) -> Iterator[Message]:
    """A mail for each sender that sinks have for this system, to itself or to the fixed recipients."""
    asked: dict[tuple[str, tuple[str, ...]], None] = {}
    for pipe in components:
        for sink in pipe.walk():
            sender = sink.given.text("mail_from")
            if sink.kind != "sink" or sink.given.get("system") != system or sender is None:
                continue
            senders = [one.address for one in split(sender) if one.fault is None]
            written = sink.given.text("recipients") if live else None
            fixed = tuple(one.address for one in split(written or "") if one.fault is None)
            for address in senders:
                asked[address, fixed or (address,)] = None
    for sender, recipients in list(asked)[:MOST_ASKED]:
        yield Message(f"doctor {sender}", Envelope(sender, recipients[:MOST_ASKED]), b"")


def _origins(system: str, uses: Iterable[Use]) -> Iterator[str]:
    """Where the login comes from: a wrong password is most often the wrong place."""
    for use in uses:
        if use.found is None or use.path[:1] != (system,):
            continue
        what = next((word for name, word in _login.items() if name in use.path), None)
        if what is not None:
            place = use.found.place.label_for(use.name).partition(" (")[0]
            yield f"{what.capitalize()} from {place}: {use.found.spelling}"
