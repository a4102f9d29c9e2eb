"""From a checked configuration to a system at work."""

from __future__ import annotations

import logging
import random
import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.secret import Secret
from systems.mail import Phase
from systems.smtp.endpoints import Endpoint, TlsSpec, endpoints, has_login
from systems.smtp.pool import Limits
from systems.smtp.route import Route, Timeouts
from systems.smtp.settings import Settings
from systems.smtp.system import SmtpSystem
from systems.smtp.tls import context
from systems.smtp.token import Command, Fixed, Source, Tokens
from systems.smtp.token import Endpoint as TokenEndpoint

if TYPE_CHECKING:
    from systems.smtp.config import OAuthConfig, SmtpConfig

_talk = logging.getLogger("mailweir.smtp.talk")


def build(config: SmtpConfig, root: str, log: Callable[[str], None] | None = None) -> SmtpSystem:
    """The system of a configuration; `OSError` when a file that it names cannot be used.

    `log` gets the lines of the talk; without it they go to the log, if the configuration says `verbose`.
    """
    return SmtpSystem(config.id, routes(config, root, log), limits(config), random.random)


def limits(config: SmtpConfig) -> Limits:
    """What bounds the pool."""
    return Limits(config.connections, config.messages_per_connection, config.idle_timeout, config.connection_max_age)


def routes(config: SmtpConfig, root: str, log: Callable[[str], None] | None = None) -> tuple[Route, ...]:
    """How to reach each server of a configuration."""
    token = None if config.oauth is None else Tokens(_source(config.oauth), time.monotonic)
    if log is None and config.verbose:
        log = _talk.info
    return tuple(_route(config, endpoint, root, token, log) for endpoint in endpoints(config))


def _route(
    config: SmtpConfig, endpoint: Endpoint, root: str, token: Tokens | None, log: Callable[[str], None] | None
) -> Route:
    tls = located(endpoint.tls, root)
    login = has_login(endpoint, config.oauth)
    clear = config.allow_plaintext_auth or endpoint.local
    settings = Settings(
        server=endpoint.name,
        helo=config.helo or _own_name(),
        pipelining=config.pipelining,
        starttls=tls.starttls,
        encrypted=tls.mode == "implicit",
        login=login,
        clear_login=clear,
        smtputf8=config.smtputf8,
        chunking=config.chunking,
        xverp=config.xverp,
        largest=config.max_message_bytes,
    )
    times = config.timeouts
    phases = {
        Phase.BEFORE: times.greeting,
        Phase.GREETING: times.greeting,
        Phase.TLS: times.tls,
        Phase.LOGIN: times.login,
        Phase.IDLE: config.idle_timeout,
        Phase.MAIL: times.mail,
        Phase.RECIPIENT: times.recipient,
        Phase.DATA: times.data,
        Phase.BLOCK: times.block,
        Phase.DOT: times.dot,
        Phase.QUIT: times.quit,
    }
    return Route(
        endpoint=replace(endpoint, socket=None if endpoint.socket is None else str(Path(root, endpoint.socket))),
        settings=settings,
        timeouts=Timeouts(phases, config.connection_timeout, config.message_timeout, config.minimum_data_rate),
        context=None if tls.mode == "none" else context(tls),
        plaintext_login=clear,
        nonce=lambda: secrets.token_urlsafe(18).encode(),
        mechanisms=config.auth,
        token=token,
        source_address=config.source_address,
        log=log,
    )


def _own_name() -> str:
    """The name of this machine, if it is one of a domain: servers refuse a bare one.

    The operating system is asked and no name server, which could take its time.
    """
    name = socket.gethostname()
    return name if "." in name.strip(".") else ""


def located(tls: TlsSpec, root: str) -> TlsSpec:
    """With the files of TLS found from the project's folder."""

    def place(path: str | None) -> str | None:
        return None if path is None else str(Path(root, path))

    return replace(
        tls,
        ca_file=place(tls.ca_file),
        ca_path=place(tls.ca_path),
        client_cert=place(tls.client_cert),
        client_key=place(tls.client_key),
    )


def _source(oauth: OAuthConfig) -> Source:
    if oauth.token is not None:
        return Fixed(oauth.token)
    if oauth.command is not None:
        return Command(oauth.command)
    return TokenEndpoint(
        oauth.url or "", oauth.refresh_token or Secret(""), oauth.client_id, oauth.client_secret, oauth.scope
    )
